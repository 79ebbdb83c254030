// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package mutant

// resendable lets net/http send a body a second time.
const resendable = `$0
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }`

// All are mistakes that other operators have made, or that are easy to make.
var All = []Mutant{
	{"no-intent", "the finalizer is enough before an import is created", []Edit{
		{Package: "controllers/imports", Function: "effects.writeIntent", Find: Key("AnnotationCreatePending"), With: `"example.com/nothing"`},
		{Package: "controllers/imports", Function: "effects.Create", Find: Statement(Call("ParseIntent")), With: `_ = now`},
		{Package: "controllers/imports", Function: "effects.Create", Find: Call("Sub"), With: `e.r.CreateUnconfirmedTimeout / 2`},
	}, []string{"create"}},
	{"marker-trusted", "what was created with the ownership marker is found by it for ever", []Edit{
		{Package: "controllers/imports", Function: "effects.keepID", Find: FirstStatement(), With: `return nil
	$0`},
	}, []string{"unmarked"}},
	{"create-without-grace", "an import that is not in the list was not created", []Edit{
		{Package: "internal/importstate", Function: "Pass.timeLeft", Find: Call("Add"), With: `$recv`},
	}, []string{"create", "clone"}},
	{"create-retried", "a failed creation can be retried at once", []Edit{
		{Package: "controllers/imports", Function: "effects.post", Find: Statement(Call("CreateImport")), With: `$0
	if err != nil {
		created, err = s.session.Client.CreateImport(ctx, body)
	}`},
	}, []string{"create"}},
	{"finalizer-first", "the finalizer is removed, then the import is deleted", []Edit{
		{Package: "controllers/imports", Function: "Reconciler.deleteRemote", Find: Statement(Call("DeleteImport")), With: `if err := r.objects().release(ctx, s); err != nil {
		return integrator.OutcomeNotApplied, err
	}
	$0`},
	}, []string{"delete"}},
	{"orphan-deleted", "deletionPolicy can be ignored", []Edit{
		{Package: "internal/importstate", Function: "BeginDeletion", Find: Comparison("DeletionPolicyOrphan"), With: `false`},
	}, []string{"orphan"}},
	{"undeclared-dropped", "the definition is written as it is declared", []Edit{
		{Package: "internal/importstate", Function: "Comparison.Merged", Find: Argument("Merge", 3), With: `c.Desired.Document`},
	}, []string{"adopt", "clone"}},
	{"marker-not-searched", "after a lost response there is no import with the marker", []Edit{
		{Package: "internal/ownership", Function: "Owner.IsCandidate", Find: FirstStatement(), With: `return false
	$0`},
		{Package: "controllers/imports", Function: "Reconciler.locate", Find: Call("Created"), With: `nil`},
	}, []string{"create"}},
	{"clone-taken", "only the operator writes ownership markers", []Edit{
		{Package: "internal/ownership", Function: "Owner.IsForeignClone", Find: FirstStatement(), With: `return false
	$0`},
	}, []string{"cloned"}},
	{"namesake-ignored", "names are not unique, so they say nothing", []Edit{
		{Package: "controllers/imports", Function: "objects.requireNoNamesake", Find: FirstStatement(), With: `return nil`},
	}, []string{"namesake"}},
	{"singles-count", "a scan is a scan, whatever it has read", []Edit{
		{Package: "internal/account", Function: "Observations.ScannedFor", Find: FirstStatement(), With: `$0
	o.outdated = false`},
	}, []string{"crowded"}},
	{"claim-unconfirmed", "nobody else claims what no other Import in the cache has", []Edit{
		{Package: "controllers/imports", Function: "effects.ListRivals", Find: FirstStatement(), With: `return nil, nil
	$0`},
	}, []string{"adopt-many"}},
	{"claim-dropped", "an import that is taken over needs no claim any more", []Edit{
		{Package: "internal/ownership", Function: "claims", Find: Statement(Call("IsZero")), With: `return object.DeletionTimestamp.IsZero() && object.Annotations[v1alpha1.AnnotationAdoptPending] == id`},
	}, []string{"adopt-many"}},
	{"rivals-of-one-namespace", "of the namespaces that are watched, one is enough", []Edit{
		{Package: "internal/watch", Function: "limitedReader.List", Find: Mention("namespaces"), With: `$0[:1]`},
	}, []string{"adopt-sharded"}},
	{"claimed-anew", "who has withdrawn a claim may claim again at once", []Edit{
		{Package: "controllers/imports", Function: "withdrawals.of", Find: FirstStatement(), With: `return nil
	$0`},
	}, []string{"adopt-sharded"}},
	{"adoption-untouched", "nobody takes annotations away between two writes of an adoption", []Edit{
		{Package: "internal/ownership", Function: "recordsAdoption", Find: FirstStatement(), With: `return false
	$0`},
		{Package: "internal/ownership", Function: "leftID", Find: FirstStatement(), With: `return ""
	$0`},
	}, []string{"adopt-sharded"}},
	{"observed-annotated", "the id in the metadata says enough about who has an import", []Edit{
		{Package: "controllers/imports", Function: "effects.TakeOver", Find: Call("OnlyObserved"), With: `false`},
	}, []string{"adopt-observed"}},
	{"moved-begun-anew", "an Import that comes from another operator has no remote import", []Edit{
		{Package: "controllers/imports", Function: "Reconciler.locate", Find: FirstStatement(), With: `if r.Selection.Arrived(s.object) {
		delete(s.object.Annotations, v1alpha1.AnnotationCreatePending)
	}
	$0`},
	}, []string{"relabelled"}},
	{"redirects-followed", "the HTTP client's default is fine", []Edit{
		{Package: "internal/integrator", Function: "Client.send", Find: Call("RoundTrip"), With: `(&http.Client{Transport: $recv}).Do($1)`},
		{Package: "internal/integrator", Function: "Client.request", Find: Assignment("Body"), With: resendable},
	}, []string{"create", "run"}},
	{"idempotency-header", "an Idempotency-Key does no harm, and connections are kept", []Edit{
		{Package: "internal/integrator", Function: "newTransports", Find: Assignment("DisableKeepAlives"), With: `fresh = kept`},
		{Package: "internal/integrator", Function: "Client.request", Find: Assignment("Body"), With: resendable + `
		req.Header.Set("Idempotency-Key", "always")`},
	}, []string{"create", "run"}},
	{"pause-ignored", "Retry-After is a suggestion", []Edit{
		{Package: "internal/integrator", Function: "Client.answer", Find: Statement(Call("Pause")), With: ``},
	}, []string{"run", "create"}},
	{"claim-after-send", "a run is claimed when it was sent", []Edit{
		{Package: "internal/runstate", Function: "Pass.takeClaim", Find: Statement(Call("WriteClaim")), With: `sent := p.invoke(ctx, e)
	$0
	if err == nil {
		sent.Run = run
		return sent, nil
	}`},
	}, []string{"run"}},
	{"claim-believed", "only the operator writes claims", []Edit{
		{Package: "internal/runstate", Function: "Decide", Find: Call("disproved"), With: `""`},
	}, []string{"forged"}},
	{"unknown-retried", "a lost response is an error as any other", []Edit{
		{Package: "internal/runstate", Function: "sendAgain", Find: Comparison("UnknownOutcomeRetry"), With: `true`},
		// What the status shows of the call stops it otherwise.
		{Package: "internal/runstate", Function: "disproved", Find: Comparison("UnknownOutcomeRetry"), With: `false`},
	}, []string{"run"}},
	{"unknown-succeeded", "a response that cannot be read was a response", []Edit{
		{Package: "internal/runstate", Function: "Judge", Find: Statement(Call("lostBecause")), With: `counts.Succeeded = counts.Total
		return Verdict{Outcome: integrator.OutcomeApplied, Records: counts}`},
	}, []string{"run"}},
	{"key-given-on", "a run that has failed leaves its key to the next", []Edit{
		{Package: "internal/runstate", Function: "JudgeData", Find: FirstStatement(), With: `return Outcome{}, false`},
	}, []string{"repeated"}},
	{"lease-kept", "the lease is released when all work is done", []Edit{
		{Package: ".", Function: "serve", Find: Call("Start"), With: `$recv.Start(func() context.Context {
		done, stop := context.WithCancel(context.WithoutCancel($1))
		go func() {
			defer stop()
			<-$1.Done()
			_ = calls.Drain(context.Background())
		}()
		return done
	}())`},
	}, []string{"rollout"}},
	{"calls-cut-off", "what the controllers have begun ends with them", []Edit{
		{Package: ".", Function: "run", Find: Call("Drain"), With: `limited.Err()`},
	}, []string{"rollout", "lease-lost"}},
	{"secrets-cached", "the client that exists can write Secrets too", []Edit{
		{Package: "controllers/importruns", Function: "work.reserveResponses", Find: Call("Create"), With: `$fun($1, $2)`},
	}, []string{"keyed"}},
	{"token-logged", "the log helps to find faults", []Edit{
		{Package: "internal/account", Function: "Registry.Configure", Find: FirstStatement(), With: `log.FromContext(r.ctx).Info("account", "token", token)
	$0`, Imports: []string{"sigs.k8s.io/controller-runtime/pkg/log"}},
	}, []string{"create"}},
}
