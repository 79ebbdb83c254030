// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamespaces(t *testing.T) {
	for reason, tc := range map[string]struct {
		args []string
		want Namespaces
		says string
	}{
		"without the flag all are watched":      {},
		"one":                                   {args: []string{"--watch-namespaces=a"}, want: Namespaces{"a"}},
		"several, each once, in one order":      {args: []string{"--watch-namespaces=b,a, b"}, want: Namespaces{"a", "b"}},
		"the flag may be repeated":              {args: []string{"--watch-namespaces=c,a", "--watch-namespaces=b"}, want: Namespaces{"a", "b", "c"}},
		"an empty variable does not watch all":  {args: []string{"--watch-namespaces="}, says: "it names no namespace"},
		"neither does a list of nothing":        {args: []string{"--watch-namespaces= , "}, says: "it names no namespace"},
		"a pattern is no name":                  {args: []string{"--watch-namespaces=team-*"}, says: `"team-*" is not the name of a namespace`},
		"a variable that nobody replaced":       {args: []string{"--watch-namespaces=$(NAMESPACE)"}, says: `"$(NAMESPACE)" is not the name of a namespace`},
		"an object's name with a namespace too": {args: []string{"--watch-namespaces=a/b"}, says: `"a/b" is not the name of a namespace`},
	} {
		t.Run(reason, func(t *testing.T) {
			var got Namespaces
			set := flag.NewFlagSet("manager", flag.ContinueOnError)
			set.SetOutput(io.Discard)
			set.Var(&got, "watch-namespaces", "")
			err := set.Parse(tc.args)
			if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: got error %v, want %q", reason, err, tc.says)
			}
			if diff := cmp.Diff(tc.want, got); err == nil && diff != "" {
				t.Errorf("%s (-want +got)\n%s", reason, diff)
			}
		})
	}
}
