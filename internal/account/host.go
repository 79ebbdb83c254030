// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"net/url"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// CheckHost refuses a base URL that the operator was not started to allow. A host that is allowed
// without a port is allowed at the usual one alone: what else listens there is not the API. A host that
// is allowed with a path is allowed with that path and those below it.
func CheckHost(allowedHosts []string, baseURL string) error {
	parsed, err := url.Parse(baseURL)
	if err != nil {
		return problem.Terminalf(v1alpha1.ReasonInvalidSpec, "spec.baseURL is not a URL; use one like https://api.integrator.io")
	}
	path := strings.TrimSuffix(parsed.Path, "/") + "/"
	if !slices.ContainsFunc(allowedHosts, func(allowed string) bool {
		host, below, _ := strings.Cut(strings.TrimSuffix(allowed, "/"), "/")
		if below != "" && !strings.HasPrefix(path, "/"+below+"/") {
			return false
		}
		// Without a port, http would be another one.
		plain := parsed.Port() == "" && parsed.Scheme != "https"
		return strings.EqualFold(host, parsed.Host) && !plain || strings.EqualFold(host+":443", parsed.Host) && parsed.Scheme == "https"
	}) {
		return problem.Terminalf(v1alpha1.ReasonHostNotAllowed, "the host of spec.baseURL, %s, is not allowed; use one of %s, or start the operator with it in --allowed-api-hosts",
			drift.Cut(parsed.Host+strings.TrimSuffix(parsed.Path, "/"), 128), strings.Join(allowedHosts, ", "))
	}
	return nil
}
