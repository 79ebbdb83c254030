// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package simulator is a stand-in for the integrator.io API, as far as imports
// go: an HTTP server that answers as the real one, oddities included, keeps a
// ledger of what it was asked, and can be told to fail.
//
// # As a library
//
//	sim := simulator.New(simulator.Options{})
//	err := sim.AddAccount(simulator.AccountSpec{
//		Name:        "acme",
//		Tokens:      []simulator.Token{{Token: "t"}},
//		Connections: []simulator.Connection{{ID: "56f000000000000000000001"}},
//	})
//	server := httptest.NewServer(sim.Handler())
//	defer server.Close()
//	defer sim.Close() // runs first: lets go the requests that fault rules hold
//
// A test can seed imports (SeedImport), be another user (EditAs, DeleteAs),
// look at what is stored (Import, Imports, RecycleBin, Audit), at what reached
// the destination (Written) and at the requests (Ledger). Where the behaviour
// of the real API is not known, Choices says what was chosen, and lets tests
// choose otherwise.
//
// # As a person
//
// A request with the header
//
//	X-Simulator-User: ui; Jane Doe <jane@example.com>
//
// counts as made by that user from that source (ui, api, connector, stack,
// system, sso) in the audit log and in the ledger.
//
// # Outcomes of invoke
//
// The data says what the destination does with it. A record may hold
//
//	"_simulate": {"statusCode": 422, "code": "invalid", "message": "no such sku"}
//	"_simulate": {"ignored": true}
//	"_simulate": {"id": 4711, "json": {"_raw": "done"}}
//
// see RecordScript; without it the record is written and answered with 200.
// The settings may hold
//
//	"_simulate": {"statusCode": 422, "errors": [{"code": "closed", "message": "…"}], "written": 2}
//
// see CallScript, and the call fails as a whole.
//
// # Faults
//
// A Rule names requests (account, method, path, route, source, n-th), a phase,
// before or after the request is applied, and an Action. Rules count how often
// they matched and fired.
//
// # Admin interface
//
// AdminHandler takes and answers JSON. It is meant for loopback and asks for no
// credentials; it never shows a token.
//
//	GET    /healthz
//	GET    /accounts                                     all accounts
//	POST   /accounts                                     AccountSpec
//	GET    /accounts/{account}
//	DELETE /accounts/{account}
//	POST   /accounts/{account}/tokens                    Token
//	POST   /accounts/{account}/tokens/revoke             {"token"}
//	POST   /accounts/{account}/connections               Connection
//	DELETE /accounts/{account}/connections/{id}
//	POST   /accounts/{account}/flows                     Flow, replaces the one with its id
//	DELETE /accounts/{account}/flows/{id}
//	GET    /accounts/{account}/imports                   as stored, secrets masked
//	POST   /accounts/{account}/imports                   seeds a document; answers {"_id"}
//	GET    /accounts/{account}/imports/{id}/written      {"count", "records"} that reached the destination
//	GET    /accounts/{account}/recycle-bin
//	POST   /accounts/{account}/recycle-bin/{id}/restore
//	GET    /choices
//	PATCH  /choices                                      the fields of Choices to change
//	PUT    /rate                                         {"requestsPerSecond", "burst"}
//	GET    /rules                                        with matched and fired
//	POST   /rules                                        Rule; answers {"id"}
//	DELETE /rules
//	DELETE /rules/{id}
//	POST   /rules/{id}/release                           lets go what the rule holds
//	GET    /ledger?account=&method=&route=&path=&id=&source=&applied=&status=&after=
//	DELETE /ledger
//	POST   /reset                                        no accounts, rules, ledger; default choices
package simulator
