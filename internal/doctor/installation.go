// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/config/crd"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// kinds checks that the cluster has the kinds, as this program knows them. It reports whether all are
// there.
func (d *doctor) kinds(ctx context.Context) bool {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		d.add(nameKinds, "", Failed, "", "%v", err)
		return false
	}
	all := true
	for _, file := range files {
		content, err := crd.Bases.ReadFile(file)
		var own map[string]any
		if err == nil {
			err = yaml.Unmarshal(content, &own)
		}
		if err != nil {
			d.add(nameKinds, file, Failed, "", "%v", err)
			return false
		}
		all = d.kind(ctx, &unstructured.Unstructured{Object: own}) && all
	}
	return all
}

const adviceCRD = "apply the CustomResourceDefinitions of the operator's version, see docs/upgrade.md"

// kind checks one kind, and reports whether the cluster has it.
func (d *doctor) kind(ctx context.Context, own *unstructured.Unstructured) bool {
	name := own.GetName()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	err := d.Cluster.Get(ctx, client.ObjectKey{Name: name}, live)
	switch {
	case apierrors.IsNotFound(err):
		d.add(nameKinds, name, Failed, "install the operator, see docs/install.md", "the cluster does not have this kind")
		return false
	case err != nil:
		return d.served(own, err)
	case !established(live):
		d.add(nameKinds, name, Failed, "see kubectl describe crd "+name, "the API server does not serve this kind")
		return false
	case !equality.Semantic.DeepEqual(schemaOf(own), schemaOf(live)):
		d.add(nameKinds, name, Warning, adviceCRD+"; if they are, use the plug-in of that version", "its schema is not that of this program, which is of version %s", d.Version)
	default:
		d.add(nameKinds, name, OK, "", "it is there, with the schema of this version")
	}
	return true
}

// served checks a kind whose definition may not be read by what the API server offers.
func (d *doctor) served(own *unstructured.Unstructured, why error) bool {
	group, _, _ := unstructured.NestedString(own.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(own.Object, "spec", "names", "kind")
	_, err := d.Cluster.RESTMapper().RESTMapping(schema.GroupKind{Group: group, Kind: kind}, "v1alpha1")
	switch {
	case apimeta.IsNoMatchError(err):
		d.add(nameKinds, own.GetName(), Failed, "install the operator, see docs/install.md", "the API server does not offer this kind")
		return false
	case err != nil:
		d.unread(nameKinds, own.GetName(), "find out which kinds the API server offers", err)
	case !apierrors.IsForbidden(why):
		d.unread(nameKinds, own.GetName(), "read the CustomResourceDefinition", why)
	default:
		d.add(nameKinds, own.GetName(), Skipped, "", "it is there; you may not read the CustomResourceDefinition, so its schema was not compared")
	}
	return true
}

func established(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, one := range conditions {
		condition, _ := one.(map[string]any)
		if condition["type"] == "Established" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

// schemaOf are the schemas of a definition without descriptions, by version.
func schemaOf(definition *unstructured.Unstructured) map[string]any {
	schemas := map[string]any{}
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	for _, one := range versions {
		version, _ := one.(map[string]any)
		name, _ := version["name"].(string)
		schemas[name] = undescribed(version["schema"])
	}
	return schemas
}

// undescribed is a schema without its texts, and with numbers of one type.
func undescribed(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		made := map[string]any{}
		for name, child := range typed {
			if _, isText := child.(string); name == "description" && isText {
				continue
			}
			made[name] = undescribed(child)
		}
		return made
	case []any:
		made := make([]any, len(typed))
		for i, child := range typed {
			made[i] = undescribed(child)
		}
		return made
	case int64:
		return float64(typed)
	default:
		return value
	}
}

// operator is what is known of the operator from its Deployment.
type operator struct {
	namespace, serviceAccount string
	ready                     bool
	// hosts are those of --allowed-api-hosts, nil if the flag is not set.
	hosts     []string
	allowHTTP bool
	elects    bool
	// namespaces are those that it watches, nil for all.
	namespaces []string
	// selector is that of --watch-label-selector, nil for all objects.
	selector labels.Selector
}

// watches reports whether it works in a namespace, "" for all.
func (o *operator) watches(namespace string) bool {
	return namespace == "" || o.namespaces == nil || slices.Contains(o.namespaces, namespace)
}

// before reports whether o is the one to ask about a namespace, rather than the other.
func (o *operator) before(other *operator, namespace string) bool {
	switch {
	case other == nil:
		return true
	case o.watches(namespace) != other.watches(namespace):
		return o.watches(namespace)
	default:
		return o.ready && !other.ready
	}
}

// usualNamespace is that of config/default.
const usualNamespace = "integrator-operator-system"

// installed are the labels of the operator's Deployment, however it was installed.
var installed = client.MatchingLabels{"app.kubernetes.io/name": "integrator-operator", "control-plane": "controller-manager"}

// deployment looks for the operator: in all namespaces, or in the one where it is said to be.
func (d *doctor) deployment(ctx context.Context) {
	var found appsv1.DeploymentList
	namespace, where := d.OperatorNamespace, "in any namespace"
	err := d.Cluster.List(ctx, &found, installed, client.InNamespace(namespace))
	if namespace == "" && apierrors.IsForbidden(err) {
		namespace = usualNamespace
		err = d.Cluster.List(ctx, &found, installed, client.InNamespace(namespace))
	}
	if namespace != "" {
		where = "in namespace " + namespace
	}
	switch {
	case err != nil:
		d.unread(nameOperator, "", "list the Deployments "+where, err)
	case len(found.Items) == 0:
		d.add(nameOperator, "", Warning, "install it, see docs/install.md; if it is in another namespace, name that with --operator-namespace",
			"there is no Deployment of it %s, with the labels app.kubernetes.io/name=integrator-operator and control-plane=controller-manager", where)
	default:
		for i := range found.Items {
			d.running(&found.Items[i])
		}
	}
	if d.operator != nil && !d.operator.watches(d.Namespace) {
		d.add(nameOperator, d.operator.namespace, Failed, "start an operator with this namespace in --watch-namespaces", "it does not watch namespace %s", d.Namespace)
	}
	if len(found.Items) > 1 && slices.ContainsFunc(d.operators, func(o *operator) bool { return o.selector == nil }) {
		d.add(nameOperator, "", Warning, "look whether two of them watch one namespace; see another with --operator-namespace",
			"there are %d of them; what follows is about the one in namespace %s", len(found.Items), d.operator.namespace)
	}
}

// running checks one Deployment of the operator.
func (d *doctor) running(deployment *appsv1.Deployment) {
	name := deployment.Namespace + "/" + deployment.Name
	made := &operator{namespace: deployment.Namespace, serviceAccount: deployment.Spec.Template.Spec.ServiceAccountName, ready: deployment.Status.ReadyReplicas > 0}
	image := ""
	for _, container := range deployment.Spec.Template.Spec.Containers {
		if container.Name == "manager" {
			image = container.Image
			made.flags(container)
		}
	}
	d.operators = append(d.operators, made)
	if made.before(d.operator, d.Namespace) {
		d.operator = made
	}
	wanted := int32(1)
	if deployment.Spec.Replicas != nil {
		wanted = *deployment.Spec.Replicas
	}
	switch ready := deployment.Status.ReadyReplicas; {
	case wanted == 0:
		d.add(nameOperator, name, Failed, fmt.Sprintf("kubectl -n %s scale deployment %s --replicas=1", deployment.Namespace, deployment.Name), "it is scaled to 0: nothing is reconciled")
	case ready == 0:
		d.add(nameOperator, name, Failed, fmt.Sprintf("see kubectl -n %s get pods, and their logs", deployment.Namespace), "none of %d replicas is ready: nothing is reconciled", wanted)
	case ready < wanted:
		d.add(nameOperator, name, Warning, fmt.Sprintf("see kubectl -n %s get pods", deployment.Namespace), "%d of %d replicas are ready", ready, wanted)
	default:
		d.add(nameOperator, name, OK, "", "%d of %d replicas are ready", ready, wanted)
	}
	d.skew(name, deployment.Labels["app.kubernetes.io/version"], image)
}

// selected looks for objects that none of the operators selects by their labels, and for those that two do.
func (d *doctor) selected() {
	if !slices.ContainsFunc(d.operators, func(o *operator) bool { return o.selector != nil }) {
		return
	}
	var none, several []string
	look := func(kind string, object client.Object) {
		name := kind + " " + object.GetNamespace() + "/" + object.GetName()
		count := 0
		for _, o := range d.operators {
			if o.watches(object.GetNamespace()) && (o.selector == nil || o.selector.Matches(labels.Set(object.GetLabels()))) {
				count++
			}
		}
		switch {
		case count == 0:
			none = append(none, name)
		case count > 1:
			several = append(several, name)
		}
	}
	for i := range d.accounts {
		look("Account", &d.accounts[i])
	}
	for i := range d.imports {
		look("Import", &d.imports[i])
	}
	if len(none) > 0 {
		d.add(nameOperator, "", Warning, "give them a label that an operator selects, or start one with --watch-label-selector for them",
			"no operator that was found selects %s: nothing is done for them", problem.SomeOf(none, 5))
	}
	if len(several) > 0 {
		d.add(nameOperator, "", Warning, "change --watch-label-selector, so that each object has one operator", "several operators select %s", problem.SomeOf(several, 5))
	}
}

// skew compares the version of the operator with that of this program.
func (d *doctor) skew(name, label, image string) {
	version := label
	if _, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":"); tagged && !strings.Contains(tag, ":") && !strings.Contains(image, "@") {
		version = tag
	}
	same := func(version string) string { return strings.TrimPrefix(strings.ReplaceAll(version, "_", "+"), "v") }
	switch {
	case version == "" || version == "latest" || d.Version == "devel":
		d.add(nameOperator, name, Skipped, "", "its version cannot be compared: the image is %s, and this program is of version %s", image, d.Version)
	case same(version) != same(d.Version):
		d.add(nameOperator, name, Warning, "use the plug-in of the operator's version, see docs/install.md", "it is of version %s, and this program of version %s", version, d.Version)
	default:
		d.add(nameOperator, name, OK, "", "it is of the version of this program, %s", d.Version)
	}
}

func list(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
}

// flags reads the arguments of the manager that matter here.
func (o *operator) flags(container corev1.Container) {
	arguments := append(append([]string{}, container.Command...), container.Args...)
	for i, argument := range arguments {
		name, value, found := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		if !found && i+1 < len(arguments) && !strings.HasPrefix(arguments[i+1], "-") {
			value = arguments[i+1]
		}
		switch name {
		case "allowed-api-hosts":
			o.hosts = list(value)
		case "watch-namespaces":
			o.namespaces = append(o.namespaces, list(value)...)
		case "watch-label-selector":
			// The operator refuses what is none.
			o.selector, _ = labels.Parse(value)
		case "allow-http":
			o.allowHTTP = value != "false"
		case "leader-elect":
			o.elects = value != "false"
		}
	}
}
