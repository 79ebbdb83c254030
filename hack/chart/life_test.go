// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// TestOnACluster is the life of the operator on a cluster: first the kustomization, then the chart in its
// place, then an older chart and its upgrade. It is uninstalled in each order.
func TestOnACluster(t *testing.T) {
	c := newCluster(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *cluster)
	}{
		{"what the chart renders is valid", isValid},
		{"the kustomization runs", kustomizationRuns},
		{"the chart takes the place of the kustomization", chartTakesOver},
		{"the CRDs are deleted first", uninstalledByCRDs},
		{"an older chart is installed as its notes say", olderChart},
		{"it is upgraded", upgraded},
		{"the operator is uninstalled while there are Imports", uninstalledTooEarly},
		{"it is installed again", installedAgain},
		{"everything is uninstalled in order", uninstalledInOrder},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(t, c) }) {
			t.Fatal("what follows needs this")
		}
	}
}

// foreign are kinds of other projects, whose CRDs the control plane does not have.
var foreign = []string{"ServiceMonitor", "PrometheusRule", "Issuer", "Certificate"}

// isValid applies what each value of the chart makes, without effect, and with every field checked.
func isValid(t *testing.T, c *cluster) {
	must(t, c.objects.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: releaseNamespace}}))
	for _, name := range []string{"leases", "team-a"} {
		must(t, c.objects.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	chart := load(t, withFiles(t))
	seen := map[string]bool{}
	check := func(path string, with values) {
		for document := range strings.SplitSeq("\n"+mustRender(t, chart, with).Manifest, "\n---") {
			if seen[document] {
				continue
			}
			seen[document] = true
			for key, object := range objects(t, document) {
				// See installs.
				if slices.Contains(foreign, object.GetKind()) || strings.HasSuffix(key, "-import-fields.integrator.io") {
					continue
				}
				// A server-side apply refuses fields that do not exist.
				config := client.ApplyConfigurationFromUnstructured(object)
				if err := c.objects.Apply(t.Context(), config, client.DryRunAll, client.FieldOwner("test")); err != nil {
					t.Errorf("%s: %s: %v", path, key, err)
				}
			}
		}
	}
	check("the defaults", nil)
	for path, change := range changes {
		switch path {
		case "commonLabels", "commonAnnotations", "nameOverride", "fullnameOverride", "crds.keep":
			// They change every object, and none of its fields: two minutes for nothing new.
			change.with = together(change.with, at("crds.enabled", path == "crds.keep"), at("admissionPolicies.definitionWarnings", false))
		}
		check(path, together(change.with, at(path, change.to)))
	}
	if len(seen) < 100 {
		t.Errorf("only %d objects were checked", len(seen))
	}
}

// declare creates a namespace with a Secret, an Account and an Import by the commands of NOTES.txt, and waits for the Import.
// The namespace has an account of its own.
func (c *cluster) declare(t *testing.T, namespace, commands string) *v1alpha1.Import {
	t.Helper()
	c.kubectl(t, "create", "namespace", namespace)
	// A busy machine takes longer.
	c.shell(t, namespace, strings.ReplaceAll(c.firstObjects(t, namespace, commands), "kubectl wait ", "kubectl wait --timeout=2m "))
	return c.reconciled(t, namespace, "orders-to-shop")
}

// firstObjects are the commands of NOTES.txt for the account of a namespace, which is made.
func (c *cluster) firstObjects(t *testing.T, namespace, commands string) string {
	t.Helper()
	token := "token-of-" + namespace
	must(t, c.sim.AddAccount(simulator.AccountSpec{Name: namespace, Tokens: []simulator.Token{{Token: token}}, Connections: []simulator.Connection{{ID: connection}}}))
	// The real API is not called.
	for before, after := range map[string]string{
		"YOUR_API_TOKEN":      token,
		"  tokenSecretRef:\n": "  baseURL: " + c.api + "\n  tokenSecretRef:\n",
	} {
		if strings.Count(commands, before) != 1 {
			t.Fatalf("%q is not once in\n%s", before, commands)
		}
		commands = strings.ReplaceAll(commands, before, after)
	}
	return commands
}

// firstSteps are the commands of the chart's notes.
func firstSteps(t *testing.T, notes string) string {
	t.Helper()
	var commands strings.Builder
	for line := range strings.Lines(notes) {
		if command, indented := strings.CutPrefix(line, "     "); indented && !strings.Contains(command, "rollout status") {
			commands.WriteString(command)
		}
	}
	if strings.Count(commands.String(), "kubectl") < 5 {
		t.Fatalf("the commands of the notes are\n%s", commands.String())
	}
	return commands.String()
}

func kustomizationRuns(t *testing.T, c *cluster) {
	c.kubectl(t, "apply", "--server-side", "--validate=strict", "--filename="+c.overlay(t, "default"))
	c.kubectl(t, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	c.runManager(t)
	c.declare(t, "by-kustomization", firstSteps(t, mustRender(t, load(t, directory), nil).Info.Notes))
	c.checkRights(t)
	c.stopManager(t)
}

// overlay is the manifest of a kustomization for the simulator, without the warnings, as in installs.
func (c *cluster) overlay(t *testing.T, kustomization string) string {
	t.Helper()
	var documents []string
	for key, object := range kustomized(t, kustomization, false) {
		if strings.Contains(key, " integrator-operator-import-") && strings.HasPrefix(key, "ValidatingAdmissionPolicy") {
			continue
		}
		if strings.HasPrefix(key, "Deployment ") {
			containers, _, _ := nestedContainers(object.Object)
			container, _ := containers[0].(map[string]any)
			args, _ := container["args"].([]any)
			container["args"] = append(args, "--allow-http", "--allowed-api-hosts="+strings.TrimPrefix(c.api, "http://"))
		}
		document, err := yaml.Marshal(object.Object)
		must(t, err)
		documents = append(documents, string(document))
	}
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	// Namespaces first.
	slices.SortStableFunc(documents, func(a, b string) int {
		return strings.Compare(order(a), order(b))
	})
	must(t, os.WriteFile(file, []byte(strings.Join(documents, "---\n")), 0o600))
	return file
}

func order(document string) string {
	if strings.Contains(document, "\nkind: Namespace\n") {
		return "0"
	}
	return "1"
}

func nestedContainers(object map[string]any) (containers []any, found bool, err error) {
	spec, _ := object["spec"].(map[string]any)
	template, _ := spec["template"].(map[string]any)
	pod, _ := template["spec"].(map[string]any)
	containers, found = pod["containers"].([]any)
	return containers, found, nil
}

func chartTakesOver(t *testing.T, c *cluster) {
	before, since := c.get(t, "by-kustomization"), c.now()
	// Its selector cannot be changed.
	c.kubectl(t, "delete", "deployment", local.OperatorServiceAccount, "--namespace="+releaseNamespace)
	c.install(t, load(t, directory), nil, true)
	c.runManager(t)
	c.unchanged(t, before, c.reconciled(t, "by-kustomization", "orders-to-shop"), since)
	c.checkRights(t)
	c.stopManager(t)
}

func (c *cluster) get(t *testing.T, namespace string) *v1alpha1.Import {
	t.Helper()
	object := &v1alpha1.Import{}
	must(t, c.objects.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "orders-to-shop"}, object))
	return object
}

// unchanged checks that an Import is the same, and that nothing was written to the API.
func (c *cluster) unchanged(t *testing.T, before, after *v1alpha1.Import, since int64) {
	t.Helper()
	if before.UID != after.UID || before.Status.ID != after.Status.ID || after.Status.ID == "" {
		t.Errorf("the Import was %s with the import %s, and is %s with %s", before.UID, before.Status.ID, after.UID, after.Status.ID)
	}
	if diff := cmp.Diff(text(t, before.Spec), text(t, after.Spec)); diff != "" {
		t.Errorf("spec (-before +after)\n%s", diff)
	}
	if writes := c.writes(since); len(writes) > 0 {
		t.Errorf("the API was changed: %s", writes)
	}
}

func text(t *testing.T, of any) string {
	t.Helper()
	document, err := yaml.Marshal(of)
	must(t, err)
	return string(document)
}

// What the older chart does not have: a field of Imports, and a resource in the role of the manager.
const (
	newField = "maskedFields"
	newRight = "importruns/status"
)

// may reports whether the manager may patch a resource.
func (c *cluster) may(t *testing.T, resource string) bool {
	t.Helper()
	name, subresource, _ := strings.Cut(resource, "/")
	review, err := c.plane.Clients.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + releaseNamespace + ":" + local.OperatorServiceAccount,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "patch", Group: v1alpha1.GroupVersion.Group, Resource: name, Subresource: subresource},
	}}, metav1.CreateOptions{})
	must(t, err)
	return review.Status.Allowed
}

// older is the chart as an earlier version may have been: without a field and without a right.
func older(t *testing.T) *chartv2.Chart {
	t.Helper()
	chart := load(t, directory)
	chart.Metadata.Version, chart.Metadata.AppVersion = "0.0.9", "0.0.9"
	changed := 0
	for _, template := range chart.Templates {
		switch template.Name {
		case "templates/generated/crd-integrator.io_imports.yaml":
			template.Data = []byte(without(t, string(template.Data), newField))
			changed++
		case "templates/generated/manager-role.yaml":
			template.Data = []byte(strings.ReplaceAll(string(template.Data), "  - "+newRight+"\n", ""))
			changed++
		}
	}
	if changed != 2 {
		t.Fatalf("%d templates were changed", changed)
	}
	return chart
}

// without removes a key with what is below it from YAML.
func without(t *testing.T, text, key string) string {
	t.Helper()
	var kept []string
	removed, depth := 0, -1
	for line := range strings.Lines(text) {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if depth >= 0 && indent > depth {
			continue
		}
		depth = -1
		if strings.TrimSpace(line) == key+":" {
			depth, removed = indent, removed+1
			continue
		}
		kept = append(kept, line)
	}
	if removed != 1 {
		t.Fatalf("%s was removed %d times", key, removed)
	}
	return strings.Join(kept, "")
}

func olderChart(t *testing.T, c *cluster) {
	release := c.install(t, older(t), nil, false)
	c.runManager(t)
	c.declare(t, "by-helm", firstSteps(t, release.Info.Notes))
	c.checkRights(t)
	c.stopManager(t)

	_, err := c.plane.Kubectl(t.Context(), "patch", "import", "orders-to-shop", "--namespace=by-helm", "--type=merge", "--patch", `{"spec":{"`+newField+`":"Send"}}`)
	if err == nil && string(c.get(t, "by-helm").Spec.MaskedFields) == "Send" {
		t.Fatal("the older chart has the new field")
	}
	if c.may(t, newRight) {
		t.Fatal("the older chart has the new right")
	}
}

func upgraded(t *testing.T, c *cluster) {
	before, since := c.get(t, "by-helm"), c.now()
	c.upgrade(t, load(t, directory), nil)
	if image := c.deployed(t).Spec.Template.Spec.Containers[0].Image; !strings.HasSuffix(image, ":"+load(t, directory).Metadata.AppVersion) {
		t.Errorf("the Deployment has the image %s", image)
	}
	c.runManager(t)
	// The new field has its default.
	before.Spec.MaskedFields = v1alpha1.MaskedFieldsRefuse
	c.unchanged(t, before, c.reconciled(t, "by-helm", "orders-to-shop"), since)
	if !c.may(t, newRight) {
		t.Error("the role was not upgraded")
	}
	// The new field is there.
	c.kubectl(t, "patch", "import", "orders-to-shop", "--namespace=by-helm", "--type=merge", "--patch", `{"spec":{"`+newField+`":"Send"}}`)
	if got := c.reconciled(t, "by-helm", "orders-to-shop"); string(got.Spec.MaskedFields) != "Send" {
		t.Errorf("the CRD was not upgraded: %q", got.Spec.MaskedFields)
	}

	// Somebody leaves the CRDs to another tool, and changes their mind.
	before, since = c.get(t, "by-helm"), c.now()
	c.upgrade(t, load(t, directory), at("crds.enabled", false))
	c.upgrade(t, load(t, directory), nil)
	c.unchanged(t, before, c.reconciled(t, "by-helm", "orders-to-shop"), since)
	c.checkRights(t)
	c.stopManager(t)
}

// everything are the kinds of the chart's objects.
const everything = "crd,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings," +
	"deployments,services,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets"

// uninstalledTooEarly uninstalls the operator while there are Imports.
func uninstalledTooEarly(t *testing.T, c *cluster) {
	before, since := c.get(t, "by-helm"), c.now()
	if info := c.uninstall(t); !strings.Contains(info, "imports.integrator.io") {
		t.Errorf("helm does not say what it keeps: %q", info)
	}
	c.unchanged(t, before, c.get(t, "by-helm"), since)
	// Nothing is left but the namespace, the CRDs and what helm did not create.
	left := c.kubectl(t, "get", everything, "--all-namespaces", "--selector=app.kubernetes.io/name=integrator-operator", "--output=name")
	if diff := cmp.Diff([]string{"accounts", "importruns", "imports"}, crds(left)); diff != "" {
		t.Errorf("CRDs (-want +left)\n%s\n%s", diff, left)
	}
	if count := strings.Count(left, "\n"); count != 3 {
		t.Errorf("left are\n%s", left)
	}

	// An Import that is deleted now waits, and the page says how it ends.
	c.kubectl(t, "delete", "import", "orders-to-shop", "--namespace=by-helm", "--wait=false")
	c.kubectl(t, "create", "--filename="+c.manifest(t, "by-helm", "second"))
	c.kubectl(t, "delete", "import", "second", "--namespace=by-helm", "--wait=false")
	c.shell(t, "by-helm", strings.ReplaceAll(endAlone, "NAME", "second"))
	if writes := c.writes(since); len(writes) > 0 {
		t.Errorf("the API was changed: %s", writes)
	}
	if c.get(t, "by-helm").DeletionTimestamp == nil {
		t.Error("the Import does not wait")
	}
}

// manifest is that of another Import, with a finalizer, for the same definition.
func (c *cluster) manifest(t *testing.T, namespace, name string) string {
	t.Helper()
	from := c.get(t, namespace)
	object := &v1alpha1.Import{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Import"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Finalizers: from.Finalizers}, Spec: from.Spec}
	content, err := yaml.Marshal(object)
	must(t, err)
	file := filepath.Join(t.TempDir(), name+".yaml")
	must(t, os.WriteFile(file, content, 0o600))
	return file
}

func crds(names string) (found []string) {
	for name := range strings.FieldsSeq(names) {
		if crd, ok := strings.CutPrefix(name, "customresourcedefinition.apiextensions.k8s.io/"); ok {
			found = append(found, strings.TrimSuffix(crd, ".integrator.io"))
		}
	}
	slices.Sort(found)
	return found
}

// installedAgain: the CRDs that were kept belong to the new release, and the Import that was deleted meanwhile is deleted on the platform too.
func installedAgain(t *testing.T, c *cluster) {
	id, since := c.get(t, "by-helm").Status.ID, c.now()
	c.install(t, load(t, directory), nil, false)
	c.runManager(t)
	must(t, local.Await(t.Context(), local.Patience, "the Import to be deleted", func(ctx context.Context) error {
		err := c.objects.Get(ctx, client.ObjectKey{Namespace: "by-helm", Name: "orders-to-shop"}, &v1alpha1.Import{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it is there"), err)
	}))
	if diff := cmp.Diff([]string{"DELETE " + id}, c.writes(since)); diff != "" {
		t.Errorf("changes of the API (-want +got)\n%s", diff)
	}
	c.checkRights(t)
	c.stopManager(t)
}

// Commands of docs/uninstall.md.
const (
	seeBlocked = `kubectl get imports --all-namespaces -o custom-columns='NAMESPACE:.metadata.namespace,NAME:.metadata.name,DELETED:.metadata.deletionTimestamp,WHY:.status.conditions[?(@.type=="Ready")].message'`
	endBlocked = `kubectl patch import NAME --type=merge --patch '{"spec":{"deletionPolicy":"Orphan"}}'`
	endAlone   = `kubectl patch import NAME --type=merge --patch '{"metadata":{"finalizers":null}}'`
	orphanAll  = `kubectl get imports --all-namespaces --no-headers -o custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name |
while read -r namespace name; do
  kubectl patch import "$name" --namespace "$namespace" --type=merge --patch '{"spec":{"deletionPolicy":"Orphan"}}'
done`
	deleteObjects = `kubectl delete importruns,imports --all --all-namespaces
kubectl delete accounts --all --all-namespaces`
	deleteCRDs = `kubectl delete crd accounts.integrator.io importruns.integrator.io imports.integrator.io`
)

// TestUninstallPage: the page has the commands that TestOnACluster tries.
func TestUninstallPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "uninstall.md"))
	must(t, err)
	// Some are in a list.
	page = []byte(strings.ReplaceAll(string(page), "\n   ", "\n"))
	for _, command := range []string{seeBlocked, endBlocked, endAlone, orphanAll, deleteObjects, deleteCRDs} {
		if !strings.Contains(string(page), command) {
			t.Errorf("docs/uninstall.md does not have %s", command)
		}
	}
}

// uninstalledByCRDs is the other order, which "make uninstall" takes: the CRDs are deleted first. A flow uses
// the import, so that this waits.
func uninstalledByCRDs(t *testing.T, c *cluster) {
	c.runManager(t)
	const flow = "64b000000000000000000001"
	object := c.get(t, "by-kustomization")
	must(t, c.sim.AddFlow(object.Namespace, simulator.Flow{ID: flow, Name: "Nightly upload", Imports: []string{object.Status.ID}}))
	since := c.now()
	c.shell(t, "default", deleteCRDs+" --wait=false")
	must(t, local.Await(t.Context(), local.Patience, "the deletion to be blocked", func(context.Context) error {
		if output := c.shell(t, "default", seeBlocked); !strings.Contains(output, "Nightly upload") {
			return errors.New(output)
		}
		return nil
	}))
	c.shell(t, object.Namespace, strings.ReplaceAll(endBlocked, "NAME", object.Name))
	c.kubectl(t, "wait", "--for=delete", "crd", "imports.integrator.io", "accounts.integrator.io", "importruns.integrator.io", "--timeout=2m")
	if writes := c.writes(since); len(writes) > 0 {
		t.Errorf("the API was changed: %s", writes)
	}
	c.uninstall(t)
	c.stopManager(t)
	c.nothingLeft(t)
}

// uninstalledInOrder is what docs/uninstall.md says: the objects, the operator, the CRDs.
func uninstalledInOrder(t *testing.T, c *cluster) {
	c.runManager(t)
	notes := firstSteps(t, mustRender(t, load(t, directory), nil).Info.Notes)
	c.declare(t, "kept", notes)
	c.shell(t, "default", orphanAll)
	deleted, since := c.declare(t, "deleted", notes), c.now()
	c.shell(t, "default", deleteObjects)
	if diff := cmp.Diff([]string{"DELETE " + deleted.Status.ID}, c.writes(since)); diff != "" {
		t.Errorf("changes of the API (-want +got)\n%s", diff)
	}
	c.checkRights(t)
	c.uninstall(t)
	c.stopManager(t)
	c.shell(t, "default", deleteCRDs)
	c.nothingLeft(t)
}

// nothingLeft checks that the cluster has nothing of the operator.
func (c *cluster) nothingLeft(t *testing.T) {
	t.Helper()
	if left := c.kubectl(t, "get", everything, "--all-namespaces", "--selector=app.kubernetes.io/name=integrator-operator", "--output=name"); left != "" {
		t.Errorf("left are\n%s", left)
	}
}
