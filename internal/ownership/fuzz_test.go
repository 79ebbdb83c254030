// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// fuzzedAnnotations are those that FuzzMetadata writes, beside the label.
var fuzzedAnnotations = []string{
	v1alpha1.AnnotationID, v1alpha1.AnnotationCreatePending, v1alpha1.AnnotationAdoptPending,
	v1alpha1.AnnotationReconcileRequestedAt, v1alpha1.AnnotationAllowNamesake, v1alpha1.AnnotationDryRun,
}

// fuzzedElsewhere are fuzzed by another target: FuzzClaim of internal/runstate.
var fuzzedElsewhere = []string{v1alpha1.AnnotationClaim}

// FuzzMetadata: whatever somebody has written into the annotations and the label of an Import, it
// is not permitted to write to or delete a remote import that neither its status nor the platform
// shows as its own, and in another namespace it keeps nobody from adopting for longer than a
// creation takes.
func FuzzMetadata(f *testing.F) {
	f.Add("64b0000000000000000000b1", "", "", "", "", "", "", "k8s/other", false)
	f.Add("64b0000000000000000000b1", `{"externalId":"k8s/victim","name":"k8s/victim","time":"2026-01-02T12:00:00Z","replaces":"64b0000000000000000000b1"}`, "64b0000000000000000000b1", "now", "true", "true", "64b0000000000000000000b1", "", true)
	f.Add("../../x", `{"externalId":`, "\n", "", "", "", "", "k8s/", true)
	f.Fuzz(func(t *testing.T, id, intent, pending, requested, namesake, dryRun, label, marker string, finalized bool) {
		if id == "" {
			return // No remote import is without an id.
		}
		now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		forger := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{UID: "forger", Namespace: "theirs", Name: "forger",
			Labels: map[string]string{v1alpha1.LabelRemoteImport: label}, Annotations: map[string]string{}}}
		for i, value := range []string{id, intent, pending, requested, namesake, dryRun} {
			forger.Annotations[fuzzedAnnotations[i]] = value
		}
		if finalized {
			forger.Finalizers = []string{v1alpha1.Finalizer}
		}
		before := forger.DeepCopy()
		remote := integrator.Import{ID: id, Name: "orders", ExternalID: marker}
		own := Owner{}.Marks(forger, marker)
		for _, use := range []Use{UseManage, UseDelete} {
			evidence := Evidence{Object: forger, Remote: remote, ExternalID: "declared", Changed: true}
			if got := Decide(use, evidence); got.Verdict == Permitted && !own && marker != "declared" {
				t.Errorf("use %d of an import with externalId %q is permitted to %v", use, marker, forger.Annotations)
			}
		}
		if Recorded(forger, id) || ManagesByStatus(forger, id) || OwnerAmong([]v1alpha1.Import{*forger}, id) != nil {
			t.Error("metadata counts as what the status records")
		}
		if heir := Heir(forger, []v1alpha1.Import{*forger}); heir != nil {
			t.Error("it has an heir")
		}
		if parsed, readable := ParseIntent(forger, now); readable && parsed.Time.After(now) {
			t.Errorf("an intent of the future is read: %+v", parsed)
		}
		victim := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{UID: "victim", Namespace: "ours", Name: "victim"}}
		late := Contest{Object: victim, Remote: remote, Now: latest(intent, now).Add(intentLife + time.Second)}
		if rival := Stronger(late, nil, forger); rival != nil && late.strength(rival) > 0 {
			t.Errorf("%v keeps another namespace from adopting", forger.Annotations)
		}
		for _, named := range NamedIDs(forger) {
			if named != id && named != pending {
				t.Errorf("it names %q, which nobody has written", named)
			}
		}
		if !reflect.DeepEqual(before, forger) {
			t.Error("the Import was changed")
		}
	})
}

// latest is the time of the intent, or now if that is later.
func latest(text string, now time.Time) time.Time {
	intent, readable := ParseIntent(&v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{
		Annotations: map[string]string{v1alpha1.AnnotationCreatePending: text}}}, now.AddDate(10_000, 0, 0))
	if readable && intent.Time.After(now) {
		return intent.Time
	}
	return now
}

// Every annotation and label of the API has a place in a fuzz target.
func TestMetadataIsFuzzed(t *testing.T) {
	files, err := parser.ParseDir(token.NewFileSet(), "../../api/v1alpha1", func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }, 0) //nolint:staticcheck // no build tags there
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(files["v1alpha1"], func(node ast.Node) bool {
		value, ok := node.(*ast.ValueSpec)
		if !ok || len(value.Values) != 1 || !strings.HasPrefix(value.Names[0].Name, "Annotation") && !strings.HasPrefix(value.Names[0].Name, "Label") {
			return true
		}
		literal, ok := value.Values[0].(*ast.BasicLit)
		if !ok {
			t.Errorf("%s is no literal: say in which fuzz target it is", value.Names[0])
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		declared = append(declared, text)
		return true
	})
	fuzzed := slices.Concat(fuzzedAnnotations, fuzzedElsewhere, []string{v1alpha1.LabelRemoteImport})
	slices.Sort(declared)
	slices.Sort(fuzzed)
	if diff := cmp.Diff(declared, fuzzed); diff != "" {
		t.Errorf("-declared in api/v1alpha1, +in a fuzz target:\n%s", diff)
	}
}
