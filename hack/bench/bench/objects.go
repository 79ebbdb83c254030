// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"fmt"
	"hash/crc32"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
)

// Creations are n Imports that create their imports.
func Creations(name string, n int) (imports []*v1alpha1.Import) {
	for i := range n {
		imports = append(imports, ImportOf("default", fmt.Sprintf("%s-%d", name, i)))
	}
	return imports
}

// Declare puts another field before those of each definition: a name and a value, made of the Import's name.
func Declare(imports []*v1alpha1.Import, field func(name string) string) []*v1alpha1.Import {
	for _, object := range imports {
		object.Spec.Definition.Raw = fmt.Appendf(nil, "{%s,%s", field(object.Name), object.Spec.Definition.Raw[1:])
	}
	return imports
}

// Adoptions are n Imports that adopt what exists. The ids belong to the name: they are never given twice.
func Adoptions(name string, n int) (existing []json.RawMessage, imports []*v1alpha1.Import) {
	imports = Creations(name, n)
	for i, object := range imports {
		id := fmt.Sprintf("%08x%016x", crc32.ChecksumIEEE([]byte(name)), i+1)
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}
		existing = append(existing, json.RawMessage(`{"_id":"`+id+`",`+string(object.Spec.Definition.Raw[1:])))
	}
	return existing, imports
}

// ImportOf is an Import of an Account.
func ImportOf(account, name string) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: environment.Meta(name)}
	object.Spec.AccountRef.Name = account
	object.Spec.Definition.Raw = []byte(fmt.Sprintf(`{"name":%q,"adaptorType":"HTTPImport","_connectionId":%q,
		"http":{"method":["POST"],"relativeURI":["/orders"],"body":[null],"batchSize":10}}`, name, environment.Connection))
	return object
}
