// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"flag"
	"io"
	"strings"
	"testing"
)

func TestSelector(t *testing.T) {
	for reason, tc := range map[string]struct{ text, want, says string }{
		"one label":                        {text: "shard=a", want: "shard=a"},
		"a list":                           {text: "shard in (b, a)", want: "shard in (a,b)"},
		"what others do not have":          {text: "!shard", want: "!shard"},
		"the order does not matter":        {text: "team=x,shard!=a", want: "shard!=a,team=x"},
		"an empty variable is not for all": {text: " ", says: "it selects everything"},
		"no value can be like this":        {text: "shard=a b", says: "it has to be a label selector"},
		"a list that does not end":         {text: "shard in (a", says: "it has to be a label selector"},
		"a variable that nobody replaced":  {text: "$(SHARD)", says: "it has to be a label selector"},
	} {
		t.Run(reason, func(t *testing.T) {
			var got Selector
			check(t, &got, tc.text, tc.want, tc.says)
		})
	}
	if (&Selector{}).String() != "" {
		t.Error("a selector without the flag")
	}
}

func TestShare(t *testing.T) {
	for reason, tc := range map[string]struct{ text, want, says string }{
		"a third":                 {text: "1/3", want: "0.3333"},
		"a part":                  {text: "0.25", want: "0.25"},
		"all":                     {text: "1", want: "1"},
		"several parts of all":    {text: "2 / 3", want: "0.6667"},
		"nothing":                 {text: "0", says: "it has to be a fraction"},
		"more than all":           {text: "3/2", says: "it has to be a fraction"},
		"less than nothing":       {text: "-1/3", says: "it has to be a fraction"},
		"a part of nothing":       {text: "1/0", says: "it has to be a fraction"},
		"nothing of nothing":      {text: "0/0", says: "it has to be a fraction"},
		"no number":               {text: "NaN", says: "it has to be a fraction"},
		"a percentage is no part": {text: "30%", says: "it has to be a fraction"},
		"an empty variable":       {text: "", says: "it has to be a fraction"},
		"two fractions":           {text: "1/3/1", says: "it has to be a fraction"},
	} {
		t.Run(reason, func(t *testing.T) {
			var got Share
			check(t, &got, tc.text, tc.want, tc.says)
		})
	}
}

func check(t *testing.T, value flag.Value, text, want, says string) {
	t.Helper()
	set := flag.NewFlagSet("manager", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Var(value, "flag", "")
	err := set.Parse([]string{"--flag=" + text})
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("got error %v, want %q", err, says)
	}
	if err == nil && value.String() != want {
		t.Errorf("got %q, want %q", value.String(), want)
	}
}
