// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import "net/http"

// AdminHandler is replaced below.
func (s *Server) AdminHandler() http.Handler { return http.NotFoundHandler() }
