// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// platformName is the name of this program when it acts on the platform, for <!-- before: -->.
const platformName = "platform"

// action is one of its commands.
type action struct {
	arguments, about string
	run              func(c caller, ctx context.Context, args []string, in io.Reader, out io.Writer) error
}

// actions are what people do on the platform, in the account of the page.
func actions() map[string]action {
	return map[string]action{
		"create":  {"", "makes an import of the document on standard input, and prints its id", caller.create},
		"get":     {"ID", "prints an import", caller.get},
		"edit":    {"ID PATCH", "Jane changes an import in the UI, by a merge patch", caller.edit},
		"delete":  {"ID", "Jane deletes an import", caller.delete},
		"clone":   {"ID", "Jane clones an import, and its id is printed", caller.clone},
		"flow":    {"NAME [ID...]", "a flow uses these imports, and no others", caller.flow},
		"rule":    {"RULE", "the next calls fail as the rule says, see internal/simulator", caller.rule},
		"token":   {"TOKEN", "the account gets another token", caller.addToken},
		"revoke":  {"TOKEN", "a token is revoked", caller.revoke},
		"account": {"NAME", "makes another account, with the token token-of-NAME and the connections of this one", caller.another},
	}
}

// usage lists the commands.
func usage() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(actions())) {
		fmt.Fprintf(&text, "\n  platform %-8s %-13s %s", name, actions()[name].arguments, actions()[name].about)
	}
	return text.String()
}

// jane is who works in the UI.
const jane = "ui; Jane Doe <jane@example.com>"

// caller calls the simulator as Jane.
type caller struct{ api, admin, account, token string }

// platform runs a command, and returns the exit code.
func platform(args []string, in io.Reader, out, errOut io.Writer) int {
	c := caller{os.Getenv("PLATFORM_API") + "/v1/imports", os.Getenv("PLATFORM_ADMIN"), os.Getenv("ACCOUNT"), os.Getenv("TOKEN")}
	if err := c.run(context.Background(), args, in, out); err != nil {
		fmt.Fprintln(errOut, "platform:", err)
		return 1
	}
	return 0
}

func (c caller) run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("a command is missing:" + usage())
	}
	command, ok := actions()[args[0]]
	args = args[1:]
	required := strings.Fields(strings.Split(command.arguments, " [")[0])
	if more := strings.Contains(command.arguments, "["); !ok || len(args) < len(required) || !more && len(args) > len(required) {
		return errors.New("there is no such command, or it has other arguments:" + usage())
	}
	return command.run(c, ctx, args, in, out)
}

// own is the account at the admin interface.
func (c caller) own() string { return c.admin + "/accounts/" + c.account }

func (c caller) create(ctx context.Context, _ []string, in io.Reader, out io.Writer) error {
	document, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	return c.printID(ctx, c.own()+"/imports", json.RawMessage(document), out)
}

func (c caller) get(ctx context.Context, args []string, _ io.Reader, out io.Writer) error {
	var document json.RawMessage
	if err := c.call(ctx, http.MethodGet, c.api+"/"+args[0], nil, &document); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s\n", document)
	return err
}

func (c caller) delete(ctx context.Context, args []string, _ io.Reader, _ io.Writer) error {
	return c.call(ctx, http.MethodDelete, c.api+"/"+args[0], nil, nil)
}

func (c caller) clone(ctx context.Context, args []string, _ io.Reader, out io.Writer) error {
	return c.printID(ctx, c.api+"/"+args[0]+"/clone", struct{}{}, out)
}

func (c caller) flow(ctx context.Context, args []string, _ io.Reader, _ io.Writer) error {
	// The id is made of the name, so that a second call changes the flow.
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(args[0])) // it never fails
	id := fmt.Sprintf("%024x", hash.Sum64())
	return c.call(ctx, http.MethodPost, c.own()+"/flows", simulator.Flow{ID: id, Name: args[0], Imports: append([]string{}, args[1:]...)}, nil)
}

func (c caller) rule(ctx context.Context, args []string, _ io.Reader, _ io.Writer) error {
	return c.call(ctx, http.MethodPost, c.admin+"/rules", json.RawMessage(args[0]), nil)
}

func (c caller) addToken(ctx context.Context, args []string, _ io.Reader, _ io.Writer) error {
	return c.call(ctx, http.MethodPost, c.own()+"/tokens", simulator.Token{Token: args[0]}, nil)
}

func (c caller) revoke(ctx context.Context, args []string, _ io.Reader, _ io.Writer) error {
	return c.call(ctx, http.MethodPost, c.own()+"/tokens/revoke", simulator.Token{Token: args[0]}, nil)
}

func (c caller) printID(ctx context.Context, url string, body any, out io.Writer) error {
	var made struct {
		ID string `json:"_id"`
	}
	if err := c.call(ctx, http.MethodPost, url, body, &made); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, made.ID)
	return err
}

// another makes an account that has nothing but connections.
func (c caller) another(ctx context.Context, args []string, _ io.Reader, _ io.Writer) error {
	var own simulator.AccountReport
	if err := c.call(ctx, http.MethodGet, c.own(), nil, &own); err != nil {
		return err
	}
	spec := simulator.AccountSpec{Name: args[0], Tokens: []simulator.Token{{Token: "token-of-" + args[0]}}, Connections: own.Connections}
	return c.call(ctx, http.MethodPost, c.admin+"/accounts", spec, nil)
}

func (c caller) edit(ctx context.Context, args []string, _ io.Reader, _ io.Writer) error {
	id, patch := args[0], args[1]
	var document json.RawMessage
	if err := c.call(ctx, http.MethodGet, c.api+"/"+id, nil, &document); err != nil {
		return err
	}
	changed, err := jsonpatch.MergePatch(document, []byte(patch))
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPut, c.api+"/"+id, json.RawMessage(changed), nil)
}

func (c caller) call(ctx context.Context, method, url string, body, answer any) error {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+c.token)
	header.Set(simulator.UserHeader, jane)
	return local.CallSimulator(ctx, method, url, header, body, answer)
}
