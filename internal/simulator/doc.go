// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package simulator simulates the part of the integrator.io API that is about imports: an HTTP server
// that answers like the real one, oddities included, keeps a ledger of its requests, and fails on
// demand.
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
//	defer sim.Close() // runs first: ends the delays of fault rules
//
// A test can seed imports (SeedImport), act as another user (EditAs, DeleteAs), and inspect what is
// stored (Import, Imports, RecycleBin, Audit), what reached the destination (Written) and the requests
// (Ledger). Where the behaviour of the real API is not known, Choices documents what was chosen, and
// lets tests choose differently.
//
// # As a person
//
// A request with the header
//
//	X-Simulator-User: ui; Jane Doe <jane@example.com>
//
// is that user's, from that source (ui, api, connector, stack, system, sso), in the audit log and in
// the ledger.
//
// # Outcomes of invoke
//
// The data says what the destination does with it. A record may have
//
//	"_simulate": {"statusCode": 422, "code": "invalid", "message": "no such sku"}
//	"_simulate": {"ignored": true}
//	"_simulate": {"id": 4711, "json": {"_raw": "done"}}
//
// see RecordScript. Without it the record is written and answered with 200. The settings may have
//
//	"_simulate": {"statusCode": 422, "errors": [{"code": "closed", "message": "…"}], "written": 2}
//
// and the call fails as a whole, see CallScript.
//
// # Faults
//
// A Rule selects requests (by account, method, path, route, source and number), a phase, before or
// after the request is applied, and an Action. Rules count how often they matched and fired.
//
// # Packages
//
//	admin         the admin interface
//	simulator     accounts, endpoints, and the way of a request through the server
//	seed          what accounts start with, and sample documents of every kind of import
//	destination   what happens to the records of an invocation
//	fault         rules that make requests fail
//	ledger        the requests
//	corpus        documents that are generated from the table of fields
//	document      defaults, validation, secrets, projection and comparison of documents
//	choices       what was chosen where the real behaviour is not known
//	wire          responses, errors and pages
//
// Each imports only those below it.
//
// # Admin interface
//
// The package admin serves the same over HTTP, in JSON. It is meant for loopback and needs no
// credentials. It never shows a token.
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
//	POST   /rules/{id}/release                           lets the requests that the rule delays continue
//	GET    /ledger?account=&method=&route=&path=&id=&source=&applied=&status=&after=
//	DELETE /ledger
//	POST   /reset                                        no accounts, rules, ledger; default choices
package simulator

import (
	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/destination"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/fault"
	"github.com/integrator-operator/integrator-operator/internal/simulator/ledger"
	"github.com/integrator-operator/integrator-operator/internal/simulator/seed"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// The types of the packages below, so that users of the simulator need only this one.

type (
	// AccountSpec is that of package seed.
	AccountSpec = seed.AccountSpec
	// Action is that of package fault.
	Action = fault.Action
	// ActionKind is that of package fault.
	ActionKind = fault.ActionKind
	// CallScript is that of package destination.
	CallScript = destination.CallScript
	// Choices is that of package choices.
	Choices = choices.Choices
	// Connection is that of package seed.
	Connection = seed.Connection
	// Document is that of package document.
	Document = document.Document
	// Entry is that of package ledger.
	Entry = ledger.Entry
	// ErrorDetail is that of package wire.
	ErrorDetail = wire.ErrorDetail
	// FieldChange is that of package document.
	FieldChange = document.FieldChange
	// Filter is that of package ledger.
	Filter = ledger.Filter
	// Fixture is that of package seed.
	Fixture = seed.Fixture
	// Flow is that of package seed.
	Flow = seed.Flow
	// Phase is that of package fault.
	Phase = fault.Phase
	// RecordScript is that of package destination.
	RecordScript = destination.RecordScript
	// Rule is that of package fault.
	Rule = fault.Rule
	// Seed is that of package seed.
	Seed = seed.Seed
	// Token is that of package seed.
	Token = seed.Token
	// User is that of package seed.
	User = seed.User
)

// ScriptKey is destination.ScriptKey.
const ScriptKey = destination.ScriptKey

// The phases and actions of fault rules.
const (
	PhaseBefore = fault.PhaseBefore
	PhaseAfter  = fault.PhaseAfter

	ActionAnswer   = fault.ActionAnswer
	ActionReset    = fault.ActionReset
	ActionHang     = fault.ActionHang
	ActionLatency  = fault.ActionLatency
	ActionDrip     = fault.ActionDrip
	ActionEndless  = fault.ActionEndless
	ActionTruncate = fault.ActionTruncate
	ActionGarbage  = fault.ActionGarbage
	ActionRedirect = fault.ActionRedirect
	ActionOversize = fault.ActionOversize
	ActionOtherID  = fault.ActionOtherID
	ActionFields   = fault.ActionFields
)

// The values of choices.
const (
	UnknownFieldsKeep        = choices.UnknownFieldsKeep
	UnknownFieldsDrop        = choices.UnknownFieldsDrop
	UnknownFieldsDropAll     = choices.UnknownFieldsDropAll
	UnknownFieldsReject      = choices.UnknownFieldsReject
	AssistantMetadataReplace = choices.AssistantMetadataReplace
	AssistantMetadataIgnore  = choices.AssistantMetadataIgnore
	AssistantMetadataErase   = choices.AssistantMetadataErase
	CloneAnswerDocument      = choices.CloneAnswerDocument
	CloneAnswerReference     = choices.CloneAnswerReference
	CloneAnswerBare          = choices.CloneAnswerBare
	AnswerEmpty              = choices.AnswerEmpty
	AnswerDocument           = choices.AnswerDocument
	NewestFirst              = choices.NewestFirst
	OldestFirst              = choices.OldestFirst
)

// DefaultChoices returns the choices that a new simulator starts with.
func DefaultChoices() Choices { return choices.Default() }

// The functions of the package seed.
var (
	ReadSeed           = seed.Read
	Fixtures           = seed.Fixtures
	FixtureConnections = seed.FixtureConnections
)
