// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// collected is a text that several write at once.
type collected struct {
	mu   sync.Mutex
	text strings.Builder
}

func (c *collected) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *collected) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// canary is a secret that is easily found: what is around its core is written otherwise
// wherever a text is escaped.
func canary(core string) string { return `"<&/%+=` + core + `ä\"` }

// leaks lists the canaries that stand in a text, in whatever way a text is written there. The
// cores count too: one that was cut is found by what is left.
func leaks(text string, cores ...string) []string {
	text = strings.ToLower(text + dumped(text))
	var found []string
	for _, core := range cores {
		if slices.ContainsFunc(writings(core), func(form string) bool { return strings.Contains(text, strings.ToLower(form)) }) {
			found = append(found, core)
		}
	}
	return found
}

var dumpLine = regexp.MustCompile(`[0-9a-f]{8}  ((?:[0-9a-f]{2} {1,2}){1,16})`)

// dumped is what stands in a text as a hex dump, line by line, as the Kubernetes client logs
// what is no JSON.
func dumped(text string) string {
	var bytes strings.Builder
	for _, line := range dumpLine.FindAllStringSubmatch(text, -1) {
		decoded, _ := hex.DecodeString(strings.ReplaceAll(line[1], " ", "")) // the expression is hexadecimal
		bytes.Write(decoded)
	}
	return bytes.String()
}

// writings are the ways to write a canary.
func writings(core string) []string {
	whole := canary(core)
	quoted, _ := json.Marshal(whole)
	forms := []string{core, whole, strings.Trim(string(quoted), `"`), strconv.Quote(whole), url.QueryEscape(whole), url.PathEscape(whole), fmt.Sprintf("%x", core)}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// What stands before it shifts the digits; those at both ends have a part of something else.
		for shift := range 3 {
			encoded := encoding.EncodeToString([]byte(strings.Repeat(" ", shift) + core))
			forms = append(forms, encoded[(shift*8+5)/6:len(encoded)-1])
		}
	}
	return forms
}

// watched collects every version of the story's objects and all its events, from now until
// the story ends.
func (w *world) watched(ctx context.Context) (objects, events *collected) {
	GinkgoHelper()
	watcher, err := client.NewWithWatch(restConfig, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	objects, events = &collected{}, &collected{}
	for _, list := range []client.ObjectList{&v1alpha1.AccountList{}, &v1alpha1.ImportList{}, &v1alpha1.ImportRunList{}, &eventsv1.EventList{}} {
		into := objects
		if _, isEvents := list.(*eventsv1.EventList); isEvents {
			into = events
		}
		changes, err := watcher.Watch(ctx, list, client.InNamespace(w.namespace))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(changes.Stop)
		go func() {
			defer GinkgoRecover()
			for change := range changes.ResultChan() {
				_, _ = fmt.Fprintln(into, change.Type, shownOf(change.Object))
			}
		}()
	}
	return objects, events
}

// shownOf is an object as JSON, without the input of a run.
func shownOf(object runtime.Object) string {
	GinkgoHelper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	Expect(err).NotTo(HaveOccurred())
	for _, field := range []string{"data", "settings"} {
		unstructured.RemoveNestedField(content, "spec", field)
	}
	raw, err := json.Marshal(content)
	Expect(err).NotTo(HaveOccurred())
	return string(raw)
}

// metricsText is what the manager serves at /metrics.
func metricsText() string {
	GinkgoHelper()
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(metrics.Registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	Expect(answer.Code).To(Equal(http.StatusOK))
	return answer.Body.String()
}

var _ = Describe("I search for my secrets in everything that is shown", func() {
	// The cores of the canaries, by where they are put.
	const (
		inToken     = "c4n4ryTokenXq7"
		inSecret    = "c4n4rySecretVk2"
		inRotated   = "c4n4ryRotatedBw8"
		inConfigMap = "c4n4ryConfigMapJt5"
		inMasked    = "c4n4ryMaskedRz3"
		byOthers    = "c4n4ryOthersNh6"
		inRecord    = "c4n4ryRecordPd9"
		inDataFrom  = "c4n4ryDataFromLm4"
		inSettings  = "c4n4rySettingsGs1"
		deliberate  = "c4n4ryDeliberateUy0"
	)
	all := []string{inToken, inSecret, inRotated, inConfigMap, inMasked, byOthers, inRecord, inDataFrom, inSettings}

	It("would find one, in each way of writing it", func() {
		ctrl.Log.WithName("canary").V(5).Info("logged on purpose", "value", canary(deliberate))
		Expect(leaks(logged.String(), deliberate)).To(ConsistOf(deliberate), "the most verbose line of the log is searched")
		whole := canary(deliberate)
		quoted, err := json.Marshal(whole)
		Expect(err).NotTo(HaveOccurred())
		for _, text := range []string{
			whole, string(quoted), strconv.Quote(whole), url.QueryEscape(whole), url.PathEscape(whole), strings.ToLower(whole), deliberate,
			base64.StdEncoding.EncodeToString([]byte(whole)), base64.URLEncoding.EncodeToString([]byte("Bearer " + whole)),
			base64.StdEncoding.EncodeToString([]byte("x:" + whole)), base64.StdEncoding.EncodeToString([]byte("xy:" + deliberate)), fmt.Sprintf("%x", whole),
			strings.ReplaceAll(hex.Dump([]byte("k8s..v1.Secret "+whole)), "\n", `\n`),
		} {
			Expect(leaks("before "+text+" after", all...)).To(BeEmpty(), text)
			Expect(leaks("before "+text+" after", append(all, deliberate)...)).To(ConsistOf(deliberate), text)
		}
		Expect(leaks(shownOf(&v1alpha1.Import{Status: v1alpha1.ImportStatus{NotAccepted: []v1alpha1.Difference{{Declared: string(quoted)}}}}), deliberate)).To(ConsistOf(deliberate))
	})

	It("finds none, whatever becomes of an import and its runs", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		token := "~/+=" + inToken
		Expect(sim.AddToken(w.account, simulator.Token{Token: token})).To(Succeed())
		objects, events := w.watched(ctx)
		Expect(k8s.Create(ctx, w.secret("token", token))).To(Succeed())
		account := w.accountObject("default")
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.eventuallyReady(ctx, account, "default")
		w.keep(ctx, canary(inSecret))
		settings, err := json.Marshal(map[string]any{"list": []any{map[string]any{"key": canary(inConfigMap)}}})
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("more"), Data: map[string]string{"settings": string(settings)}})).To(Succeed())
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: w.meta("masked"), StringData: map[string]string{"key": canary(inMasked)}})).To(Succeed())
		values := []v1alpha1.ValueSource{fromConfigMap("/settings", "more", "settings"), fromSecret("/encrypted/apiKey", "masked", "key")}

		// What the API says when it repeats all that it has seen.
		words, err := json.Marshal(map[string]any{"errors": []any{
			map[string]string{"code": "invalid_field", "field": "http.headers", "source": canary(inSecret),
				"message": "Cast failed for value " + strings.Join([]string{token, canary(inSecret), canary(inRotated), canary(inConfigMap), canary(inMasked)}, " ")},
			map[string]string{"code": canary(inSecret), "field": canary(inConfigMap), "message": canary(inMasked)},
		}})
		Expect(err).NotTo(HaveOccurred())
		page := "<html><body>" + token + canary(inSecret) + canary(inRotated) + "</body></html>"
		refusals := []simulator.Action{
			{Kind: simulator.ActionAnswer, Status: 422, Body: string(words)},
			{Kind: simulator.ActionAnswer, Status: 400, Body: string(words)},
			{Kind: simulator.ActionAnswer, Status: 403, Body: string(words)},
			{Kind: simulator.ActionAnswer, Status: 500, Body: string(words)},
			{Kind: simulator.ActionAnswer, Status: 502, Body: page, HTML: true},
			{Kind: simulator.ActionAnswer, Status: 200, Body: page, HTML: true},
		}

		By("creating, refused in every way")
		for i, refusal := range refusals {
			stop := w.refusing(http.MethodPost, "/v1/imports", refusal) // the Imports before try again meanwhile
			object := w.keyed(fmt.Sprintf("refused-%d", i), values...)
			Expect(k8s.Create(ctx, object)).To(Succeed())
			Eventually(func() string { return state(get(ctx, w, object, object.Name)) }).Should(Or(HavePrefix("Failed False/"), Equal("InProgress False/CreateUnconfirmed")))
			stop()
		}

		By("updating, refused in every way, and rotating")
		main := w.synced(ctx, w.keyed("main", values...))
		Expect(header(w.remote(main.Status.ID))).To(HaveKeyWithValue("value", canary(inSecret)))
		for i, refusal := range refusals {
			w.strike(http.MethodPut, "/v1/imports/{id}", simulator.PhaseBefore, refusal)
			change(ctx, main, func(object *v1alpha1.Import) {
				object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), fmt.Sprintf(`{"maxAttempts": %d}`, i+1))
			})
			Eventually(func() []simulator.Rule { return w.unfired() }).Should(BeEmpty())
			w.touch(ctx, "key")
			w.eventuallyReady(ctx, main, "main")
		}
		w.strike(http.MethodGet, "/v1/imports/{id}", simulator.PhaseBefore, refusals[3])
		w.keep(ctx, canary(inRotated))
		Eventually(func() map[string]any { return header(w.remote(main.Status.ID)) }).Should(HaveKeyWithValue("value", canary(inRotated)))
		w.eventuallyReady(ctx, main, "main")

		By("changing it on the platform")
		byJane := func(object *v1alpha1.Import) {
			GinkgoHelper()
			Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
				block := document["http"].(map[string]any)
				block["headers"] = append(block["headers"].([]any), map[string]any{"name": "X-Theirs", "value": canary(byOthers)})
				block["relativeURI"] = []any{"/?key=" + canary(inRotated)}
				document["settings"] = map[string]any{"list": canary(byOthers)}
			})).To(Succeed())
		}
		byJane(main)
		Eventually(func() map[string]any { return w.remote(main.Status.ID)["http"].(map[string]any) }).Should(HaveKeyWithValue("headers", HaveLen(1)))
		reported := w.keyed("reported", values...)
		reported.Spec.DriftPolicy = v1alpha1.DriftPolicyReport
		w.synced(ctx, reported)
		byJane(reported)
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, reported, "reported").Status.Drift }).Should(HaveLen(3))

		By("reading before writing, and adopting what does not match")
		change(ctx, reported, func(object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationDryRun] = "true"
			object.Spec.DriftPolicy = v1alpha1.DriftPolicyCorrect
		})
		Eventually(func() *v1alpha1.ImportPlan { return get(ctx, w, reported, "reported").Status.Plan }).Should(HaveValue(HaveField("Differences", HaveLen(3))))
		adopted := adopting(w.keyed("adopted", values...), v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("adopted", fmt.Sprintf(`{"settings": {"list": %q}}`, byOthers)))})
		Expect(k8s.Create(ctx, adopted)).To(Succeed())
		w.eventually(ctx, adopted, "adopted", "Failed False/AdoptionMismatch")

		By("declaring what the API does not take")
		lowerCase("file.fileName")
		loud := w.httpImport("loud", `{"http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`)
		loud.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret("/file/fileName", "key", "key")}
		Expect(k8s.Create(ctx, loud)).To(Succeed())
		w.eventually(ctx, loud, "loud", "Failed False/NotAccepted")

		By("keeping what cannot be used as a value")
		bad := w.httpImport("bad")
		bad.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret("/settings", "key", "key")}
		bad.Spec.ValuesFrom[0].Format = v1alpha1.ValueFormatJSON
		Expect(k8s.Create(ctx, bad)).To(Succeed())
		w.eventually(ctx, bad, "bad", "Failed False/InvalidValue")

		By("naming one as the certificates to trust")
		for name, ref := range map[string]*v1alpha1.CABundleReference{
			"trusting-secret": {Kind: v1alpha1.CABundleKindSecret, Name: "masked", Key: "key"}, "trusting-map": {Name: "more", Key: "settings"},
		} {
			trusting := w.accountObject(name)
			trusting.Spec.CABundleRef = ref
			Expect(k8s.Create(ctx, trusting)).To(Succeed())
			w.eventually(ctx, trusting, name, "Failed False/InvalidCABundle")
		}

		By("running it")
		plain := w.synced(ctx, w.httpImport("plain"))
		failing := func(core string) string {
			quoted, err := json.Marshal(canary(core))
			Expect(err).NotTo(HaveOccurred())
			return fmt.Sprintf(`{"sku": %s, "_simulate": {"statusCode": 422, "code": "invalid", "message": %[1]s, "json": {"echo": %[1]s}, "dataURI": %[1]s}}`, quoted)
		}
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: w.meta("records"), StringData: map[string]string{"lines": failing(inDataFrom)}})).To(Succeed())
		sent := v1alpha1.JSON{Raw: []byte(fmt.Sprintf(`{"key": %q}`, inSettings))}
		for name, run := range map[string]*v1alpha1.ImportRun{
			"inline": w.run("inline", "plain", failing(inRecord)), "from-secret": w.run("from-secret", "plain"),
			"valued": w.run("valued", "main", failing(inRotated)),
		} {
			if name == "from-secret" {
				run.Spec.DataFrom = []v1alpha1.DataSource{{SecretKeyRef: &v1alpha1.KeyReference{Name: "records", Key: "lines"}}}
			}
			run.Spec.Settings = &sent
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(HaveSuffix("/RecordsFailed"))
		}
		for i, refusal := range refusals {
			w.strike(http.MethodPost, "/v1/imports/{id}/invoke", simulator.PhaseBefore, refusal)
			run := w.run(fmt.Sprintf("refused-run-%d", i), "main", record("A-1"))
			run.Spec.Settings = &sent
			Expect(k8s.Create(ctx, run)).To(Succeed())
			Eventually(func() v1alpha1.RunPhase { return get(ctx, w, run, run.Name).Status.Phase }).Should(Or(Equal(v1alpha1.RunFailed), Equal(v1alpha1.RunUnknown)))
		}
		whole := w.run("whole", "main", record("A-1"))
		whole.Spec.Settings = &v1alpha1.JSON{Raw: []byte(fmt.Sprintf(`{"_simulate": {"statusCode": 200, "errors": [{"code": "offline", "message": %q}]}}`, inRotated+inSettings))}
		Expect(k8s.Create(ctx, whole)).To(Succeed())
		w.done(ctx, whole, v1alpha1.RunFailed)

		By("losing the token, and getting it back")
		w.strike(http.MethodPut, "/v1/imports/{id}", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 401, Body: `{"message":"` + token + ` is no token"}`})
		change(ctx, main, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"maxAttempts": 99}`)
		})
		Eventually(func() []simulator.Rule { return w.unfired() }).Should(BeEmpty())
		w.eventuallyReady(ctx, main, "main")
		Expect(sim.RevokeToken(w.account, token)).To(Succeed())
		w.eventually(ctx, account, "default", "Failed False/TokenRejected")
		Expect(sim.AddToken(w.account, simulator.Token{Token: token})).To(Succeed())
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.RequestsPerSecond = 99 })
		w.eventuallyReady(ctx, account, "default")
		w.eventuallyReady(ctx, main, "main")

		By("deleting, refused at first")
		w.strike(http.MethodDelete, "/v1/imports/{id}", simulator.PhaseBefore, refusals[0])
		Expect(k8s.Delete(ctx, main)).To(Succeed())
		w.eventuallyGone(ctx, main)
		for _, object := range []client.Object{reported, adopted, loud, bad, plain} {
			change(ctx, object, func(object client.Object) { object.SetAnnotations(nil) })
			Expect(k8s.Delete(ctx, object)).To(Succeed())
			w.eventuallyGone(ctx, object)
		}

		By("searching all of it")
		Eventually(events.String).Should(And(ContainSubstring("DriftDetected"), ContainSubstring("RecordsFailed"), ContainSubstring("DeletionBlocked"), ContainSubstring(`Deleted`)))
		Eventually(objects.String).Should(And(ContainSubstring("(redacted)"), ContainSubstring("DeletionBlocked"), ContainSubstring("TokenRejected"), ContainSubstring("InvalidValue"),
			ContainSubstring("ServerError"), ContainSubstring("(not shown"), MatchRegexp(`DELETED .*"name":"plain"`)))
		Expect(logged.String()).To(ContainSubstring(w.namespace))
		Expect(metricsText()).To(MatchRegexp(`integrator_api_requests_total\{[^}]*name="default",namespace="` + w.namespace + `"`))

		Expect(leaks(events.String(), all...)).To(BeEmpty(), "events")
		Expect(leaks(logged.String(), all...)).To(BeEmpty(), "log")
		Expect(leaks(metricsText(), all...)).To(BeEmpty(), "metrics")
		// What the destination says of a record that stands in the run itself is no secret.
		Expect(leaks(objects.String(), all...)).To(ConsistOf(inRecord), "objects")
	})
})

// unfired lists the rules of the story's account that have not struck yet.
func (w *world) unfired() []simulator.Rule {
	return slices.DeleteFunc(sim.Rules(), func(rule simulator.Rule) bool { return rule.Account != w.account || rule.Fired > 0 })
}
