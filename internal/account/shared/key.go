// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package shared has what Accounts share that have the same base URL and token, in whatever namespaces:
// one limiter, so that together they stay within one share of the platform's rate limit, one pool of
// connections, and one scanner, which lists the imports once for all of them.
//
// Nothing of one Account comes to another through it but the effects of its calls: the list of the
// imports, which their token reads anyway, and the pauses that the API asks for.
package shared

import (
	"crypto/sha256"
	"net/url"
	"strings"
)

// Key says which Accounts share. Whatever decides who answers a request belongs into it.
type Key struct {
	// BaseURL is the base URL in one spelling.
	BaseURL string
	// Token is a hash of the token.
	Token [sha256.Size]byte
	// Trust is a hash of what the Account itself says about which servers are to be believed, 0 if it
	// says nothing. Another server could answer an Account that believes it, so what that one is
	// told, lists and pauses, is not for those that would not believe it.
	Trust [sha256.Size]byte
}

// NewKey returns the key of an Account.
func NewKey(baseURL, token string, trust [sha256.Size]byte) Key {
	return Key{BaseURL: spelling(baseURL), Token: sha256.Sum256([]byte(token)), Trust: trust}
}

// SameAccount reports whether both keys are known to lead to the same account of the platform. Whom an
// Account trusts does not change that.
func (k Key) SameAccount(other Key) bool { return k.BaseURL == other.BaseURL && k.Token == other.Token }

// spelling gives URLs that lead to the same place the same text, as far as a base URL may differ.
func spelling(baseURL string) string {
	parsed, err := url.Parse(baseURL)
	if err != nil || parsed.User != nil || parsed.RawPath != "" || strings.ContainsAny(baseURL, "?#") {
		return baseURL
	}
	host := strings.ToLower(parsed.Host)
	if usual := map[string]string{"https": ":443", "http": ":80"}[parsed.Scheme]; usual != "" {
		host = strings.TrimSuffix(host, usual)
	}
	return parsed.Scheme + "://" + host + strings.TrimSuffix(parsed.Path, "/")
}
