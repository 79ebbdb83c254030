// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package argocd runs the health checks for Argo CD as Argo CD runs them.
package argocd

import (
	"os"
	"path/filepath"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

const customizations = "../../../config/argocd/resource_customizations"

// healthStatus is what a health check returns.
type healthStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// healthTests is the form of health_test.yaml that Argo CD's repository has.
type healthTests struct {
	Tests []struct {
		HealthStatus healthStatus `json:"healthStatus"`
		InputPath    string       `json:"inputPath"`
	} `json:"tests"`
}

func TestHealth(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(customizations, "*", "*", "health.lua"))
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) != 3 {
		t.Fatalf("found the health checks %q; want one for each of the three kinds", scripts)
	}
	for _, script := range scripts {
		dir := filepath.Dir(script)
		source := read(t, script)
		var cases healthTests
		if err := yaml.UnmarshalStrict(read(t, filepath.Join(dir, "health_test.yaml")), &cases); err != nil {
			t.Fatal(err)
		}

		tested := map[string]bool{}
		for _, tc := range cases.Tests {
			t.Run(filepath.Join(filepath.Base(dir), filepath.Base(tc.InputPath)), func(t *testing.T) {
				var object map[string]any
				if err := yaml.Unmarshal(read(t, filepath.Join(dir, tc.InputPath)), &object); err != nil {
					t.Fatal(err)
				}
				if object["kind"] != filepath.Base(dir) {
					t.Fatalf("the input is of kind %v", object["kind"])
				}
				if got := health(t, string(source), object); got != tc.HealthStatus {
					t.Errorf("health = %+v; want %+v", got, tc.HealthStatus)
				}
			})
			tested[filepath.Join(dir, tc.InputPath)] = true
		}

		inputs, err := filepath.Glob(filepath.Join(dir, "testdata", "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, input := range inputs {
			if !tested[input] {
				t.Errorf("%s is not used by a test", input)
			}
		}
	}
}

// health runs a script on an object with the only libraries that Argo CD opens for it.
func health(t *testing.T, source string, object map[string]any) healthStatus {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", toLua(t, state, object))
	if err := state.DoString(source); err != nil {
		t.Fatal(err)
	}
	result, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returned %v, not a table", state.Get(-1))
	}
	return healthStatus{
		Status:  lua.LVAsString(result.RawGetString("status")),
		Message: lua.LVAsString(result.RawGetString("message")),
	}
}

// toLua converts what YAML decodes to.
func toLua(t *testing.T, state *lua.LState, value any) lua.LValue {
	t.Helper()
	switch value := value.(type) {
	case nil:
		return lua.LNil
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.NewTable()
		for _, element := range value {
			table.Append(toLua(t, state, element))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, element := range value {
			table.RawSetString(key, toLua(t, state, element))
		}
		return table
	default:
		t.Fatalf("unexpected %T", value)
		return nil
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
