// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
)

// UserHeader marks a request as made by a person, for example
//
//	X-Simulator-User: ui; Jane Doe <jane@example.com>
//
// The audit log and lastModifiedBy then name that person and that source. The
// token is needed all the same.
const UserHeader = "X-Simulator-User"

// User is who made a change, as the audit log tells it.
type User struct {
	ID    string `json:"_id"` // made from the email when empty
	Email string `json:"email"`
	Name  string `json:"name"`
}

var auditSources = []string{"ui", "api", "connector", "stack", "system", "sso"}

// actor is a user and the source of a change.
type actor struct {
	user   User
	source string
}

func userID(email string) string {
	sum := sha256.Sum256([]byte(email))
	return hex.EncodeToString(sum[:12])
}

// authenticate finds the account of a request by its token. The two answers of
// the API to a request without and with a wrong token differ.
func (s *Server) authenticate(r *http.Request) (*account, actor, *response) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		refusal := answer(http.StatusUnauthorized, messageBody{Message: "Unauthorized"})
		return nil, actor{}, &refusal
	}
	for _, acct := range s.accounts {
		if user, ok := acct.tokens[token]; ok {
			return acct, actor{user: user, source: "api"}, nil
		}
	}
	refusal := answer(http.StatusUnauthorized, messageBody{Message: "Bearer Authentication Failed"})
	return nil, actor{}, &refusal
}

// parseUserHeader reads the value of UserHeader.
func parseUserHeader(value string) (actor, error) {
	source, address, _ := strings.Cut(value, ";")
	source = strings.TrimSpace(source)
	if !slices.Contains(auditSources, source) {
		return actor{}, fmt.Errorf("%s: source %q is not one of %q", UserHeader, source, auditSources)
	}
	parsed, err := mail.ParseAddress(strings.TrimSpace(address))
	if err != nil {
		return actor{}, fmt.Errorf("%s: want `source; Name <email>`: %w", UserHeader, err)
	}
	return actor{source: source, user: User{ID: userID(parsed.Address), Email: parsed.Address, Name: parsed.Name}}, nil
}
