// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"testing"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

func TestCheckHost(t *testing.T) {
	allowed := []string{"api.integrator.io", "gateway.example:8443", "shared.example/celigo/"}
	for baseURL, want := range map[string]string{
		"https://api.integrator.io":             "",
		"https://API.integrator.io/":            "",
		"https://api.integrator.io:443":         "",
		"https://gateway.example:8443":          "",
		"https://api.integrator.io:8443":        v1alpha1.ReasonHostNotAllowed,
		"http://api.integrator.io:443":          v1alpha1.ReasonHostNotAllowed,
		"http://api.integrator.io":              v1alpha1.ReasonHostNotAllowed,
		"http://gateway.example:8443":           "",
		"https://gateway.example":               v1alpha1.ReasonHostNotAllowed,
		"https://api.integrator.io.example":     v1alpha1.ReasonHostNotAllowed,
		"https://api.integrator.io@example.org": v1alpha1.ReasonHostNotAllowed,
		"https://api.integrator.io/celigo":      "",
		"https://gateway.example:8443/a/b/":     "",
		"https://shared.example/celigo":         "",
		"https://shared.example:443/celigo/":    "",
		"https://shared.example/celigo/eu":      "",
		"https://shared.example":                v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/":               v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/other":          v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/celigo-other":   v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/Celigo":         v1alpha1.ReasonHostNotAllowed,
		"https://shared.example:8443/celigo":    v1alpha1.ReasonHostNotAllowed,
		"":                                      v1alpha1.ReasonHostNotAllowed,
		"https://%zz":                           v1alpha1.ReasonInvalidSpec,
	} {
		err := CheckHost(allowed, baseURL)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s is refused: %v", baseURL, err)
		case want != "" && !problem.HasReason(err, want):
			t.Errorf("%s: %v, want %s", baseURL, err, want)
		}
	}
}
