// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package account has the state of every Account in use: its client, which all share that call in
// its name, whether it can be used, and what was observed in it last. The Account controller
// reports to the Registry what it read and checked; the other controllers get a Session from it.
// What several Accounts with one token share is in package shared.
//
// What an event makes of an account is decided by transition, which is pure. The Registry holds the
// lock, applies the transition, and carries out its actions.
package account

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Options say how accounts are called, and whose imports are managed.
type Options struct {
	// Network says how the API is called; it has neither base URL nor token.
	Network integrator.Config
	// Owner decides what the ownership markers say.
	Owner ownership.Owner
	// ScanPatience is how long no scan may reach its end at least, before that is reported; 0 is
	// DefaultScanPatience.
	ScanPatience time.Duration
	// Permits is how many Imports may make calls at once, those of all accounts together.
	Permits int
	// Share is which part of an account's limits this operator uses; 0 is all.
	Share float64
	// Has says which Imports this operator reconciles, nil all: the others are not handed over.
	Has func(client.Object) bool
}

// Registry has the accounts of the process. It is safe for concurrent use.
type Registry struct {
	// ctx ends what waits to send an event.
	ctx     context.Context
	reader  client.Reader
	clock   clock.Clock
	options Options

	accountEvents, importEvents, runEvents, permitEvents chan ctrlevent.GenericEvent

	// pool has what Accounts with one token share.
	pool *shared.Pool

	// Permits says which Imports make their calls.
	Permits *limit.Permits
	// SecretPaths are those of the Imports of all accounts.
	SecretPaths SecretPaths

	mu    sync.Mutex
	byKey map[types.NamespacedName]*entry
	slots map[string]slots // by namespace
	// checks are those under way, by namespace; waitingChecks are the Accounts that wait for one to end.
	checks        *limit.Shares[string]
	waitingChecks []types.NamespacedName
}

// entry is an account's state with what the actions of its transitions work on. Registry.mu guards
// it, except for member and observations, which guard themselves.
type entry struct {
	state state
	// member is the account among those with its token; nil before there was one.
	member       *shared.Member
	observations *Observations
	// slot is when its token may be checked, if that has to wait.
	slot time.Time
}

// NewRegistry returns an empty registry whose scanners end with ctx. reader reads Kubernetes objects
// from the cache.
func NewRegistry(ctx context.Context, reader client.Reader, clock clock.Clock, options Options) *Registry {
	if options.ScanPatience == 0 {
		options.ScanPatience = DefaultScanPatience
	}
	if options.Share == 0 {
		options.Share = 1
	}
	r := &Registry{
		ctx:           ctx,
		reader:        reader,
		clock:         clock,
		options:       options,
		pool:          shared.NewPool(ctx, clock),
		accountEvents: make(chan ctrlevent.GenericEvent),
		importEvents:  make(chan ctrlevent.GenericEvent),
		runEvents:     make(chan ctrlevent.GenericEvent),
		permitEvents:  make(chan ctrlevent.GenericEvent),
		byKey:         map[types.NamespacedName]*entry{},
		slots:         map[string]slots{},
		checks:        limit.NewShares[string](MaxChecks),
	}
	r.Permits = limit.NewPermits(options.Permits, func(object limit.Object) {
		r.send(r.permitEvents, importObject(types.NamespacedName(object)))
	})
	go r.Permits.Run(ctx)
	return r
}

func (r *Registry) newEntry(key types.NamespacedName) *entry {
	e := &entry{observations: NewObservations(r.options.Owner)}
	e.observations.demand = func() { r.demandList(key) }
	return e
}

// demandList has the whole list of the account read at once.
func (r *Registry) demandList(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.byKey[key]; ok {
		e.member.DemandList()
	}
}

// unverified reports whether the credential of an account may be of another one than before.
func (r *Registry) unverified(key types.NamespacedName) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	return ok && e.state.unverified
}

// Session returns what a reconcile needs to work in the account, or, as a problem, why it cannot:
// there is no Account (AccountNotFound), or it cannot be used (AccountNotReady).
func (r *Registry) Session(ctx context.Context, namespace, name string) (*Session, error) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	var object v1alpha1.Account
	if err := r.reader.Get(ctx, key, &object); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		return nil, problem.Terminalf(v1alpha1.ReasonAccountNotFound,
			"there is no Account %q in namespace %q: create it", name, namespace)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	if !ok {
		return nil, problem.Waitingf(v1alpha1.ReasonAccountNotReady, "Account %q has not been checked yet", name)
	}
	if cause := e.state.blocked; cause != nil {
		return nil, problem.New(cause.AsDependency(), v1alpha1.ReasonAccountNotReady,
			"Account \""+name+"\" is not ready: "+cause.Error()).WithCause(cause)
	}
	session := e.session(key)
	session.Deleting = !object.DeletionTimestamp.IsZero()
	session.ShowsForeignValues = object.Spec.ForeignValues == v1alpha1.ForeignValuesShown
	return session, nil
}

// Unusable reports whether the Account is known to do nothing for its Imports: there is none, or it is
// blocked. One that was not checked yet may be usable.
func (r *Registry) Unusable(ctx context.Context, key types.NamespacedName) bool {
	if err := r.reader.Get(ctx, key, &v1alpha1.Account{}); err != nil {
		return apierrors.IsNotFound(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	return ok && e.state.blocked != nil
}

// LastSession returns what is left of an account whose Secret was deleted: the client with the token
// that worked until then, for deletions alone. It is nil when there is none, as after a restart.
// deleting reports whether the Account is being deleted.
func (r *Registry) LastSession(key types.NamespacedName) (last *Session, deleting bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	if !ok {
		return nil, false
	}
	if e.state.lastSession() {
		last = e.session(key)
	}
	return last, e.state.deleting
}

func (e *entry) session(key types.NamespacedName) *Session {
	s := &e.state
	session := &Session{
		Key: key, Client: s.client, Aliases: s.aliases, Observations: e.observations, UserID: s.userID,
		Unverified: s.unverified, Changed: s.changed, Scanned: s.scanned(), Overdue: s.overdue,
	}
	if s.scan != nil {
		session.ScanProblem = s.scan.Problem
	}
	return session
}

// Configure brings the account's client in line with the spec, the token and the trust. It returns the
// client if its token has to be checked: it is new, or the account is blocked. It fails if the base URL
// or the token cannot be used.
func (r *Registry) Configure(key types.NamespacedName, spec *v1alpha1.AccountSpec, token string, trust Trust) (unchecked *integrator.Client, err error) {
	settings := configured{
		credential: shared.NewKey(spec.BaseURL, token, trust.Version),
		aliases:    maps.Clone(spec.Aliases),
		interval:   ScanInterval(spec),
		limits:     shared.Limits{RequestsPerSecond: float64(spec.RequestsPerSecond), MaxInFlight: spec.MaxInFlight}.Share(r.options.Share),
		now:        r.clock.Now(),
	}
	r.mu.Lock()
	e, ok := r.byKey[key]
	if !ok {
		e = r.newEntry(key)
	}
	if err := r.join(key, e, spec, token, trust, settings); err != nil {
		r.mu.Unlock()
		return nil, err
	}
	settings.client = e.member.Client()
	r.byKey[key] = e
	do := r.advance(key, e, settings)
	if !e.state.usable() {
		unchecked = e.state.client
	}
	r.mu.Unlock()
	r.notify(key, e.observations, do)
	return unchecked, nil
}

// join makes the account a member of those with its credential, if that is another than before.
func (r *Registry) join(key types.NamespacedName, e *entry, spec *v1alpha1.AccountSpec, token string, trust Trust, settings configured) error {
	if !e.state.needsClient(settings.credential) {
		return nil
	}
	member, err := r.pool.Join(settings.credential, settings.limits, e.member, metrics.ObserveRequest(key), func(limiter *limit.Limiter) (*integrator.Client, error) {
		config := r.options.Network
		config.BaseURL, config.Token, config.AccountCAs, config.Limiter = spec.BaseURL, token, trust.Roots, limiter
		return integrator.New(config)
	})
	if err != nil {
		return err
	}
	e.member.Leave()
	e.member = member
	metrics.ServePermits(key, func() metrics.Permits { return metrics.Permits(member.Usage()) })
	e.observations.NewCredential()
	return nil
}

// TokenAccepted makes the account usable and has it scanned. version is that of the credential,
// for the Account's status. otherCredential is set when the managed imports were last found with
// another one: the token may be of another account.
func (r *Registry) TokenAccepted(key types.NamespacedName, userID, version string, otherCredential bool) {
	r.apply(key, tokenAccepted{userID: userID, version: version, otherCredential: otherCredential})
}

// Block stops all calls for the account. Those that wait for it are told why.
func (r *Registry) Block(key types.NamespacedName, p *problem.Problem) {
	r.mu.Lock()
	e, ok := r.byKey[key]
	if !ok {
		e = r.newEntry(key)
		r.byKey[key] = e
	}
	do := r.advance(key, e, blocked{problem: p})
	r.mu.Unlock()
	r.notify(key, e.observations, do)
}

// TokenRejected reports that a call of the session was answered with 401. It holds for every Account
// with the same token.
func (r *Registry) TokenRejected(s *Session, p *problem.Problem) {
	r.mu.Lock()
	e, ok := r.byKey[s.Key]
	if !ok || e.state.client != s.Client {
		r.mu.Unlock()
		return
	}
	do := r.advance(s.Key, e, tokenRejected{client: s.Client, problem: p, now: r.clock.Now()})
	tell := r.rejectShared(s.Key, e)
	r.mu.Unlock()
	r.notify(s.Key, e.observations, do)
	tell()
}

// rejectShared takes the other Accounts with the token of an account through the rejection. Registry.mu
// is held; tell notifies without it.
func (r *Registry) rejectShared(key types.NamespacedName, e *entry) (tell func()) {
	var tells []func()
	for other, o := range r.byKey {
		if other == key || o.state.client == nil || o.state.credential != e.state.credential {
			continue
		}
		do := r.advance(other, o, tokenRejected{client: o.state.client, problem: errRejected, now: r.clock.Now()})
		tells = append(tells, func() { r.notify(other, o.observations, do) })
	}
	return func() {
		for _, tell := range tells {
			tell()
		}
	}
}

// Unanswered reports that a call of the session had no answer, or was refused because several in a row had
// none.
func (r *Registry) Unanswered(s *Session, p *problem.Problem) {
	if errors.Is(p, integrator.ErrUnanswered) {
		r.apply(s.Key, unanswered{client: s.Client, cause: p.Unwrap(), now: r.clock.Now()})
	}
}

// SetDeleting records whether the Account is being deleted.
func (r *Registry) SetDeleting(key types.NamespacedName, deleting bool) {
	r.apply(key, deletionChanged{deleting: deleting})
}

// Forget drops an Account that was deleted, or may be.
func (r *Registry) Forget(key types.NamespacedName) {
	r.mu.Lock()
	e, ok := r.byKey[key]
	if !ok {
		e = r.newEntry(key)
	}
	if e.slot.After(r.clock.Now()) {
		r.slots[key.Namespace] = r.slots[key.Namespace].giveBack()
	}
	do := r.advance(key, e, removed{})
	e.member.Leave()
	delete(r.byKey, key)
	r.mu.Unlock()
	r.notify(key, e.observations, do)
}

// apply takes a known account through an event.
func (r *Registry) apply(key types.NamespacedName, ev event) {
	r.mu.Lock()
	e, ok := r.byKey[key]
	if !ok {
		r.mu.Unlock()
		return
	}
	do := r.advance(key, e, ev)
	r.mu.Unlock()
	r.notify(key, e.observations, do)
}

// advance applies an event and carries out those actions that need the lock, which is held.
func (r *Registry) advance(key types.NamespacedName, e *entry, ev event) actions {
	after, do := transition(e.state, ev)
	e.state = after
	if do.stop {
		e.member.Unwatch()
	}
	if do.setLimits {
		e.member.SetLimits(after.limits)
	}
	if do.setPace {
		e.member.SetPace(r.pace(after.interval))
	}
	if do.start {
		e.member.Watch(r.watcher(key, e), r.pace(after.interval))
	}
	return do
}

// Summary is what the Account's status shows of an account whose token was accepted.
type Summary struct {
	// Scan is the outcome of the last scan, nil when there is none.
	Scan *Scan
	// Version is that of the credential, "" while it is unverified.
	Version string
	// Problem is why the Account is not Ready, nil when it is.
	Problem *problem.Problem
}

// Summary returns what the Account's status shows; of an Account that is not known, nothing.
func (r *Registry) Summary(key types.NamespacedName) Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	if !ok {
		return Summary{}
	}
	summary := Summary{Scan: e.state.scan, Version: e.state.version, Problem: e.state.notReady()}
	if e.state.unverified {
		summary.Version = ""
	}
	return summary
}

// ScanInterval reads the scan interval, such as 60s; the CRD's pattern admits no other form.
func ScanInterval(spec *v1alpha1.AccountSpec) time.Duration {
	parsed, err := time.ParseDuration(spec.ScanInterval)
	if err != nil || parsed <= 0 {
		return time.Minute
	}
	return parsed
}
