// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// calls is every call of the client, by the name of its endpoint. Each is made as if the one before had
// been answered.
func calls(c *Client) map[string]func(context.Context) error {
	all := callsInARow(c)
	for op, call := range all {
		all[op] = func(ctx context.Context) error {
			c.limiter.Report(true)
			return call(ctx)
		}
	}
	return all
}

// callsInARow is calls, of which some that are not answered end all others.
func callsInARow(c *Client) map[string]func(context.Context) error {
	doc := json.RawMessage(`{"name":"n"}`)
	return map[string]func(context.Context) error{
		tokenInfo.op():    func(ctx context.Context) error { _, err := c.TokenInfo(ctx); return err },
		createImport.op(): func(ctx context.Context) error { _, err := c.CreateImport(ctx, doc); return err },
		getImport.op():    func(ctx context.Context) error { _, err := c.GetImport(ctx, testID); return err },
		putImport.op():    func(ctx context.Context) error { _, err := c.PutImport(ctx, testID, doc); return err },
		patchImport.op(): func(ctx context.Context) error {
			return c.PatchImport(ctx, testID, []PatchOperation{{Op: "remove", Path: "/debugUntil"}})
		},
		deleteImport.op():      func(ctx context.Context) error { return c.DeleteImport(ctx, testID) },
		cloneImport.op():       func(ctx context.Context) error { _, err := c.CloneImport(ctx, testID, CloneRequest{}); return err },
		replaceConnection.op(): func(ctx context.Context) error { return c.ReplaceConnection(ctx, testID, otherID) },
		dependencies.op():      func(ctx context.Context) error { _, err := c.Dependencies(ctx, testID); return err },
		invokeImport.op(): func(ctx context.Context) error {
			_, err := invoke(ctx, c, testID, InvokeRequest{Data: []json.RawMessage{doc}})
			return err
		},
		listImports.op(): func(ctx context.Context) error {
			for _, err := range c.ListImports(ctx, ListOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		listAudit.op(): func(ctx context.Context) error {
			for _, err := range c.ListAudit(ctx, testID) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// Ops has the names of all endpoints, as "GET /v1/imports/{id}", sorted.
func Ops() []string { return slices.Sorted(maps.Keys(calls(nil))) }

// TestCalls makes every method of the client that takes a context, and compares what is sent with
// calls. A call that is missing there is missing in every test that tries each one.
func TestCalls(t *testing.T) {
	var sent []string
	_, srv := serve(t, answer(http.StatusOK, `{}`))
	c := clientOf(t, srv.URL, func(cfg *Config) {
		cfg.Observer = func(o Observation) { sent = append(sent, o.Method+" "+o.Route) }
	})
	makeCalls(t, reflect.ValueOf(c), &sent)
	slices.Sort(sent)
	if diff := cmp.Diff(Ops(), slices.Compact(sent)); diff != "" {
		t.Errorf("the calls of the client and those of calls differ (-calls +client):\n%s", diff)
	}
}

// makeCalls makes every method of a Client or Permit that takes a context, with valid arguments.
func makeCalls(t *testing.T, receiver reflect.Value, sent *[]string) {
	t.Helper()
	for i := range receiver.NumMethod() {
		method, name := receiver.Method(i), receiver.Type().Method(i).Name
		if method.Type().NumIn() == 0 || method.Type().In(0) != reflect.TypeFor[context.Context]() {
			continue
		}
		arguments := []reflect.Value{reflect.ValueOf(t.Context())}
		for n := 1; n < method.Type().NumIn(); n++ {
			arguments = append(arguments, validArgument(method.Type().In(n)))
		}
		before := len(*sent)
		for _, result := range method.Call(arguments) {
			if permit, ok := result.Interface().(*Permit); ok {
				makeCalls(t, result, sent)
				permit.Release()
			} else if result.Type().CanSeq2() {
				for range result.Seq2() {
				}
			}
		}
		if len(*sent) == before {
			t.Errorf("%s sends nothing: validArgument has to make an argument that it accepts", name)
		}
	}
}

// validArgument is a value that the client's methods accept for this type of argument.
func validArgument(kind reflect.Type) reflect.Value {
	switch kind {
	case reflect.TypeFor[string]():
		return reflect.ValueOf(testID)
	case reflect.TypeFor[json.RawMessage]():
		return reflect.ValueOf(json.RawMessage(`{"name":"n"}`))
	case reflect.TypeFor[[]PatchOperation]():
		return reflect.ValueOf([]PatchOperation{{Op: "remove", Path: "/debugUntil"}})
	default:
		return reflect.Zero(kind)
	}
}
