// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Accounts is what the process holds for every Account in use: its client, shared by all
// that call in its name, and what its scanner saw last. The Account controller fills it,
// the other controllers ask it for a session.
type Accounts struct {
	// ctx ends the scanners.
	ctx    context.Context
	reader client.Reader
	clock  clock.Clock

	allowHTTP, allowPrivate bool

	// Events to the controllers: an Account that has to be looked at, and, for Import and
	// ImportRun, the Account or the Import that changed.
	accountEvents, importEvents, runEvents chan event.GenericEvent

	mu    sync.Mutex
	byKey map[types.NamespacedName]*account
}

// account is the state of one Account. Fields are guarded by Accounts.mu, but for
// observed, which guards itself.
type account struct {
	client     *integrator.Client
	limiter    *integrator.Limiter
	credential [sha256.Size]byte
	ids        map[string]v1alpha1.ID
	interval   time.Duration
	observed   *observations
	// since is when the process began to work with the account.
	since time.Time

	// userID is whose token it is.
	userID string

	// version is that of the credential, as status keeps it. It is doubted to be of the same
	// account as before until a scan has found a managed import; trusted is the credential
	// that is not.
	version string
	doubted bool
	trusted [sha256.Size]byte
	// rejections counts the calls in a row that got 401 although the token's check did not;
	// the next check waits until retryAt.
	rejections int
	retryAt    time.Time

	// blocked is why no call can be made; nil when the token was accepted.
	blocked *problem
	// accepted tells that the API took the client's token, and has not rejected it since.
	accepted bool
	// leaving tells that the Account is being deleted.
	leaving bool
	// scan is the outcome of the last scan, nil before the first.
	scan        *scanSummary
	stopScanner context.CancelFunc
}

// session is a usable account: what one reconcile works with.
type session struct {
	key      types.NamespacedName
	client   *integrator.Client
	ids      map[string]v1alpha1.ID
	observed *observations
	// userID is whose token it is, as the audit log names the operator's own calls.
	userID string
	// doubted tells that this may be another account than before; scanned, that a scan with
	// this token has ended. since is when the process began to work with the account.
	doubted, scanned bool
	since            time.Time
	// leaving tells that the Account is being deleted: it serves what it has, and gets
	// nothing new.
	leaving bool
}

// Causes of a blocked account that nobody but its user can end.
var (
	errSecretGone   = errors.New("the Secret is gone")
	errTokenRevoked = errors.New("the check of the token was answered with 401")
)

// NewAccounts returns an empty registry whose scanners end with ctx. reader is the cached
// reader of Kubernetes objects. allowHTTP and allowPrivate are those of Options.
func NewAccounts(ctx context.Context, reader client.Reader, clock clock.Clock, allowHTTP, allowPrivate bool) *Accounts {
	return &Accounts{
		ctx:           ctx,
		reader:        reader,
		clock:         clock,
		allowHTTP:     allowHTTP,
		allowPrivate:  allowPrivate,
		accountEvents: make(chan event.GenericEvent),
		importEvents:  make(chan event.GenericEvent),
		runEvents:     make(chan event.GenericEvent),
		byKey:         map[types.NamespacedName]*account{},
	}
}

// session returns the account's client and what else a reconcile needs, or why there is
// none. exists tells whether the Account object is there.
func (a *Accounts) session(ctx context.Context, namespace, name string) (*session, error) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	var object v1alpha1.Account
	if err := a.reader.Get(ctx, key, &object); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		return nil, terminalf(reasonAccountNotFound, "there is no Account %q in namespace %q: create it, or correct accountRef", name, namespace)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	entry, ok := a.byKey[key]
	switch {
	case !ok:
		return nil, waitingf(reasonAccountNotReady, "Account %q has not been checked yet", name)
	case entry.blocked != nil:
		return nil, &problem{class: entry.blocked.class.asDependency(), reason: reasonAccountNotReady,
			message: "Account \"" + name + "\" is not ready: " + entry.blocked.Error(), cause: entry.blocked}
	}
	s := entry.session(key)
	s.leaving = !object.DeletionTimestamp.IsZero()
	return s, nil
}

func (e *account) session(key types.NamespacedName) *session {
	return &session{key: key, client: e.client, ids: e.ids, observed: e.observed, userID: e.userID,
		doubted: e.doubted, since: e.since, scanned: e.scan != nil && e.scan.problem == nil}
}

// lastSession returns what is left of an account whose Secret is gone: the client with the
// token that worked until then, for deletions alone. It is nil when there is none, as after
// a restart. leaving tells that the Account is being deleted.
func (a *Accounts) lastSession(key types.NamespacedName) (last *session, leaving bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry, ok := a.byKey[key]
	if !ok || entry.blocked == nil || !errors.Is(entry.blocked, errSecretGone) || !entry.accepted {
		return nil, ok && entry.leaving
	}
	return entry.session(key), entry.leaving
}

// mark keeps whether the Account is being deleted. When that begins, those who wait are told.
func (a *Accounts) mark(key types.NamespacedName, leaving bool) {
	a.mu.Lock()
	entry, ok := a.byKey[key]
	began := ok && leaving && !entry.leaving
	if ok {
		entry.leaving = leaving
	}
	a.mu.Unlock()
	if began {
		a.publish(key)
	}
}

// asDependency is the class for those who wait for the one with the problem: they never
// retry, its end is told to them.
func (c class) asDependency() class {
	if c == terminal {
		return terminal
	}
	return waiting
}

// configure brings the account's client in line with the spec and the token. It returns
// true when the account has to be probed: it is new, its credential changed, or it is
// blocked. When its aliases changed, those who use them are told.
func (a *Accounts) configure(key types.NamespacedName, spec *v1alpha1.AccountSpec, token string) (probe bool, err error) {
	probe, aliases, err := a.update(key, spec, token)
	if aliases {
		a.publish(key)
	}
	return probe, err
}

func (a *Accounts) update(key types.NamespacedName, spec *v1alpha1.AccountSpec, token string) (probe, aliases bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	credential := sha256.Sum256([]byte(spec.BaseURL + "\n" + token))
	rate, inFlight := float64(spec.RequestsPerSecond), int(spec.MaxInFlight)

	entry, ok := a.byKey[key]
	if !ok || entry.client == nil {
		entry = &account{since: a.clock.Now(), limiter: integrator.NewLimiter(rate, int(spec.RequestsPerSecond), inFlight), observed: newObservations()}
	}
	if entry.client == nil || entry.credential != credential {
		remote, err := integrator.New(integrator.Config{
			BaseURL: spec.BaseURL, Token: token, Limiter: entry.limiter,
			AllowHTTP: a.allowHTTP, AllowPrivate: a.allowPrivate, Observer: observeRequest(key),
		})
		if err != nil {
			return false, false, err
		}
		entry.stop()
		entry.client, entry.credential, entry.accepted = remote, credential, false
		entry.scan, entry.rejections, entry.retryAt = nil, 0, time.Time{}
		entry.blocked = waitingf(reasonProgressing, "the token is being checked")
		a.byKey[key] = entry
	}
	entry.limiter.SetLimits(rate, int(spec.RequestsPerSecond), inFlight)
	aliases = !maps.Equal(entry.ids, spec.Aliases)
	entry.ids = maps.Clone(spec.Aliases)
	if interval := duration(spec.ScanInterval); entry.interval != interval {
		entry.interval = interval
		if entry.stopScanner != nil {
			entry.stop()
			a.startScanner(key, entry)
		}
	}
	return entry.blocked != nil, aliases, nil
}

// client returns the client that configure made.
func (a *Accounts) client(key types.NamespacedName) *integrator.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byKey[key].client
}

// stop ends the account's scanner and, once they are idle, its connections.
func (e *account) stop() {
	if e.stopScanner != nil {
		e.stopScanner()
		e.stopScanner = nil
	}
	if e.client != nil {
		e.client.Close()
	}
}

// unblock makes the account usable and starts its scanner. Those who wait are told.
// doubted tells that the token may be of another account than the managed imports.
func (a *Accounts) unblock(key types.NamespacedName, userID, version string, doubted bool) {
	a.mu.Lock()
	entry, ok := a.byKey[key]
	if ok {
		entry.userID = userID
		entry.blocked, entry.accepted = nil, true
		// The same token in a Secret that was only touched is of the same account.
		entry.version, entry.doubted = version, doubted && entry.credential != entry.trusted
		if entry.doubted {
			entry.scan = nil
		} else {
			entry.trusted = entry.credential
		}
		if entry.stopScanner == nil {
			a.startScanner(key, entry)
		}
	}
	a.mu.Unlock()
	a.publish(key)
}

// block stops all calls for the account. Those who wait are told why.
func (a *Accounts) block(key types.NamespacedName, p *problem) {
	a.mu.Lock()
	entry, ok := a.byKey[key]
	if !ok {
		entry = &account{}
		a.byKey[key] = entry
	}
	changed := entry.blocked == nil || entry.blocked.Error() != p.Error()
	if p.reason != reasonTokenRejected {
		entry.retryAt = time.Time{}
	}
	entry.blocked = p
	if errors.Is(p, errTokenRevoked) {
		entry.accepted = false
	}
	entry.stop()
	a.mu.Unlock()
	if changed {
		a.publish(key)
	}
}

// rejected is told when a call of the session got 401. If its client is still the
// account's, the account is blocked until the Account controller has checked it again:
// not at once, because a check that succeeds while calls fail would go round and round.
// The last session of an account whose Secret is gone ends with it.
func (a *Accounts) rejected(s *session, p *problem) {
	a.mu.Lock()
	entry, ok := a.byKey[s.key]
	current := ok && entry.client == s.client && entry.blocked == nil
	ended := ok && entry.client == s.client && entry.accepted && entry.blocked != nil && errors.Is(entry.blocked, errSecretGone)
	if ended {
		entry.accepted = false
	}
	if current {
		entry.blocked = p
		pause := min(min(entry.interval, backoffMax)<<min(entry.rejections, 10), backoffMax)
		entry.rejections++
		entry.retryAt = a.clock.Now().Add(pause)
		entry.stop()
	}
	a.mu.Unlock()
	if current {
		a.send(a.accountEvents, accountObject(s.key))
	}
	if ended {
		a.publish(s.key)
	}
}

// rejection returns why the account is blocked by a call of its own, and for how long,
// nil when it may be checked.
func (a *Accounts) rejection(key types.NamespacedName) *problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry, ok := a.byKey[key]
	if !ok || entry.blocked == nil {
		return nil
	}
	rest := entry.retryAt.Sub(a.clock.Now())
	if rest <= 0 {
		return nil
	}
	p := *entry.blocked
	p.after = rest
	return &p
}

// forget drops an Account that is gone.
func (a *Accounts) forget(key types.NamespacedName) {
	a.mu.Lock()
	if entry, ok := a.byKey[key]; ok {
		entry.stop()
		delete(a.byKey, key)
	}
	a.mu.Unlock()
	a.publish(key)
}

// summary returns the outcome of the account's last scan, nil when there is none, and the
// version of the credential, "" while it is doubted.
func (a *Accounts) summary(key types.NamespacedName) (scan *scanSummary, version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry, ok := a.byKey[key]
	switch {
	case !ok:
		return nil, ""
	case entry.doubted:
		return entry.scan, ""
	default:
		return entry.scan, entry.version
	}
}

// publish tells the Imports and ImportRuns of an Account that it changed.
func (a *Accounts) publish(key types.NamespacedName) {
	a.send(a.importEvents, accountObject(key))
	a.send(a.runEvents, accountObject(key))
}

func (a *Accounts) send(events chan<- event.GenericEvent, object client.Object) {
	select {
	case events <- event.GenericEvent{Object: object}:
	case <-a.ctx.Done():
	}
}

func accountObject(key types.NamespacedName) *v1alpha1.Account {
	object := &v1alpha1.Account{}
	object.Namespace, object.Name = key.Namespace, key.Name
	return object
}

func importNamed(key types.NamespacedName) *v1alpha1.Import {
	object := &v1alpha1.Import{}
	object.Namespace, object.Name = key.Namespace, key.Name
	return object
}
