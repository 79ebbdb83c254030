// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package places

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// groupOf reads a name: "a.x3" is of the namespace a and its account x. The account s is that of all.
func groupOf(name string) Group {
	group := strings.TrimRight(name, "0123456789")
	namespace, account, _ := strings.Cut(group, ".")
	if account == "s" {
		return Group{namespace, account}
	}
	return Group{namespace, group}
}

const plenty = 1000

func TestPlaces(t *testing.T) {
	for reason, tc := range map[string]struct {
		size  int
		most  map[string]int
		steps string
		// got has, for each step, who has a place because of it.
		got []string
	}{
		"a single place goes from one to the next":                              {1, nil, "+a.x1 +a.x2 +b.x1 -a.x1 -b.x1", []string{"a.x1", "", "", "b.x1", "a.x2"}},
		"one namespace alone has half":                                          {4, nil, "+a.x1 +a.x2 +a.x3 +a.x4 +a.x5", []string{"a.x1", "a.x2", "", "", ""}},
		"others begin at once":                                                  {4, nil, "+a.x1 +a.x2 +a.x3 +b.x1 +b.x2 +c.x1", []string{"a.x1", "a.x2", "", "b.x1", "", "c.x1"}},
		"within an account who came first is first":                             {2, nil, "+a.x1 +a.x2 +a.x3 -a.x1 -a.x2", []string{"a.x1", "", "", "a.x2", "a.x3"}},
		"who has fewest is next":                                                {5, nil, "+a.x1 +a.x2 +a.x3 +b.x1 +c.x1 +d.x1 +a.x4 +e.x1 -a.x1", []string{"a.x1", "a.x2", "", "b.x1", "c.x1", "d.x1", "", "", "e.x1"}},
		"an account leaves one to another of its namespace":                     {12, nil, "+a.x1 +a.x2 +a.x3 +a.x4 +a.x5 +a.x6 +a.y1", []string{"a.x1", "a.x2", "a.x3", "a.x4", "a.x5", "", "a.y1"}},
		"the account with fewest is next":                                       {8, nil, "+a.x1 +a.x2 +a.x3 +a.x4 +a.x5 +a.y1 -a.x1", []string{"a.x1", "a.x2", "a.x3", "a.x4", "", "", "a.y1"}},
		"namespaces take turns":                                                 {1, nil, "+a.x1 +a.x2 +a.x3 +b.x1 +b.x2 -a.x1 -b.x1 -a.x2", []string{"a.x1", "", "", "", "", "b.x1", "a.x2", "b.x2"}},
		"accounts take turns":                                                   {2, nil, "+a.x1 +a.x2 +a.x3 +a.y1 +a.y2 -a.x1 -a.y1 -a.x2", []string{"a.x1", "", "", "", "", "a.y1", "a.x2", "a.y2"}},
		"an account that can use no more does not keep the others":              {8, map[string]int{"a.x": 1}, "+a.x1 +a.x2 +a.x3 +a.y1 -a.x1", []string{"a.x1", "", "", "a.y1", "a.x2"}},
		"what an account can use counts over all namespaces":                    {8, map[string]int{"a.s": 1, "b.s": 1}, "+a.s1 +b.s1 +b.y1 -a.s1", []string{"a.s1", "", "b.y1", "b.s1"}},
		"who waits keeps its turn, and who has a place keeps it":                {2, nil, "+a.x1 +a.x2 +a.x3 +a.x2 +a.x1 -a.x1", []string{"a.x1", "", "", "", "a.x1", "a.x2"}},
		"who leaves the queue is not given a place":                             {2, nil, "+a.x1 +a.x2 +a.x3 -a.x2 -a.x1", []string{"a.x1", "", "", "", "a.x3"}},
		"who goes on keeps the place while nobody is to have it first":          {2, nil, "+a.x1 =a.x1 =a.x1", []string{"a.x1", "a.x1", "a.x1"}},
		"who goes on gives the place to another of its account that has waited": {2, nil, "+a.x1 +a.x2 =a.x1 +a.x1 =a.x2", []string{"a.x1", "", "a.x2", "", "a.x1"}},
		"who goes on gives the place to another namespace":                      {1, nil, "+a.x1 +b.x1 =a.x1", []string{"a.x1", "", "b.x1"}},
		"who has none cannot keep it":                                           {1, nil, "=a.x1 +a.x1", []string{"", "a.x1"}},
	} {
		t.Run(reason, func(t *testing.T) {
			p := New[string](tc.size)
			var got []string
			for step := range strings.FieldsSeq(tc.steps) {
				who := step[1:]
				most, ok := tc.most[strings.TrimRight(who, "0123456789")]
				if !ok {
					most = plenty
				}
				got = append(got, strings.Join(take(p, step[0], who, most), " "))
			}
			if diff := cmp.Diff(tc.got, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", reason, diff)
			}
		})
	}
}

// take takes one step of a test, and returns who has a place because of it.
func take(p *Places[string], step byte, who string, most int) []string {
	switch step {
	case '+':
		answer, granted := p.Ask(who, groupOf(who), most)
		if answer == Granted {
			granted = append(granted, who)
		}
		return granted
	case '=':
		kept, granted := p.Renew(who, most)
		if kept {
			granted = append(granted, who)
		}
		return granted
	default:
		return p.Leave(who)
	}
}

func TestAnswers(t *testing.T) {
	p := New[string](2)
	var got []Answer
	for _, step := range []struct {
		who  string
		most int
	}{{"a.x1", 1}, {"a.x2", 1}, {"a.y1", 1}, {"b.x1", 1}} {
		answer, _ := p.Ask(step.who, groupOf(step.who), step.most)
		got = append(got, answer)
	}
	if diff := cmp.Diff([]Answer{Granted, AccountBusy, Queued, Granted}, got); diff != "" {
		t.Errorf("the account can use one place, and the namespace has its half (-want +got)\n%s", diff)
	}
	if taken, waiting := p.Counts(); taken != 2 || waiting != 2 {
		t.Errorf("%d have a place and %d want one", taken, waiting)
	}
}

func TestRetain(t *testing.T) {
	p := New[string](4)
	for _, who := range []string{"a.x1", "a.x2", "a.x3", "b.x1"} {
		p.Ask(who, groupOf(who), plenty)
	}
	p.Retain(func(who string) bool { return who == "a.x1" })
	if taken, waiting := p.Counts(); taken != 1 || waiting != 0 {
		t.Errorf("%d have a place and %d want one, want only the one that was kept", taken, waiting)
	}
	if answer, _ := p.Ask("a.x3", groupOf("a.x3"), plenty); answer != Granted {
		t.Error("who asks again gets no place, and the others have gone")
	}
}

// Whatever happens, no more places are taken than there are, nobody has one and waits too, a place
// that somebody may have is not left free, and a namespace without one gets one while two are free.
func TestPlacesInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable, not secret
		size := 1 + rng.IntN(12)
		p := New[string](size)
		for range 300 {
			who := fmt.Sprintf("%c.%c%d", 'a'+rng.Int32N(4), 'x'+rng.Int32N(2), rng.IntN(6))
			take(p, "+=-+"[rng.IntN(4)], who, 1+rng.IntN(4))
			check(t, p, seed)
		}
	}
}

func check(t *testing.T, p *Places[string], seed uint64) {
	t.Helper()
	if len(p.taken) > p.size {
		t.Fatalf("seed %d: %d of %d places are taken", seed, len(p.taken), p.size)
	}
	have := p.counts()
	if p.next(have) >= 0 {
		t.Fatalf("seed %d: somebody may have a place, and waits", seed)
	}
	for _, w := range p.waiting {
		if _, has := p.taken[w.who]; has {
			t.Fatalf("seed %d: %s has a place and waits", seed, w.who)
		}
		if have.ofNamespace[w.group.Namespace] == 0 && len(p.taken) < p.size && have.ofAccount[w.group.Account] < w.most {
			t.Fatalf("seed %d: namespace %s has no place, and one is free", seed, w.group.Namespace)
		}
	}
}
