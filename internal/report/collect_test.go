// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

const (
	hour     = time.Hour
	ordersID = "64b0000000000000000000c1"
	pricesID = "64b0000000000000000000c2"
	stockID  = "64b0000000000000000000c3"
	ours     = "user-of-the-token"
	// A secret is written otherwise where a text is escaped: its core is what must not be found.
	core   = "S3cretCore"
	secret = `"<&+` + core + `>\`
)

func ago(d time.Duration) string { return now.Add(-d).Format(time.RFC3339) }

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(now.Add(-48 * hour))}
}

func ready(status metav1.ConditionStatus, reason, message string) []metav1.Condition {
	return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: message}}
}

func accountObject(name string) *v1alpha1.Account {
	return &v1alpha1.Account{ObjectMeta: meta(name),
		Spec:   v1alpha1.AccountSpec{BaseURL: "https://api.integrator.io", TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token", Key: "token"}},
		Status: v1alpha1.AccountStatus{UserID: ours, Imports: ptr.To[int32](3), Managed: ptr.To[int32](2), Conditions: ready(metav1.ConditionTrue, v1alpha1.ReasonTokenAccepted, "the API accepts the token")},
	}
}

func importObject(name, id string, edits ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: meta(name)}
	object.Spec.AccountRef.Name = "default"
	object.Spec.DriftPolicy = v1alpha1.DriftPolicyCorrect
	object.Spec.Definition.Raw = []byte(`{"name": "` + name + `", "http": {"headers": [{"name": "a", "value": "b"}, {"name": "key"}]}}`)
	object.Annotations = map[string]string{v1alpha1.AnnotationID: id}
	object.Status = v1alpha1.ImportStatus{ID: id, Management: v1alpha1.ManagementStateManaged, Conditions: ready(metav1.ConditionTrue, v1alpha1.ReasonSynced, "as declared")}
	for _, edit := range edits {
		edit(object)
	}
	return object
}

func withSecret(path string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) {
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{{Path: path, SecretKeyRef: &v1alpha1.KeyReference{Name: "values", Key: "key"}}}
	}
}

func secretObject(name, key, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: meta(name), Data: map[string][]byte{key: []byte(value)}}
}

func event(about, reason, note string, age time.Duration) *eventsv1.Event {
	made := &eventsv1.Event{ObjectMeta: meta(about + strings.ToLower(reason)), EventTime: metav1.NewMicroTime(now.Add(-age)), Reason: reason, Note: note}
	made.Regarding = corev1.ObjectReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Import", Namespace: "shop", Name: about}
	return made
}

// platform answers the audit log of each import.
func platform(t *testing.T, logs map[string]string) func(context.Context, client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/v1/imports/"), "/audit")
		body, found := logs[id]
		w.Header().Set("Content-Type", "application/json")
		if !found {
			w.WriteHeader(http.StatusNotFound)
			body = `{"errors": [{"code": "not_found", "message": "no such import"}]}`
		}
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return func(_ context.Context, key client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error) {
		if key.Name == "broken" {
			return nil, nil, errors.New("there is no Secret \"broken\"")
		}
		remote, err := integrator.New(integrator.Config{BaseURL: server.URL, Token: "token", AllowHTTP: true, ReadOnly: true})
		return remote, accountObject(key.Name), err
	}
}

func entry(event, source, user, age string, fields ...string) string {
	var changes []map[string]string
	for _, field := range fields {
		changes = append(changes, map[string]string{"fieldPath": field, "oldValue": secret, "newValue": "a copy: " + secret})
	}
	made, _ := json.Marshal(map[string]any{"_id": event + age, "event": event, "source": source, "time": age,
		"byUser": map[string]string{"_id": user, "email": map[bool]string{false: user}[user == ours]}, "fieldChanges": changes})
	return string(made)
}

func list(entries ...string) string { return "[" + strings.Join(entries, ",") + "]" }

func collect(t *testing.T, connect func(context.Context, client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error), reads interceptor.Funcs, objects ...client.Object) *Report {
	t.Helper()
	cluster := interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme.All()).WithObjects(objects...).Build(), reads)
	made, err := Collect(t.Context(), Options{Cluster: cluster, Namespace: "shop", Now: now, Since: now.Add(-24 * hour), Connect: connect})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestCollect(t *testing.T) {
	run := &v1alpha1.ImportRun{ObjectMeta: meta("night"), Spec: v1alpha1.ImportRunSpec{ImportRef: &v1alpha1.LocalReference{Name: "orders"}},
		Status: v1alpha1.ImportRunStatus{Phase: v1alpha1.RunUnknown, StartTime: ptr.To(metav1.NewTime(now.Add(-2 * hour))), CompletionTime: ptr.To(metav1.NewTime(now.Add(-hour))),
			Records:    &v1alpha1.RecordCounts{Total: 10, Sent: 8, Succeeded: 3, Failed: 1, Ignored: 1},
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionSucceeded, Reason: v1alpha1.ReasonOutcomeUnknown, Message: "the answer was lost"}}}}
	old := run.DeepCopy()
	old.Name, old.Status.CompletionTime = "old", ptr.To(metav1.NewTime(now.Add(-30*hour)))
	drifted := importObject("prices", pricesID, func(object *v1alpha1.Import) {
		object.Status.Drift = []v1alpha1.Difference{{Path: "/description", Declared: `"ours"`, Remote: `"theirs"`}}
		object.Status.Conditions = append(object.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionDrifted, LastTransitionTime: metav1.NewTime(now.Add(-3 * hour))})
	})
	lost := importObject("stock", stockID, func(object *v1alpha1.Import) {
		object.Spec.AccountRef.Name = "broken"
		object.Status.Audit = &v1alpha1.ImportAudit{ExternalChanges: []v1alpha1.AuditEvent{
			{Time: ago(hour), Event: "update", Source: "ui", User: "jane@example.com", Fields: []string{"name"}},
			{Time: ago(40 * hour), Event: "update", Source: "ui", User: "jane@example.com"}}}
	})
	made := collect(t, platform(t, map[string]string{
		ordersID: list(entry("create", "api", ours, ago(47*hour)), entry("update", "ui", "jane@example.com", ago(5*hour), "description", "name"),
			entry("update", "api", ours, ago(4*hour), "description"), entry("update", "ui", "joe@example.com", ago(2*hour), "sampleData")),
		pricesID: list(),
	}), interceptor.Funcs{}, accountObject("default"), accountObject("broken"), secretObject("token", "token", "the-token-of-the-account"),
		importObject("orders", ordersID), drifted, lost, run, old,
		event("orders", v1alpha1.ReasonDriftCorrected, "restored what is declared: /description", 4*hour), event("orders", v1alpha1.ReasonUpdated, "updated", hour),
		event("orders", v1alpha1.ReasonDriftDetected, "long ago", 25*hour))

	at := func(age time.Duration) *time.Time { return ptr.To(now.Add(-age)) }
	wantChanges := []Change{
		{Time: *at(hour), Namespace: "shop", Account: "broken", Import: "stock", ID: stockID, Event: "update", Via: "ui", User: "jane@example.com", Fields: []string{"name"}, From: fromStatus},
		{Time: *at(2 * hour), Namespace: "shop", Account: "default", Import: "orders", ID: ordersID, Event: "update", Via: "ui", User: "joe@example.com", Fields: []string{"sampleData"}, From: fromLog},
		{Time: *at(4 * hour), Namespace: "shop", Account: "default", Import: "orders", ID: ordersID, Event: "update", Via: "api", User: ours, Operator: true, Fields: []string{"description"}, From: fromLog},
		{Time: *at(5 * hour), Namespace: "shop", Account: "default", Import: "orders", ID: ordersID, Event: "update", Via: "ui", User: "jane@example.com", Fields: []string{"description", "name"}, From: fromLog},
	}
	if diff := cmp.Diff(wantChanges, made.Changes); diff != "" {
		t.Errorf("changes: -want, +got:\n%s", diff)
	}
	wantDrift := []Drift{
		{Time: at(3 * hour), Namespace: "shop", Import: "prices", ID: pricesID, State: DriftPresent, Fields: []string{"/description"}, Declared: `"ours"`, Remote: `"theirs"`, From: "status"},
		{Time: at(4 * hour), Namespace: "shop", Import: "orders", State: DriftCorrected, Message: "restored what is declared: /description", From: "event"},
		{Time: at(5 * hour), Namespace: "shop", Import: "orders", ID: ordersID, State: DriftCorrected, Fields: []string{"description"}, User: "jane@example.com", Corrected: at(4 * hour),
			Message: "concluded from the audit log: the same fields were written with the token of the Account afterwards", From: fromLog},
	}
	if diff := cmp.Diff(wantDrift, made.Drift); diff != "" {
		t.Errorf("drift: -want, +got:\n%s", diff)
	}
	wantRuns := []Run{{Namespace: "shop", Name: "night", Import: "orders", Phase: "Unknown", Created: *at(48 * hour), Started: at(2 * hour), Completed: at(hour),
		Total: 10, Sent: 8, Succeeded: 3, Failed: 1, Ignored: 1, Unknown: 3, Reason: v1alpha1.ReasonOutcomeUnknown, Message: "the answer was lost"}}
	if diff := cmp.Diff(wantRuns, made.Runs); diff != "" {
		t.Errorf("runs: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff([]Problem{{Object: "Account shop/broken", Message: `there is no Secret "broken"`}}, made.Problems); diff != "" {
		t.Errorf("problems: -want, +got:\n%s", diff)
	}
	if made.Complete() || len(made.Imports) != 3 || len(made.Accounts) != 2 {
		t.Errorf("complete %t with %d Imports and %d Accounts", made.Complete(), len(made.Imports), len(made.Accounts))
	}
	oldest := map[string]*time.Time{}
	for _, source := range made.Sources {
		oldest[source.Name] = source.Oldest
	}
	wantOldest := map[string]*time.Time{"Accounts and Imports": nil, "ImportRuns": at(48 * hour), "events of Kubernetes": at(4 * hour),
		"audit log of the platform, Account shop/broken": nil, "status.audit, Account shop/broken": nil, "audit log of the platform, Account shop/default": at(47 * hour)}
	if diff := cmp.Diff(wantOldest, oldest); diff != "" {
		t.Errorf("sources: -want, +got:\n%s", diff)
	}
}

// What a Secret has is in no format, wherever somebody has copied it to.
func TestSecretsAreNotShown(t *testing.T) {
	cases := map[string]struct {
		reason  string
		objects []client.Object
		log     string
		shown   string
	}{
		"Values":    {"the values of a change are not read", nil, entry("update", "ui", "jane@example.com", ago(hour), "description"), "description"},
		"User":      {"somebody is called as a secret", nil, entry("update", "ui", "jane "+secret, ago(hour), "name"), "(redacted)"},
		"FieldName": {"a name has the text", nil, entry("update", "ui", "jane@example.com", ago(hour), "settings."+secret), "(redacted)"},
		"Drift": {"the status is older than valuesFrom", []client.Object{importObject("prices", pricesID, func(object *v1alpha1.Import) {
			object.Status.Drift = []v1alpha1.Difference{{Path: "/description", Declared: jsonOf("x " + secret), Remote: jsonOf("y " + secret)}}
		})}, entry("update", "ui", "jane@example.com", ago(hour)), "/description"},
		"PathOfDrift": {"a name in the path has the text", []client.Object{importObject("prices", pricesID, func(object *v1alpha1.Import) {
			object.Status.NotAccepted = []v1alpha1.Difference{{Path: "/settings/" + secret, Declared: "1"}}
		})}, entry("update", "ui", "jane@example.com", ago(hour)), "not accepted"},
		"Event":     {"the event is older than valuesFrom", []client.Object{event("orders", v1alpha1.ReasonDriftCorrected, "restored (declared "+jsonOf(secret)+")", hour)}, entry("create", "api", ours, ago(hour)), "corrected"},
		"Condition": {"a message repeats it", []client.Object{importObject("prices", pricesID, func(object *v1alpha1.Import) { object.Status.Conditions[0].Message = "bad: " + secret })}, entry("create", "api", ours, ago(hour)), "prices"},
		"Run": {"the destination repeats it", []client.Object{&v1alpha1.ImportRun{ObjectMeta: meta("run"), Status: v1alpha1.ImportRunStatus{
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionSucceeded, Message: "said " + secret}}}}}, entry("create", "api", ours, ago(hour)), "run"},
		"Token": {"and so is the token", []client.Object{event("orders", v1alpha1.ReasonDriftDetected, "token-"+core+"-token", hour)}, entry("create", "api", ours, ago(hour)), "detected"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			made := collect(t, platform(t, map[string]string{ordersID: list(tc.log), pricesID: list()}), interceptor.Funcs{}, append(tc.objects, accountObject("default"),
				secretObject("token", "token", "token-"+core+"-token"), secretObject("values", "key", secret), importObject("orders", ordersID, withSecret("/http/headers/1/value")))...)
			for format := range Formats {
				var out bytes.Buffer
				if err := Write(&out, format, made); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(out.String(), core) {
					t.Errorf("%s: the secret is in the %s:\n%s", tc.reason, format, out.String())
				}
				if !strings.Contains(out.String(), tc.shown) {
					t.Errorf("%s: the %s has no %q:\n%s", tc.reason, format, tc.shown, out.String())
				}
			}
		})
	}
}

// The same texts are hidden where the audit log of one Import is shown.
func TestRedactor(t *testing.T) {
	own, other := importObject("orders", ordersID, withSecret("/http/headers/1/value")), importObject("prices", pricesID)
	denied := apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("imports").GroupResource(), "", nil)
	for name, tc := range map[string]struct {
		reason string
		reads  interceptor.Funcs
		of     *v1alpha1.Import
		text   string
		want   string
	}{
		"Plain":         {"what is no secret is shown", interceptor.Funcs{}, own, "http.relativeURI", "http.relativeURI"},
		"Secret":        {"a name has the text of a Secret", interceptor.Funcs{}, own, "settings." + secret, "(redacted)"},
		"OfAnother":     {"the Secret is one of another Import", interceptor.Funcs{}, other, "settings." + secret, "(redacted)"},
		"Token":         {"a name has the token", interceptor.Funcs{}, own, "settings.token-" + core + "-token", "(redacted)"},
		"MayNotList":    {"the Import's own Secrets are known without listing", denyList(denied), own, "settings." + secret, "(redacted)"},
		"TokenUnlisted": {"and so is the token of its Account", denyList(denied), own, "settings.token-" + core + "-token", "(redacted)"},
	} {
		t.Run(name, func(t *testing.T) {
			account := accountObject("default")
			cluster := interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme.All()).WithObjects(own, other, account,
				secretObject("token", "token", "token-"+core+"-token"), secretObject("values", "key", secret)).Build(), tc.reads)
			if diff := cmp.Diff(tc.want, Redactor(t.Context(), cluster, tc.of, account)(tc.text)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func denyList(why error) interceptor.Funcs {
	return interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return why }}
}

func jsonOf(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	return strings.TrimSpace(out.String())
}

func TestDifferencesAreRedacted(t *testing.T) {
	const hidden = "(redacted)"
	noSecrets := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
		if _, ok := into.(*corev1.Secret); ok {
			return apierrors.NewForbidden(corev1.Resource("secrets"), key.Name, nil)
		}
		return c.Get(ctx, key, into, options...)
	}}
	differs := func(path string) func(*v1alpha1.Import) {
		return func(object *v1alpha1.Import) {
			object.Status.Drift = []v1alpha1.Difference{{Path: path, Declared: `"ours"`, Remote: `"theirs"`}}
		}
	}
	observing := func(object *v1alpha1.Import) {
		object.Spec.ManagementPolicy, object.Status.Management = v1alpha1.ManagementPolicyObserve, v1alpha1.ManagementStateObserved
	}
	elsewhere := func(object *v1alpha1.Import) { object.Namespace = "other" }
	shownForeign := accountObject("default")
	shownForeign.Spec.ForeignValues = v1alpha1.ForeignValuesShown
	cases := map[string]struct {
		reason           string
		reads            interceptor.Funcs
		account          *v1alpha1.Account
		object           *v1alpha1.Import
		others           []client.Object
		declared, remote string
	}{
		"Plain":        {"nothing is secret", interceptor.Funcs{}, nil, importObject("orders", ordersID, differs("/name")), nil, `"ours"`, `"theirs"`},
		"AtThePath":    {"the value is from a Secret by now", interceptor.Funcs{}, nil, importObject("orders", ordersID, differs("/settings/key"), withSecret("/settings/key")), nil, hidden, hidden},
		"InTheArray":   {"an element may have moved", interceptor.Funcs{}, nil, importObject("orders", ordersID, differs("/http/headers/0/value"), withSecret("/http/headers/1/value")), nil, hidden, hidden},
		"BesideIt":     {"another field is shown", interceptor.Funcs{}, nil, importObject("orders", ordersID, differs("/name"), withSecret("/settings/key")), nil, `"ours"`, `"theirs"`},
		"SecretUnread": {"who may not read it cannot know where it is copied to", noSecrets, nil, importObject("orders", ordersID, differs("/name"), withSecret("/settings/key")), nil, hidden, hidden},
		"OthersSecret": {"another Import has a value there", interceptor.Funcs{}, nil, importObject("orders", ordersID, differs("/settings/key"), observing),
			[]client.Object{importObject("owner", ordersID, elsewhere, withSecret("/settings/key"))}, hidden, hidden},
		"Foreign":      {"another Import manages it", interceptor.Funcs{}, nil, importObject("orders", ordersID, differs("/name"), observing), []client.Object{importObject("owner", ordersID, elsewhere)}, `"ours"`, hidden},
		"ForeignShown": {"the Account shows them", interceptor.Funcs{}, shownForeign, importObject("orders", ordersID, differs("/name"), observing), []client.Object{importObject("owner", ordersID, elsewhere)}, `"ours"`, `"theirs"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			account := tc.account
			if account == nil {
				account = accountObject("default")
			}
			made := collect(t, platform(t, map[string]string{ordersID: list()}), tc.reads, append(tc.others, account, tc.object, secretObject("values", "key", "something-else"))...)
			if len(made.Drift) != 1 {
				t.Fatalf("%s: %d differences: %+v", tc.reason, len(made.Drift), made.Drift)
			}
			if diff := cmp.Diff([]string{tc.declared, tc.remote}, []string{made.Drift[0].Declared, made.Drift[0].Remote}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// What cannot be read is said, and does not hide the rest.
func TestProblems(t *testing.T) {
	forbidden := func(lists func(client.ObjectList, *client.ListOptions) bool) interceptor.Funcs {
		return interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, into client.ObjectList, options ...client.ListOption) error {
			var all client.ListOptions
			all.ApplyOptions(options)
			if lists(into, &all) {
				return apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("things").GroupResource(), "", nil)
			}
			return c.List(ctx, into, options...)
		}}
	}
	cases := map[string]struct {
		reason  string
		reads   interceptor.Funcs
		logs    map[string]string
		objects []client.Object
		want    []string
	}{
		"None":     {"everything is read", interceptor.Funcs{}, map[string]string{ordersID: list()}, nil, nil},
		"NoEvents": {"the events are not listed", forbidden(func(l client.ObjectList, _ *client.ListOptions) bool { _, ok := l.(*eventsv1.EventList); return ok }), map[string]string{ordersID: list()}, nil, []string{"events"}},
		"NotAll": {"the Imports of the namespace suffice", forbidden(func(l client.ObjectList, o *client.ListOptions) bool {
			_, ok := l.(*v1alpha1.ImportList)
			return ok && o.Namespace == ""
		}), map[string]string{ordersID: list()}, nil, nil},
		"LogIsGone": {"one import was deleted", interceptor.Funcs{}, map[string]string{ordersID: list()}, []client.Object{importObject("prices", pricesID)}, []string{"Import shop/prices"}},
		"BadLog":    {"the answer is none", interceptor.Funcs{}, map[string]string{ordersID: "no JSON"}, nil, []string{"Account shop/default"}},
		"NoAccount": {"an Import names none that exists", interceptor.Funcs{}, map[string]string{ordersID: list()},
			[]client.Object{importObject("stock", stockID, func(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "broken" })}, []string{"Account shop/broken"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			made := collect(t, platform(t, tc.logs), tc.reads, append(tc.objects, accountObject("default"), importObject("orders", ordersID))...)
			var objects []string
			for _, problem := range made.Problems {
				objects = append(objects, problem.Object)
			}
			if diff := cmp.Diff(tc.want, objects); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if made.Complete() != (len(tc.want) == 0) || len(made.Imports) != 1+len(tc.objects) {
				t.Errorf("%s: complete %t, with %d Imports", tc.reason, made.Complete(), len(made.Imports))
			}
		})
	}
}
