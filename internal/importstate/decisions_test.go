// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// What the model of Imports does not reach: Observe, suspend, damaged intents. The rest of the
// decisions is checked there, in every order of events.

const oneID, otherID = "64a000000000000000000001", "64a000000000000000000002"

func importWith(edits ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{UID: "uid", Annotations: map[string]string{}}}
	for _, edit := range edits {
		edit(object)
	}
	return object
}

func annotated(name, value string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Annotations[name] = value }
}

func intending(age time.Duration) func(*v1alpha1.Import) {
	return annotated(v1alpha1.AnnotationCreatePending,
		fmt.Sprintf(`{"token":"t","externalId":"k8s/uid","name":"prices","time":%q}`, modelStart.Add(-age).Format(time.RFC3339)))
}

// confirmed has the status say what the intent made.
func confirmed(object *v1alpha1.Import) {
	object.Status.ID, object.Status.CreateToken = oneID, "t"
	object.Labels = map[string]string{v1alpha1.LabelRemoteImport: ownership.IntentLabel("k8s/uid")}
}

func withFinalizer(object *v1alpha1.Import) { object.Finalizers = []string{v1alpha1.Finalizer} }
func observing(object *v1alpha1.Import) {
	object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
}
func adopts(object *v1alpha1.Import)    { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: oneID} }
func deleting(object *v1alpha1.Import)  { object.DeletionTimestamp = &metav1.Time{Time: modelStart} }
func suspended(object *v1alpha1.Import) { object.Spec.Suspend = true }
func inStatus(object *v1alpha1.Import)  { object.Status.ID = oneID }
func labeled(object *v1alpha1.Import) {
	object.Labels = map[string]string{v1alpha1.LabelRemoteImport: oneID}
}
func onlyObserved(object *v1alpha1.Import) {
	object.Status.ID, object.Status.Management = oneID, v1alpha1.ManagementStateObserved
}

func TestLocate(t *testing.T) {
	id, damaged := annotated(v1alpha1.AnnotationID, oneID), annotated(v1alpha1.AnnotationCreatePending, "{")
	ofAnother := annotated(v1alpha1.AnnotationCreatePending, `{"token":"t","uid":"of-another","externalId":"k8s/of-another","name":"prices","time":"2026-01-01T00:00:00Z"}`)
	for name, test := range map[string]struct {
		object *v1alpha1.Import
		edit   func(*Pass)
		want   Location
	}{
		"new":                             {importWith(), nil, LocateCreate},
		"new, to adopt":                   {importWith(adopts), nil, LocateAdopt},
		"new, to observe nothing":         {importWith(observing), nil, LocateNothing},
		"new, to observe":                 {importWith(observing, adopts), nil, LocateAdopt},
		"known":                           {importWith(id, withFinalizer, labeled), nil, LocateRead},
		"known, finalizer taken away":     {importWith(id, labeled), nil, LocateRestore},
		"known, label taken away":         {importWith(id, withFinalizer), nil, LocateRestore},
		"known from status alone":         {importWith(inStatus, withFinalizer), nil, LocateRestore},
		"observed":                        {importWith(inStatus, adopts, observing), nil, LocateRead},
		"observing, and to manage":        {importWith(onlyObserved, adopts), nil, LocateAdopt},
		"observing, metadata forged":      {importWith(onlyObserved, adopts, id, withFinalizer, labeled), nil, LocateAdopt},
		"pending, of the cache":           {importWith(intending(0), withFinalizer), nil, LocateReread},
		"pending":                         {importWith(intending(0), withFinalizer), func(p *Pass) { p.Live = true }, LocateSearch},
		"pending, status of before":       {importWith(intending(0), withFinalizer, inStatus), func(p *Pass) { p.Live = true }, LocateSearch},
		"pending, damaged":                {importWith(damaged, withFinalizer), func(p *Pass) { p.Live = true }, LocateRenewIntent},
		"pending, of the future":          {importWith(intending(-time.Minute), withFinalizer), func(p *Pass) { p.Live = true }, LocateRenewIntent},
		"pending, found":                  {importWith(intending(0), withFinalizer), func(p *Pass) { p.Live, p.Searches, p.Found = true, 1, []string{oneID} }, LocateAcquire},
		"pending, found several":          {importWith(intending(0), withFinalizer), func(p *Pass) { p.Live, p.Searches, p.Found = true, 1, []string{oneID, otherID} }, LocateAmbiguous},
		"pending, not found yet":          {importWith(intending(time.Minute), withFinalizer), func(p *Pass) { p.Live, p.Searches = true, 1 }, LocateWait},
		"pending, a scan has seen it":     {importWith(intending(modelTimeout), withFinalizer), func(p *Pass) { p.Live, p.Seen = true, []string{oneID} }, LocateAcquireSeen},
		"pending, seen, may be under way": {importWith(intending(time.Minute), withFinalizer), func(p *Pass) { p.Live, p.Seen = true, []string{oneID} }, LocateSearch},
		"pending, a scan has seen two":    {importWith(intending(modelTimeout), withFinalizer), func(p *Pass) { p.Live, p.Seen = true, []string{oneID, otherID} }, LocateSearch},
		"pending, of another object":      {importWith(ofAnother, withFinalizer), nil, LocateCreate},
		"confirmed":                       {importWith(intending(0), withFinalizer, confirmed), nil, LocateRead},
		"confirmed, finalizer taken away": {importWith(intending(0), confirmed), nil, LocateRestore},
		"pending, not found once":         {importWith(intending(modelTimeout), withFinalizer), func(p *Pass) { p.Live, p.Searches = true, 1 }, LocateSearch},
		"pending, not found":              {importWith(intending(modelTimeout), withFinalizer), func(p *Pass) { p.Live, p.Searches = true, 2 }, LocateCreate},
		"pending, not found, to adopt":    {importWith(intending(modelTimeout), withFinalizer, adopts), func(p *Pass) { p.Live, p.Searches = true, 2 }, LocateAdopt},
		"pending, not found, is deleting": {importWith(intending(modelTimeout), withFinalizer, deleting), func(p *Pass) { p.Live, p.Searches = true, 2 }, LocateRelease},
		"pending, not found, to observe":  {importWith(intending(modelTimeout), withFinalizer, observing), func(p *Pass) { p.Live, p.Searches = true, 2 }, LocateNothing},
		"known, being deleted":            {importWith(id, deleting, withFinalizer), nil, LocateRead},
		"nothing, but its marker":         {importWith(), func(p *Pass) { p.MarkerSeen = true }, LocateSearch},
		"nothing, but its marker: found":  {importWith(), func(p *Pass) { p.MarkerSeen, p.Searches, p.Found = true, 1, []string{oneID} }, LocateAcquire},
		"nothing, its marker gone":        {importWith(), func(p *Pass) { p.MarkerSeen, p.Searches = true, 1 }, LocateCreate},
	} {
		t.Run(name, func(t *testing.T) {
			p := Pass{Object: test.object, Now: modelStart, Timeout: modelTimeout, Deleting: !test.object.DeletionTimestamp.IsZero()}
			if test.edit != nil {
				test.edit(&p)
			}
			if got := Locate(p); got != test.want {
				t.Errorf("location %d, want %d", got, test.want)
			}
		})
	}
}

func TestReplace(t *testing.T) {
	id := annotated(v1alpha1.AnnotationID, oneID)
	for name, test := range map[string]struct {
		pass Pass
		want Replacement
	}{
		"not searched":                     {Pass{Object: importWith(id, inStatus), Deleted: oneID}, ReplaceSearch},
		"not searched, another in status":  {Pass{Object: importWith(inStatus), Deleted: otherID}, ReplaceSearch},
		"another in status":                {Pass{Object: importWith(inStatus), Deleted: otherID, Searches: 1}, ReplaceRestore},
		"another in status, and deleting":  {Pass{Object: importWith(deleting, inStatus), Deleted: otherID, Searches: 1, Deleting: true}, ReplaceRestore},
		"another in status, and something": {Pass{Object: importWith(inStatus), Deleted: otherID, Searches: 1, Found: []string{oneID}}, ReplaceRestore},
		"found":                            {Pass{Object: importWith(id, inStatus), Deleted: oneID, Searches: 1, Found: []string{otherID}}, ReplaceAcquire},
		"found without the marker":         {Pass{Object: importWith(id, inStatus), Deleted: oneID, Searches: 1, Found: []string{otherID}, Unmarked: true}, ReplaceAmbiguous},
		"searched once":                    {Pass{Object: importWith(id, inStatus), Deleted: oneID, Searches: 1}, ReplaceSearch},
		"searched twice":                   {Pass{Object: importWith(id, inStatus), Deleted: oneID, Searches: 2}, ReplaceCreate},
		"searched twice, and deleting":     {Pass{Object: importWith(deleting, id, inStatus), Deleted: oneID, Searches: 2, Deleting: true}, ReplaceRelease},
		"searched once, observed":          {Pass{Object: importWith(observing, inStatus), Deleted: oneID, Searches: 1}, ReplaceMissing},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Replace(test.pass); got != test.want {
				t.Errorf("replacement %d, want %d", got, test.want)
			}
		})
	}
}

func TestBeginDeletion(t *testing.T) {
	id := annotated(v1alpha1.AnnotationID, oneID)
	orphaned := func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan }
	for name, test := range map[string]struct {
		object *v1alpha1.Import
		want   DeletionStart
	}{
		"only observed":         {importWith(deleting, onlyObserved, adopts, id, withFinalizer), DeletionRelease},
		"nothing to let go":     {importWith(deleting, id), DeletionDone},
		"Orphan":                {importWith(deleting, withFinalizer, id, orphaned), DeletionRelease},
		"Orphan, suspended":     {importWith(deleting, withFinalizer, id, orphaned, suspended), DeletionRelease},
		"observed":              {importWith(deleting, withFinalizer, id, observing), DeletionRelease},
		"suspended":             {importWith(deleting, withFinalizer, id, suspended), DeletionSuspended},
		"nothing was made":      {importWith(deleting, withFinalizer), DeletionRelease},
		"suspended, not made":   {importWith(deleting, withFinalizer, suspended), DeletionSuspended},
		"there":                 {importWith(deleting, withFinalizer, id), DeletionLocate},
		"there, by status":      {importWith(deleting, withFinalizer, inStatus), DeletionLocate},
		"may have been made":    {importWith(deleting, withFinalizer, intending(0)), DeletionLocate},
		"may have, was another": {importWith(deleting, withFinalizer, intending(0), inStatus), DeletionLocate},
	} {
		t.Run(name, func(t *testing.T) {
			if got := BeginDeletion(test.object); got != test.want {
				t.Errorf("start %d, want %d", got, test.want)
			}
		})
	}
}
