// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const note = "{{- /* Made by \"make manifests\" of config/. */ -}}\n"

// Values that kustomize puts where the chart has a template: it finds all the references.
const (
	prefix         = "chart-fullname-"
	namespace      = "chart-namespace"
	leaseNamespace = "chart-lease-namespace"
	watched        = "chart-watched-namespace"
	serviceAccount = prefix + "controller-manager"
	label          = "chart-labels"
	annotation     = "chart-annotations"
)

var placeholders = strings.NewReplacer(
	"{{", `{{ "{{" }}`,
	// The longer ones first.
	serviceAccount, `{{ include "integrator-operator.serviceAccountName" . }}`,
	prefix, `{{ include "integrator-operator.fullname" . }}-`,
	leaseNamespace, `{{ include "integrator-operator.leaseNamespace" . }}`,
	watched, `{{ $watched }}`,
	namespace, `{{ .Release.Namespace }}`,
	"    "+label+": \"\"\n", "    {{- include \"integrator-operator.labels\" . | nindent 4 }}\n",
	"  annotations:\n    "+annotation+": \"\"\n", "  {{- with .Values.commonAnnotations }}\n  annotations:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n",
)

// bases are the kustomizations that become templates, with the file and the condition of their objects.
var bases = map[string]func(*resource.Resource) (file, condition string, err error){
	"rbac": rolesFile,
	"manager-policy": func(*resource.Resource) (string, string, error) {
		return "manager-policies.yaml", ".Values.admissionPolicies.manager", nil
	},
	"definition-warnings": func(*resource.Resource) (string, string, error) {
		return "definition-warnings.yaml", ".Values.admissionPolicies.definitionWarnings", nil
	},
	"admission": func(*resource.Resource) (string, string, error) {
		return "secret-policies.yaml", ".Values.admissionPolicies.secrets", nil
	},
}

// The rights of the manager: in the whole cluster, or in each namespace of watchNamespaces.
const (
	managerRole  = "manager-role.yaml"
	watchedRoles = "watched-namespaces-roles.yaml"
)

// rolesFile says where an object of config/rbac belongs. One that it does not know needs a decision.
func rolesFile(object *resource.Resource) (file, condition string, err error) {
	name := strings.TrimPrefix(object.GetName(), prefix)
	switch {
	case object.GetKind() == "ServiceAccount":
		return "", "", nil // a template of its own, with values for it
	case hasAggregation(object):
		return "user-roles.yaml", ".Values.rbac.userRoles", nil
	case strings.HasPrefix(name, "leader-election-"):
		return "leader-election-role.yaml", "and .Values.rbac.create .Values.leaderElection.enabled", nil
	case strings.HasPrefix(name, "metrics-"):
		return "metrics-roles.yaml", "and .Values.rbac.create .Values.metrics.enabled .Values.metrics.secure (not .Values.watchNamespaces)", nil
	case strings.HasPrefix(name, "manager-"):
		return managerRole, "and .Values.rbac.create (not .Values.watchNamespaces)", nil
	default:
		return "", "", fmt.Errorf("config/rbac has the %s %s, and hack/tools/chart does not know by which value it is created", object.GetKind(), name)
	}
}

func hasAggregation(object *resource.Resource) bool {
	for key := range object.GetLabels() {
		if strings.HasPrefix(key, "rbac.authorization.k8s.io/aggregate-to-") {
			return true
		}
	}
	return false
}

// objectTemplates are the templates of the bases by the names of their files.
func objectTemplates(config string) (map[string]string, error) {
	templates := map[string]string{}
	conditions := map[string]string{}
	for base, place := range bases {
		objects, err := build(config, base)
		if err != nil {
			return nil, fmt.Errorf("config/%s: %w", base, err)
		}
		for _, object := range objects {
			file, condition, err := place(object)
			if err != nil {
				return nil, err
			}
			if file == "" {
				continue
			}
			text, err := objectTemplate(object)
			if err != nil {
				return nil, err
			}
			templates[file] += "---\n" + text
			conditions[file] = condition
			if file == managerRole {
				if text, err = watchedTemplate(object); err != nil {
					return nil, err
				}
				templates[watchedRoles] += "---\n" + text
			}
		}
	}
	// In the inner block, the context is that of the chart, as everywhere else.
	templates[watchedRoles] = "{{- range $watched := .Values.watchNamespaces }}\n{{- with $ }}\n" + templates[watchedRoles] + "{{- end }}\n{{- end }}\n"
	conditions[watchedRoles] = ".Values.rbac.create"
	for file, text := range templates {
		templates[file] = note + "{{- if " + conditions[file] + " }}\n" + text + "{{- end }}\n"
	}
	return templates, nil
}

// build renders a kustomization with the placeholders.
func build(config, base string) ([]*resource.Resource, error) {
	files := filesys.MakeFsInMemory()
	paths, err := filepath.Glob(filepath.Join(config, base, "*.yaml"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no manifests: %w", err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := files.WriteFile("/base/"+filepath.Base(path), content); err != nil {
			return nil, err
		}
	}
	resources := []string{"../base"}
	if base != "rbac" {
		// What names the ServiceAccount follows its name.
		account, err := os.ReadFile(filepath.Join(config, "rbac", "service_account.yaml"))
		if err != nil {
			return nil, err
		}
		if err := files.WriteFile("/overlay/account.yaml", account); err != nil {
			return nil, err
		}
		resources = append(resources, "account.yaml")
	}
	overlay, err := yaml.Marshal(map[string]any{"resources": resources, "namePrefix": prefix, "namespace": namespace})
	if err != nil {
		return nil, err
	}
	if err := files.WriteFile("/overlay/kustomization.yaml", overlay); err != nil {
		return nil, err
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/overlay")
	if err != nil {
		return nil, err
	}
	var objects []*resource.Resource
	for _, object := range built.Resources() {
		if base == "rbac" || object.GetKind() != "ServiceAccount" {
			objects = append(objects, object)
		}
	}
	return objects, nil
}

func objectTemplate(object *resource.Resource) (string, error) {
	labels := object.GetLabels()
	// The chart has a label of its own for it.
	delete(labels, "app.kubernetes.io/name")
	labels[label] = ""
	annotations := object.GetAnnotations()
	annotations[annotation] = ""
	if err := errors.Join(object.SetLabels(labels), object.SetAnnotations(annotations)); err != nil {
		return "", err
	}
	name := strings.TrimPrefix(object.GetName(), prefix)
	if strings.HasPrefix(name, "leader-election-") {
		if err := object.SetNamespace(leaseNamespace); err != nil {
			return "", err
		}
	}
	text, err := object.AsYAML()
	if err != nil {
		return "", err
	}
	return placeholders.Replace(string(text)), nil
}

// watchedTemplate is the template of a ClusterRole or its binding as one of a Role in a namespace that is
// watched.
func watchedTemplate(object *resource.Resource) (string, error) {
	if err := object.SetNamespace(watched); err != nil {
		return "", err
	}
	text, err := object.AsYAML()
	if err != nil {
		return "", err
	}
	return placeholders.Replace(strings.ReplaceAll(string(text), "kind: ClusterRole", "kind: Role")), nil
}

// crdTemplates are the CRDs as templates. Their text stays as it is, but for their metadata: numbers and
// long lines would not survive being read and written by a template.
func crdTemplates(directory string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no CRDs in %s: %w", directory, err)
	}
	const head = "\nmetadata:\n  annotations:\n"
	templates := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		before, after, found := strings.Cut(strings.ReplaceAll(string(content), "{{", `{{ "{{" }}`), head)
		if !found {
			return nil, fmt.Errorf("%s: its metadata do not begin with annotations", file)
		}
		templates["crd-"+filepath.Base(file)] = note + "{{- if .Values.crds.enabled }}\n" + before + `
metadata:
  labels:
    {{- include "integrator-operator.labels" . | nindent 4 }}
  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
    {{- with .Values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
` + after + "{{- end }}\n"
	}
	return templates, nil
}
