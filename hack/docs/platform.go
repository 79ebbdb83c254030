// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// platformName is the name of this program when it acts on the platform, for <!-- before: -->.
const platformName = "platform"

const platformUsage = `usage: platform COMMAND: what people do on the platform, in the account of the page
  create            makes an import of the document on standard input, and prints its id
  get ID            prints an import
  edit ID PATCH     Jane changes an import in the UI, by a merge patch
  delete ID         Jane deletes an import
  clone ID          Jane clones an import, and its id is printed
  flow NAME ID...   a flow uses these imports, and no others
  rule RULE         the next calls fail as the rule says, see internal/simulator
  token TOKEN       the account gets another token
  revoke TOKEN      a token is revoked
  account NAME      makes another account, with the token token-of-NAME and the connections of this one
`

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
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch {
	case command == "create" && len(args) == 0:
		return c.create(ctx, in, out)
	case command == "get" && len(args) == 1:
		var document json.RawMessage
		if err := c.call(ctx, http.MethodGet, c.api+"/"+args[0], nil, &document); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "%s\n", document)
		return err
	case command == "edit" && len(args) == 2:
		return c.edit(ctx, args[0], args[1])
	case command == "delete" && len(args) == 1:
		return c.call(ctx, http.MethodDelete, c.api+"/"+args[0], nil, nil)
	case command == "clone" && len(args) == 1:
		return c.clone(ctx, args[0], out)
	case command == "flow" && len(args) > 0:
		id := fmt.Sprintf("%024x", len(args[0]))
		return c.call(ctx, http.MethodPost, c.own()+"/flows", simulator.Flow{ID: id, Name: args[0], Imports: append([]string{}, args[1:]...)}, nil)
	case command == "rule" && len(args) == 1:
		return c.call(ctx, http.MethodPost, c.admin+"/rules", json.RawMessage(args[0]), nil)
	case command == "token" && len(args) == 1:
		return c.call(ctx, http.MethodPost, c.own()+"/tokens", simulator.Token{Token: args[0]}, nil)
	case command == "revoke" && len(args) == 1:
		return c.call(ctx, http.MethodPost, c.own()+"/tokens/revoke", simulator.Token{Token: args[0]}, nil)
	case command == "account" && len(args) == 1:
		return c.another(ctx, args[0])
	default:
		return errors.New(platformUsage)
	}
}

// own is the account at the admin interface.
func (c caller) own() string { return c.admin + "/accounts/" + c.account }

func (c caller) create(ctx context.Context, in io.Reader, out io.Writer) error {
	document, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	return c.printID(ctx, c.own()+"/imports", json.RawMessage(document), out)
}

func (c caller) clone(ctx context.Context, id string, out io.Writer) error {
	return c.printID(ctx, c.api+"/"+id+"/clone", struct{}{}, out)
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
func (c caller) another(ctx context.Context, name string) error {
	var own simulator.AccountReport
	if err := c.call(ctx, http.MethodGet, c.own(), nil, &own); err != nil {
		return err
	}
	spec := simulator.AccountSpec{Name: name, Tokens: []simulator.Token{{Token: "token-of-" + name}}, Connections: own.Connections}
	return c.call(ctx, http.MethodPost, c.admin+"/accounts", spec, nil)
}

func (c caller) edit(ctx context.Context, id, patch string) error {
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
