// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission judges manifests as an API server with the CustomResourceDefinitions of this
// project does: names of fields, types, values and rules. It needs no cluster.
package admission

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/config/crd"
)

// Kinds judges the objects of the project's kinds, and of those that were added.
type Kinds struct {
	byKind map[schema.GroupVersionKind]kind
}

// kind judges the objects of one kind.
type kind struct {
	fields     validation.SchemaValidator
	structural *structuralschema.Structural
	rules      *cel.Validator
}

// Load reads the CustomResourceDefinitions that are part of the program.
func Load() (*Kinds, error) {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, err
	}
	kinds := &Kinds{byKind: map[schema.GroupVersionKind]kind{}}
	for _, file := range files {
		content, err := crd.Bases.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := kinds.Add(content); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return kinds, nil
}

// Add adds the kind of another CustomResourceDefinition, as YAML.
func (k *Kinds) Add(content []byte) error {
	var versioned apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(content, &versioned); err != nil {
		return err
	}
	var definition apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&versioned, &definition, nil); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		declared := version.Schema
		if declared == nil {
			declared = definition.Spec.Validation
		}
		fields, _, err := validation.NewSchemaValidator(declared.OpenAPIV3Schema)
		if err != nil {
			return err
		}
		structural, err := structuralschema.NewStructural(declared.OpenAPIV3Schema)
		if err != nil {
			return err
		}
		k.byKind[schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind}] = kind{
			fields: fields, structural: structural, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
		}
	}
	return nil
}

// Knows reports whether objects of the kind can be judged.
func (k *Kinds) Knows(gvk schema.GroupVersionKind) bool {
	_, ok := k.byKind[gvk]
	return ok
}

// Default fills in what the API server would. It does nothing to objects of an unknown kind.
func (k *Kinds) Default(object *unstructured.Unstructured) {
	if judge, ok := k.byKind[object.GroupVersionKind()]; ok {
		defaulting.Default(object.Object, judge.structural)
	}
}

// Admit returns the object as the API server would store it, with defaults, or everything that it
// would refuse. old is the object that the cluster has, nil if it has none; rules about changes need it.
func (k *Kinds) Admit(object, old *unstructured.Unstructured) (*unstructured.Unstructured, []string) {
	judge, ok := k.byKind[object.GroupVersionKind()]
	if !ok {
		return nil, []string{"there is no kind " + object.GroupVersionKind().String()}
	}
	admitted := object.DeepCopy()
	unstructured.RemoveNestedField(admitted.Object, "status")
	if admitted.GetName() == "" && admitted.GetGenerateName() != "" {
		admitted.SetName(admitted.GetGenerateName() + "00000")
	}
	k.Default(admitted)
	var mistakes []string
	unknown := pruning.PruneWithOptions(admitted.DeepCopy().Object, judge.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		mistakes = append(mistakes, "unknown field "+path)
	}
	var previous map[string]any
	if old != nil {
		previous = old.Object
	}
	errs := apivalidation.ValidateObjectMetaAccessor(admitted, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, admitted.Object, judge.fields)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, judge.structural, admitted.Object)...)
	if len(errs) == 0 {
		broken, _ := judge.rules.Validate(context.Background(), nil, judge.structural, admitted.Object, previous, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, err := range errs {
		mistakes = append(mistakes, strings.TrimPrefix(err.Error(), "<nil>: "))
	}
	slices.Sort(mistakes)
	return admitted, slices.Compact(mistakes)
}
