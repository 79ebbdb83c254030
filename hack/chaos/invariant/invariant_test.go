// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"testing"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
)

func TestBusiest(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	// every makes n writes of a key, one after each pause.
	every := func(n int, pause time.Duration, keys ...string) (writes []proxy.Write) {
		for i := range n {
			writes = append(writes, proxy.Write{Key: keys[i%len(keys)], At: began.Add(time.Duration(i) * pause)})
		}
		return writes
	}
	for name, c := range map[string]struct {
		writes []proxy.Write
		object string
		most   int
	}{
		"Nothing":         {nil, "", 0},
		"AtOnce":          {every(40, 0, "patch.imports.a"), "patch.imports.a", 40},
		"StatusCountsToo": {every(40, 0, "patch.imports.a", "patch.imports.a.status"), "patch.imports.a", 40},
		"Several":         {every(40, 0, "patch.imports.a", "patch.imports.b"), "patch.imports.a", 20},
		"Slowly":          {every(40, time.Second, "patch.imports.a"), "patch.imports.a", 3},
		"ToTheAPI":        {every(40, 0, "PUT.imports.id"), "", 0},
		"AtOnceAfterAWhile": {append(every(3, time.Second, "patch.imports.a"),
			proxy.Write{Key: "patch.imports.a", At: began.Add(time.Minute)}), "patch.imports.a", 3},
	} {
		t.Run(name, func(t *testing.T) {
			if object, most := busiest(c.writes); object != c.object || most != c.most {
				t.Errorf("%q, %d times; %q, %d times, expected", object, most, c.object, c.most)
			}
		})
	}
}
