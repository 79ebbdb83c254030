// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/export"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/corpus"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// api is the simulator, called without a network.
type api struct {
	*testing.T
	simulator *simulator.Server
}

func newAPI(t *testing.T, choose func(*simulator.Choices)) api {
	t.Helper()
	chosen := simulator.DefaultChoices()
	choose(&chosen)
	sim := simulator.New(simulator.Options{RequestsPerSecond: 1e9, Burst: 1e9, Choices: &chosen})
	if err := sim.AddAccount(simulator.AccountSpec{
		Name: "acme", Tokens: []simulator.Token{{Token: "t"}}, Connections: []simulator.Connection{{ID: corpus.Connection}},
	}); err != nil {
		t.Fatal(err)
	}
	return api{t, sim}
}

func (a api) call(method, path string, document map[string]any) (map[string]any, string) {
	a.Helper()
	request := httptest.NewRequest(method, "/v1/imports"+path, strings.NewReader(drift.Text(document, 1<<30)))
	request.Header.Set("Authorization", "Bearer t")
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	a.simulator.Handler().ServeHTTP(recorder, request)
	text := recorder.Body.String()
	if recorder.Code > 299 {
		a.Fatalf("%s %s: %d %s", method, path, recorder.Code, text)
	}
	answer, err := drift.Parse([]byte(text))
	if err != nil {
		a.Fatal(err)
	}
	return answer, text
}

// inStep fails the test for what differs between a declared document and what the API has.
func (a api) inStep(when string, declared, remote map[string]any) {
	a.Helper()
	var found []string
	for _, difference := range drift.Compare(declared, remote, drift.WriteOnly) {
		found = append(found, difference.Path+": declared "+drift.Text(difference.Declared, 200)+", answered "+drift.Text(difference.Remote, 200))
	}
	if diff := cmp.Diff([]string(nil), found); diff != "" {
		a.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// write is the PUT that corrects an import, and its answer.
func (a api) write(declared, remote map[string]any) map[string]any {
	a.Helper()
	drift.Compare(declared, remote, drift.WriteOnly)
	merged := drift.Merge(nil, declared, remote, nil)
	drift.DropEchoes(merged, declared, remote, nil, nil)
	written, _ := a.call(http.MethodPut, "/"+remote["_id"].(string), merged)
	return written
}

// TestDocuments: whatever a document declares, the API's response to it is no drift: not after the
// creation, not after a write, not after somebody erased all of it and it was written again, and not when
// the import is declared by the response itself or by its export, or made again of these.
func TestDocuments(t *testing.T) {
	testDocuments(t, newAPI(t, func(*simulator.Choices) {}), corpus.All())
}

// TestDocumentsAsSent: nor where the API keeps what it is sent.
func TestDocumentsAsSent(t *testing.T) {
	testDocuments(t, newAPI(t, func(c *simulator.Choices) {
		c.TrimTexts, c.LowerCase, c.LowerCaseIDs, c.ElementIDs, c.EchoRules, c.DropRulesOfExpression = false, false, false, false, false, false
		c.EchoRESTAsHTTP, c.DroppedEmptyArrays, c.KeepRESTOfHTTP = false, nil, true
	}), corpus.Short())
}

func testDocuments(t *testing.T, shared api, all []corpus.Named) {
	t.Helper()
	refused := 0
	for _, named := range all {
		declared := named.Document
		fields.LeaveOut(declared)
		if !shared.takes(declared) {
			refused++
			continue
		}
		t.Run(named.Name, func(t *testing.T) {
			a := api{t, shared.simulator}
			remote, text := a.call(http.MethodPost, "", declared)
			a.inStep("after the creation", declared, remote)

			a.inStep("after a write", declared, a.write(declared, remote))
			base := corpus.Base(remote["adaptorType"].(string), "erased")
			erased, _ := a.call(http.MethodPut, "/"+remote["_id"].(string), base)
			a.inStep("after somebody erased all of it", declared, a.write(declared, erased))

			response := document.Copy(remote)
			fields.LeaveOut(response)
			a.inStep("the response as a definition", response, remote)
			withoutSecrets(response)
			again, _ := a.call(http.MethodPost, "", response)
			a.inStep("made again of the response", response, again)
			a.inStep("made again of the response, after a write", response, a.write(response, again))

			for _, adopt := range []v1alpha1.AdoptionMode{v1alpha1.AdoptionModeMatch, ""} {
				manifest, err := export.Make([]byte(text), "x", export.Options{Adopt: adopt})
				if err != nil {
					t.Fatal(err)
				}
				a.inStep("the export", manifest.Definition, remote)
				if adopt == "" {
					again, _ := a.call(http.MethodPost, "", manifest.Definition)
					a.inStep("made again of the export", manifest.Definition, again)
					a.inStep("made again of the export, as first declared", withoutSecrets(declared), again)
				}
			}
		})
	}
	// An API that takes texts as they are refuses " json" as the type of a file.
	if most := len(all) / 3; refused > most {
		t.Errorf("%d documents are refused", refused)
	}
}

// takes reports whether the API accepts a document.
func (a api) takes(doc map[string]any) bool {
	_, err := a.simulator.SeedImport("acme", doc)
	return err == nil
}

func withoutSecrets(declared map[string]any) map[string]any {
	for _, path := range drift.WriteOnly {
		drift.Remove(declared, path)
	}
	return declared
}
