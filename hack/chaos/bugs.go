// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// bug is a fault that is put into the manager, to see that the campaign finds it.
type bug struct {
	name string
	// what a programmer may have thought.
	what string
	// edits put it into the code. scenarios are where it is looked for.
	edits     []edit
	scenarios []string
}

// edit replaces a piece of a file, which has to be there exactly once.
type edit struct{ file, old, new string }

// bugs are known from other operators, or lie near.
var bugs = []bug{
	{"no-intent", "the finalizer alone is put down before an import is created", []edit{
		{"controllers/import_create.go", `		v1alpha1.AnnotationCreatePending: string(value), v1alpha1.AnnotationID: nil,
`, `		"example.com/nothing": string(value), v1alpha1.AnnotationID: nil,
`},
		{"controllers/import_create.go", `	pending, _ := intentOf(s.object, r.Clock.Now())
	kept := context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(kept, pending.callUntil(r.CreateUnconfirmedTimeout).Sub(r.Clock.Now()))
`, `	kept := context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(kept, r.CreateUnconfirmedTimeout/2)
`},
	}, []string{"create"}},
	{"id-only-in-status", "the id of a created import is kept in the status, which is enough", []edit{
		{"controllers/import_create.go", `		annotations: map[string]any{v1alpha1.AnnotationID: s.id, v1alpha1.AnnotationCreatePending: nil},
`, `		annotations: map[string]any{v1alpha1.AnnotationCreatePending: nil},
`},
	}, []string{"create"}},
	{"create-without-grace", "what is not in the list was not created", []edit{
		{"controllers/import_policy.go", `return pending.Time.Add(k.grace).Sub(k.at)`, `return pending.Time.Sub(k.at)`},
	}, []string{"create", "clone"}},
	{"create-retried", "a failed creation is tried again at once", []edit{
		{"controllers/import_create.go", `created, err := s.session.client.CreateImport(ctx, body)`, "created, err := s.session.client.CreateImport(ctx, body)\n\tif err != nil {\n\t\tcreated, err = s.session.client.CreateImport(ctx, body)\n\t}"},
	}, []string{"create"}},
	{"finalizer-first", "the finalizer is taken away, then the import is deleted", []edit{
		{"controllers/import_delete.go", `	err = s.session.client.DeleteImport(ctx, s.id)
`, `	if err := r.release(ctx, s); err != nil {
		return err
	}
	err = s.session.client.DeleteImport(ctx, s.id)
`},
	}, []string{"delete"}},
	{"orphan-deleted", "deletionPolicy is not looked at", []edit{
		{"controllers/import_policy.go", `object.Spec.DeletionPolicy == v1alpha1.DeletionPolicyOrphan || observing(object)`, `observing(object)`},
	}, []string{"orphan"}},
	{"undeclared-dropped", "the definition is written as it is declared", []edit{
		{"controllers/import_sync.go", `if err := r.write(ctx, s, calls[0], remote, released); err != nil {`, `if err := r.write(ctx, s, calls[0], s.desired.document, released); err != nil {`},
	}, []string{"adopt", "clone"}},
	{"mark-not-looked-for", "the mark is not asked for after a lost answer", []edit{
		{"controllers/import_policy.go", `return isMarked(object, document) ||
		document.ExternalID == pending.ExternalID &&`, `return document.ExternalID == "nobody" &&`},
	}, []string{"create"}},
	{"redirects-followed", "the HTTP client's default is fine", []edit{
		{"internal/integrator/request.go", `resp, err := transport.RoundTrip(req)`, `resp, err := (&http.Client{Transport: transport}).Do(req)`},
		{"internal/integrator/request.go", `		req.Body = io.NopCloser(bytes.NewReader(body))
`, `		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
`},
	}, []string{"create", "run"}},
	{"idempotency-header", "an Idempotency-Key does no harm, and connections are kept", []edit{
		{"internal/integrator/transport.go", `	fresh.DisableKeepAlives = true
	return kept, fresh`, `	return kept, kept`},
		{"internal/integrator/request.go", `		req.Body = io.NopCloser(bytes.NewReader(body))
`, `		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Header.Set("Idempotency-Key", "always")
`},
	}, []string{"create", "run"}},
	{"pause-ignored", "Retry-After is a suggestion", []edit{
		{"internal/integrator/request.go", `		c.limiter.pause(failed.RetryAfter) // before the body, which may be slow
`, ``},
	}, []string{"run", "create"}},
	{"claim-after-send", "a run is claimed when it was sent", []edit{
		{"controllers/importrun_controller.go", `	granted, err := r.claim(ctx, s, next)
	if err != nil {
		return nil, err
	}
	return r.invoke(ctx, s, turn, granted), nil
`, `	next.Started = r.Clock.Now()
	next.Deadline = next.Started.Add(timeLimit(s.object))
	came := r.invoke(ctx, s, turn, next)
	granted, err := r.claim(ctx, s, next)
	if err != nil {
		return nil, err
	}
	came.token = granted.Token
	return came, nil
`},
	}, []string{"run"}},
	{"unknown-retried", "a lost answer is an error as any other", []edit{
		{"controllers/importrun_policy.go", `case call.fate == fateUnknown && run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry:`, `case call.fate == fateUnknown:`},
	}, []string{"run"}},
	{"unknown-succeeded", "an answer that cannot be read was an answer", []edit{
		{"controllers/importrun_judge.go", `	case !knownNotApplied(err):
		return verdict{fate: fateUnknown,`, `	case !knownNotApplied(err):
		counts.Succeeded = counts.Total
		return verdict{fate: fateAnswered,`},
	}, []string{"run"}},
	{"secrets-cached", "the client that is there writes Secrets too", []edit{
		{"controllers/importrun_answers.go", `err := r.Create(ctx, secret, notCached)`, `err := r.Create(ctx, secret)`},
	}, []string{"keyed"}},
	{"token-logged", "the log helps to find faults", []edit{
		{"controllers/account.go", `	rate, inFlight := float64(spec.RequestsPerSecond), int(spec.MaxInFlight)
`, `	rate, inFlight := float64(spec.RequestsPerSecond), int(spec.MaxInFlight)
	log.FromContext(a.ctx).Info("account", "token", token)
`},
		{"controllers/account.go", `	"sigs.k8s.io/controller-runtime/pkg/event"
`, `	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
`},
	}, []string{"create"}},
}
