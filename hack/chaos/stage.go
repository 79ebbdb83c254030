// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// stage is where one plan is played: a namespace, an account, and the manager between its
// two gates.
type stage struct {
	cluster   *cluster
	plan      plan
	scenario  *scenario
	namespace string
	dir       string
	weather   *weather

	sim    *simulator.Server
	remote *gate
	// trap is where redirects lead to. Nobody is to go there.
	trap  *trap
	trace *trace
	// objects are as their users see them.
	objects client.Client
	history *history

	mu       sync.Mutex
	managers []*managerProcess
	token    string
	// struck is how many of the plan's strikes have been.
	struck int
	// firstStrike is where in the trace the first one was.
	firstStrike int
	ended       bool
	// armed tells that the prelude is over: now things go wrong.
	armed bool
	// lastWriter is the manager that wrote to Kubernetes last.
	lastWriter int
	// quietUntil is the time before which no call may be made, from quietFrom on.
	quietFrom, quietUntil time.Time
	// dying is closed when the process is dead that has had its last answer; nil without such.
	dying   chan struct{}
	problem error
	// specs are as the users wrote them, by name; strangers the imports of other people, and
	// bystander one of them as it was.
	specs     map[string][]byte
	strangers map[string]bool
	order     []string // of the strangers
	bystander string
	// given is closed when the token that is on its way has been given.
	given chan struct{}
	// before and scansBefore are notes of a scenario.
	before      string
	scansBefore int
	// meet, if any, is where the stage waits for others once its prelude is over; lull where it
	// waits before it is judged.
	meet, lull func(context.Context)
	// beforeRest, if any, waits for what has to be over before the stage can come to rest.
	beforeRest func()
	// held, if any, is where the write of that number waits, counted from the prelude's end.
	held                func(context.Context)
	heldAt, writesArmed int
	// pending are goroutines that the stage has to wait for.
	pending, rotating sync.WaitGroup
}

// managerProcess is the manager's program, with the gate that it has to Kubernetes.
type managerProcess struct {
	gate       *gate
	process    *local.Process
	kubeconfig string
	// life is how often it was started again.
	life int
}

const accountName = "acme"

func newStage(ctx context.Context, c *cluster, p plan, sc *scenario, seed uint64) (*stage, error) {
	s := &stage{cluster: c, plan: p, scenario: sc, trace: newTrace(), token: "canary-token-" + rand.Text(), objects: c.objects,
		specs: map[string][]byte{}, strangers: map[string]bool{}}
	s.weather = p.weather(seed ^ hash(p.String()))
	created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "chaos-"}}
	if err := c.objects.Create(ctx, created); err != nil {
		return nil, err
	}
	s.namespace = created.Name
	s.dir = filepath.Join(c.dir, s.namespace)
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	s.sim = simulator.New(simulator.Options{})
	if err := s.sim.AddAccount(simulator.AccountSpec{Name: accountName, Tokens: []simulator.Token{{Token: s.token}}, Connections: connections}); err != nil {
		return nil, err
	}
	var err error
	if s.trap, err = newTrap(); err != nil {
		return nil, err
	}
	s.remote = newRemoteGate(s)
	if err := s.remote.open(); err != nil {
		return nil, err
	}
	s.history = newHistory(ctx, c.watcher, s.namespace)
	return s, nil
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // it never fails
	return h.Sum64()
}

// identity is who the manager is to the API server: its ServiceAccount, with RBAC on.
func (s *stage) identity(config *rest.Config) *rest.Config {
	as := rest.CopyConfig(config)
	as.Impersonate.UserName = cmp.Or(s.plan.user, s.cluster.user)
	return as
}

// addManager makes a gate for another process, and starts it.
func (s *stage) addManager() error {
	number := len(s.managers)
	g, err := newKubernetesGate(s, number, s.cluster.plane.Config)
	if err != nil {
		return err
	}
	if err := g.open(); err != nil {
		return err
	}
	m := &managerProcess{gate: g, kubeconfig: filepath.Join(s.dir, fmt.Sprintf("manager-%d.kubeconfig", number))}
	config := clientcmdapi.NewConfig()
	config.Clusters["gate"] = &clientcmdapi.Cluster{Server: "http://" + g.address()}
	config.Contexts["gate"] = &clientcmdapi.Context{Cluster: "gate"}
	config.CurrentContext = "gate"
	if err := clientcmd.WriteToFile(*config, m.kubeconfig); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managers = append(s.managers, m)
	return s.startLocked(number)
}

// startLocked starts the program of a manager: the real one, as it is.
func (s *stage) startLocked(number int) error {
	m := s.managers[number]
	args := []string{
		"--allow-http", "--allowed-api-hosts=" + s.remote.address(), "--health-probe-bind-address=0",
		"--create-unconfirmed-timeout=" + s.plan.createUnconfirmedTimeout().String(), "--zap-log-level=1", "--zap-encoder=console",
	}
	if s.plan.metrics != "" {
		args = append(args, "--metrics-secure=false", "--metrics-bind-address="+s.plan.metrics)
	}
	if s.plan.election() {
		args = append(args, "--leader-elect", "--leader-election-namespace="+s.namespace)
	}
	process, err := s.cluster.processes.Start(s.logName(number), cmp.Or(s.plan.program, s.cluster.manager), append(os.Environ(), "KUBECONFIG="+m.kubeconfig), args...)
	if err != nil {
		return err
	}
	m.process = process
	go s.supervise(number, process)
	return nil
}

// supervise starts a manager again that ended by itself, as when it lost the lease: a
// cluster would do so too.
func (s *stage) supervise(number int, process *local.Process) {
	<-process.Done()
	time.Sleep(500 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && s.managers[number].process == process {
		s.restartLocked(number)
	}
}

// restartLocked starts the next process of a manager.
func (s *stage) restartLocked(number int) {
	s.managers[number].life++
	if err := s.startLocked(number); err != nil {
		s.problem = errors.Join(s.problem, err)
	}
}

func (s *stage) logName(number int) string { return fmt.Sprintf("%s/manager-%d", s.namespace, number) }

// kill ends a manager's process at once, and starts the next one.
func (s *stage) kill(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.managers[number].process.Kill()
	// What it has sent stays to be read, also from connections that the gate has yet to accept.
	time.Sleep(accepting)
	s.managers[number].gate.life.Add(1)
	if len(s.managers) == 1 {
		s.remote.life.Add(1)
	}
	s.restartLocked(number)
}

// accepting is how long a gate takes at most to accept a connection; the next process takes longer
// to make its first.
const accepting = 20 * time.Millisecond

// last gives a manager's process its last answer and kills it. What it writes in between does
// not arrive: on a busy machine that could be a claim, or a call.
func (s *stage) last(number int, answer func()) {
	dead := make(chan struct{})
	defer close(dead)
	s.setDying(dead)
	defer s.setDying(nil)
	answer()
	s.kill(number)
}

func (s *stage) setDying(dead chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dying = dead
}

// tooLate tells of a write whose process is dying; it returns when that is dead.
func (s *stage) tooLate() bool {
	s.mu.Lock()
	dead := s.dying
	s.mu.Unlock()
	if dead == nil {
		return false
	}
	<-dead
	return true
}

// freeze stops a manager's process where it is; thaw lets it go on.
func (s *stage) freeze(number int) { s.signal(number, syscall.SIGSTOP) }
func (s *stage) thaw(number int)   { s.signal(number, syscall.SIGCONT) }

func (s *stage) signal(number int, signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managers[number].process.Signal(signal)
}

// due returns what the plan does to this write, nil for nothing. Each strike of a plan waits
// until the one before it has been.
func (s *stage) due(w *write) func(*exchange) {
	s.mu.Lock()
	if !s.armed {
		s.mu.Unlock()
		return nil
	}
	if s.held != nil {
		first := s.writesArmed == s.heldAt
		s.writesArmed++
		held := s.held
		s.mu.Unlock()
		if first {
			return func(x *exchange) {
				held(context.Background())
				x.send(x.apply())
			}
		}
		return nil
	}
	if s.struck < len(s.plan.strikes) && s.plan.strikes[s.struck].write == w.ID() {
		strike := s.plan.strikes[s.struck]
		s.struck++
		if s.struck == 1 {
			s.firstStrike, _ = s.trace.standing()
		}
		s.mu.Unlock()
		return strike.fault.strike
	}
	s.mu.Unlock()
	if strings.Contains(w.Key, ".imports.") && !w.remote() && s.weather.chance(s.weather.conflicts) {
		return func(x *exchange) { x.refuse(http.StatusConflict) }
	}
	return s.weather.any(w)
}

// disarm has nothing go wrong any more.
func (s *stage) disarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
}

// arm has things go wrong from now on.
func (s *stage) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = true
}

// reached tells that all that the plan does has been done.
func (s *stage) reached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plan.outage != nil {
		return true // every stage waits for it
	}
	return s.struck == len(s.plan.strikes)
}

// throttled keeps that the API asked for a pause.
func (s *stage) throttled(from time.Time, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// What was under way when the answer was given still comes.
	s.quietFrom, s.quietUntil = from.Add(200*time.Millisecond), from.Add(pause)
}

// rotateToken takes the token back, and has its owner give another one a moment later.
func (s *stage) rotateToken() {
	s.mu.Lock()
	old := s.token
	s.token = "canary-token-" + rand.Text()
	next := s.token
	before, given := s.given, make(chan struct{})
	s.given = given
	s.mu.Unlock()
	s.rotating.Go(func() {
		defer close(given)
		if before != nil {
			<-before // its owner gives one token after the other
		}
		if err := s.sim.RevokeToken(accountName, old); err != nil {
			s.fail(err)
		}
		time.Sleep(1500 * time.Millisecond)
		if err := s.sim.AddToken(accountName, simulator.Token{Token: next}); err != nil {
			s.fail(err)
			return
		}
		patch := client.RawPatch(mergePatch, fmt.Appendf(nil, `{"stringData":{"token":%q}}`, next))
		s.fail(local.Await(context.Background(), patience, "the Secret to take the token", func(ctx context.Context) error {
			return s.objects.Patch(ctx, tokenSecret(s, ""), patch)
		}))
	})
}

func (s *stage) currentToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

func (s *stage) fail(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problem = errors.Join(s.problem, err)
}

// close ends all that runs on the stage.
func (s *stage) close() {
	s.mu.Lock()
	s.ended = true
	managers := slices.Clone(s.managers)
	s.mu.Unlock()
	s.sim.Close()
	for _, m := range managers {
		m.process.Kill()
		m.gate.close()
	}
	s.remote.close()
	s.trap.close()
	s.history.stop()
	s.rotating.Wait()
	s.pending.Wait()
}

// panicked tells that a log has a panic.
func panicked(log string) bool {
	return strings.Contains(log, "Observed a panic") || strings.Contains(log, "panic:")
}

// log is what the managers printed.
func (s *stage) log() string {
	var all strings.Builder
	for i := range s.managers {
		all.WriteString(s.cluster.processes.Log(s.logName(i)))
	}
	return all.String()
}
