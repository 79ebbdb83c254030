// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"time"
)

// What the schemas cannot tell: names of objects that exist, ids, keys of maps. All else is made
// from the schema.

func always(value any) func(int) any { return func(int) any { return value } }

func nth(format string) func(int) any {
	return func(n int) any { return fmt.Sprintf(format, n) }
}

func goodAccount(w *world, _ string) map[string]any {
	spec := unstructuredSpec(w.accountObject("good"))
	spec["scanInterval"] = "1h"
	return spec
}

// offline keeps an Account that is to use the default URL from really calling it: it has no token.
func offline(spec map[string]any) {
	if spec["baseURL"] == nil {
		if ref, ok := spec["tokenSecretRef"].(map[string]any); ok {
			ref["name"] = "none"
		}
	}
}

func accountSamples(*world) samples {
	return samples{
		"spec.baseURL":             always(simURL),
		"spec.tokenSecretRef.name": always("token"),
		"spec.caBundleRef.name":    always("kept"),
		"spec.aliases{}":           nth("alias-%d"),
		"spec.aliases{}=":          always(shopConnection),
	}
}

func goodImport(w *world, name string) map[string]any {
	return unstructuredSpec(w.httpImport(name))
}

func importSamples(w *world) samples {
	seeded := func(n int) any { return w.seed(fmt.Sprintf("seeded-%d", n)) }
	named := func(n int) any {
		name := fmt.Sprintf("seeded-%d", n)
		w.seed(name, fmt.Sprintf(`{"externalId": %q}`, name))
		return name
	}
	return samples{
		"spec.accountRef.name":                   always("default"),
		"spec.adopt.id":                          seeded,
		"spec.adopt.externalId":                  named,
		"spec.cloneFrom.id":                      seeded,
		"spec.cloneFrom.importRef.name":          always("original"),
		"spec.cloneFrom.connectionMap{}":         nth("%024x"),
		"spec.cloneFrom.connectionMap{}=":        always("@ftp"),
		"spec.debugUntil":                        func(int) any { return time.Now().Add(30 * time.Minute).UTC().Format(time.RFC3339) },
		"spec.definition._connectionId":          always("@shop"),
		"spec.definition._integrationId":         always(shopConnection),
		"spec.definition._ediProfileId":          always(shopConnection),
		"spec.definition.adaptorType":            always("HTTPImport"),
		"spec.ignoreDifferences[]":               nth("/settings/ignored-%d"),
		"spec.valuesFrom[].path":                 nth("/settings/value-%d"),
		"spec.valuesFrom[].secretKeyRef.name":    always("kept"),
		"spec.valuesFrom[].secretKeyRef.key":     always("key"),
		"spec.valuesFrom[].configMapKeyRef.name": always("kept"),
		"spec.valuesFrom[].configMapKeyRef.key":  always("key"),
		"+spec.adopt":                            always(true),
		"+spec.cloneFrom":                        always(true),
	}
}

func goodRun(w *world, _ string) map[string]any {
	return unstructuredSpec(w.run("good", "original", record("A-1")))
}

func runSamples(w *world) samples {
	return samples{
		"spec.importRef.name":                  always("original"),
		"spec.data[]":                          always(int64(1)), // there can be many
		"spec.importID":                        func(int) any { return w.seed("invoked") },
		"spec.accountRef.name":                 always("default"),
		"spec.dataFrom[].secretKeyRef.name":    always("kept"),
		"spec.dataFrom[].secretKeyRef.key":     always("key"),
		"spec.dataFrom[].configMapKeyRef.name": always("kept"),
		"spec.dataFrom[].configMapKeyRef.key":  always("key"),
		"spec.responseSecretName":              nth("answers-%d"),
		"spec.idempotencyKey":                  nth("key-%d"),
	}
}
