// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// CheckHost refuses a base URL that the operator was not started to allow, or that cannot be used, and
// says all that is wrong with it. A host that is allowed
// without a port is allowed at the usual one alone: what else listens there is not the API. A host that
// is allowed with a path is allowed with that path and those below it.
func CheckHost(allowedHosts []string, allowHTTP bool, baseURL string) error {
	faults, reason := integrator.BaseURLFaults(baseURL, allowHTTP), v1alpha1.ReasonInvalidSpec
	if parsed, err := url.Parse(baseURL); err == nil && parsed.Host != "" && !hostAllowed(allowedHosts, parsed) {
		reason = v1alpha1.ReasonHostNotAllowed
		host, others := drift.Cut(parsed.Host+strings.TrimSuffix(parsed.Path, "/"), 128), strings.Join(allowedHosts, ", ")
		fault := fmt.Sprintf("its host, %s, is not allowed; use one of %s, or start the operator with it in --allowed-api-hosts", host, others)
		if withoutPort(parsed) {
			fault = fmt.Sprintf("its host, %s, is not allowed; use one of %s, or name the port of http, as in %s:80, here and in --allowed-api-hosts", host, others, drift.Cut(parsed.Host, 128))
		}
		faults = append([]string{fault}, faults...)
	}
	if len(faults) == 0 {
		return nil
	}
	return problem.Terminalf(reason, "spec.baseURL cannot be used: %s", strings.Join(faults, "; "))
}

func hostAllowed(allowedHosts []string, baseURL *url.URL) bool {
	path := strings.TrimSuffix(baseURL.Path, "/") + "/"
	return slices.ContainsFunc(allowedHosts, func(allowed string) bool {
		host, below, _ := strings.Cut(strings.TrimSuffix(allowed, "/"), "/")
		if below != "" && !strings.HasPrefix(path, "/"+below+"/") {
			return false
		}
		return strings.EqualFold(host, baseURL.Host) && !withoutPort(baseURL) || strings.EqualFold(host+":443", baseURL.Host) && baseURL.Scheme == "https"
	})
}

// withoutPort reports whether the URL is of http and has no port: a host that is allowed without one is
// allowed for https.
func withoutPort(baseURL *url.URL) bool { return baseURL.Port() == "" && baseURL.Scheme != "https" }
