// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"strings"
	"testing"
)

func TestSeed(t *testing.T) {
	seed, err := ReadSeed(strings.NewReader(`{"accounts":[{"name":"a","tokens":[{"token":"t"}],"connections":[{"id":"` + connFTP + `","name":"FTP"}],
		"imports":[{"_id":"` + noSuchID + `","createdAt":"2017-06-23T17:31:04.446Z","_connectorId":"` + noSuchID + `",` + ftpImport[1:] + `],
		"flows":[{"id":"5f0000000000000000000001","name":"f","imports":["` + noSuchID + `"]}]}]}`))
	must(t, err)
	sim := New(Options{})
	must(t, sim.Plant(seed))
	doc, ok := sim.Import("a", noSuchID)
	if !ok || doc["createdAt"] != "2017-06-23T17:31:04.446Z" || doc["_connectorId"] != noSuchID || doc["adaptorType"] != "FTPImport" || doc["apiIdentifier"] == nil {
		t.Errorf("seeded %v", doc)
	}
	if sim.Plant(seed) == nil {
		t.Error("planted twice")
	}
	if _, err := ReadSeed(strings.NewReader(`{"account":[]}`)); err == nil {
		t.Error("a seed with a misspelt field was read")
	}
}

func TestStart(t *testing.T) {
	h := newHarness(t)
	base, stop, err := h.Start("127.0.0.1:0")
	must(t, err)
	h.expect(http.StatusOK, http.MethodGet, base+"/v1/tokenInfo", "")
	must(t, stop())
	if _, err := h.try(http.MethodGet, base+"/v1/tokenInfo", ""); err == nil {
		t.Error("still serving")
	}
	if _, _, err := h.Start("127.0.0.1:-1"); err == nil {
		t.Error("served on no port")
	}
}

// TestInvalidOptions: a simulator with an invalid choice would mislead, so it does not start.
func TestInvalidOptions(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	choices := DefaultChoices()
	choices.UnknownFields = "guess"
	New(Options{Choices: &choices})
}
