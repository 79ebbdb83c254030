// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
)

// sample is a report with something of everything.
func sample() *Report {
	since := now.Add(-720 * hour)
	made := &Report{Made: now, Since: since, Scope: "namespace shop", Problems: []Problem{}}
	made.Sources = []Source{
		{Name: "Accounts and Imports", Entries: 8, Reach: "what the cluster has now: objects that were deleted are not in it"},
		{Name: "ImportRuns", Entries: 60, Oldest: ptr.To(now.Add(-700 * hour)), Reach: "what the cluster has now: runs that were deleted, by hand or by ttlSecondsAfterFinished, are not in it"},
		{Name: "events of Kubernetes", Entries: 1, Oldest: ptr.To(now.Add(-hour / 2)), Reach: "the API server deletes events after its --event-ttl, an hour by default"},
		{Name: "audit log of the platform, Account shop/default", Entries: 73, Oldest: ptr.To(now.Add(-4000 * hour)), Reach: "the logs of 6 of the imports that Imports have now, as long as the platform keeps them; those of imports that were deleted on the platform are not in it"},
	}
	made.Accounts = []Account{{Namespace: "shop", Name: "default", BaseURL: "https://api.eu.integrator.io", UserID: "5f0000000000000000000001", Imports: ptr.To[int32](31), Managed: ptr.To[int32](6), Ready: "True", Reason: "TokenAccepted", Message: "the API accepts the token"}}
	for i, name := range []string{"customers", "invoices", "orders", "prices", "returns", "stock"} {
		one := Import{Namespace: "shop", Name: name, Account: "default", ID: fmt.Sprintf("64b0000000000000000000c%d", i), Management: "Managed", DriftPolicy: "Correct",
			LastModified: stamp(ptr.To(now.Add(-time.Duration(i+1) * 50 * hour))), Ready: "True", Reason: "Synced", Message: "the remote import is as declared"}
		if name == "returns" {
			one.Ready, one.Reason, one.Message = "False", "UnknownAlias", "spec.definition/_connectionId: the Account has no alias returns"
		}
		made.Imports = append(made.Imports, one)
	}
	users := []string{"jane@example.com", "joe@example.com"}
	for i := range 14 {
		at := now.Add(-time.Duration(i*i*3+5) * hour)
		name := made.Imports[i%6].Name
		made.Changes = append(made.Changes, Change{Time: at.Add(hour), Namespace: "shop", Account: "default", Import: name, ID: made.Imports[i%6].ID, Event: "update", Via: "api", User: "ops", Operator: true, Fields: []string{"description"}, From: fromLog},
			Change{Time: at, Namespace: "shop", Account: "default", Import: name, ID: made.Imports[i%6].ID, Event: "update", Via: "ui", User: users[i%2], Fields: []string{"description", "http.relativeURI"}, From: fromLog})
		made.Drift = append(made.Drift, Drift{Time: ptr.To(at), Namespace: "shop", Import: name, State: DriftCorrected, Fields: []string{"description"}, User: users[i%2], Corrected: ptr.To(at.Add(hour)),
			Message: "concluded from the audit log: the same fields were written with the token of the Account afterwards", From: fromLog})
	}
	made.Drift = append(made.Drift, Drift{Time: ptr.To(now.Add(-30 * hour)), Namespace: "shop", Import: "stock", State: DriftPresent, Fields: []string{"/http/relativeURI"}, Declared: `["/v2/stock"]`, Remote: `["/v1/stock"]`, From: "status"},
		Drift{Time: ptr.To(now.Add(-31 * hour)), Namespace: "shop", Import: "prices", State: DriftPresent, Fields: []string{"/http/headers/0/value"}, Declared: "(redacted)", Remote: "(redacted)", From: "status"})
	for i := range 28 {
		at := now.Add(-time.Duration(i*24+3) * hour)
		run := Run{Namespace: "shop", Name: fmt.Sprintf("orders-%02d", 28-i), Import: "orders", Phase: "Succeeded", Created: at, Started: ptr.To(at), Completed: ptr.To(at.Add(time.Minute)), Total: 120, Sent: 120, Succeeded: 118, Ignored: 2,
			Reason: "RecordsAccepted", Message: "118 records were accepted, 2 were ignored"}
		switch i {
		case 4, 17:
			run.Phase, run.Succeeded, run.Failed, run.Ignored, run.Reason, run.Message = "Failed", 117, 3, 0, "RecordsFailed", "3 of 120 records failed: no such sku"
		case 9:
			run.Phase, run.Succeeded, run.Unknown, run.Ignored, run.Reason, run.Message = "Unknown", 60, 60, 0, "OutcomeUnknown", "the call was sent and its answer was lost (no answer in time): check the destination"
		}
		made.Runs = append(made.Runs, run)
	}
	return made
}

func rendered(t *testing.T, format string, r *Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, format, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestSample: testdata/sample.html, which make test-browser opens in a browser, is what is written of
// the sample. UPDATE_SAMPLE=1 writes it anew.
func TestSample(t *testing.T) {
	file := filepath.Join("testdata", "sample.html")
	page := rendered(t, "html", sample())
	if os.Getenv("UPDATE_SAMPLE") != "" {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), page); diff != "" {
		t.Errorf("run it with UPDATE_SAMPLE=1; -testdata, +rendered:\n%s", diff)
	}
}

// hostile is a report whose texts are all of those who mean harm.
func hostile(text string) *Report {
	made := sample()
	made.Scope, made.Sources[0].Name, made.Sources[0].Reach = text, text, text
	made.Problems = []Problem{{Object: text, Message: text}}
	made.Accounts[0] = Account{Namespace: text, Name: text, BaseURL: text, UserID: text, Ready: text, Reason: text, Message: text}
	made.Imports[0] = Import{Namespace: text, Name: text, Account: text, ID: text, Management: text, DriftPolicy: text, CreatedAt: text, LastModified: text, Ready: text, Reason: text, Message: text}
	made.Changes[0] = Change{Namespace: text, Account: text, Import: text, ID: text, Event: text, Via: text, User: text, Fields: []string{text, text}, From: text}
	made.Drift[0] = Drift{Namespace: text, Import: text, ID: text, State: text, Fields: []string{text}, Declared: text, Remote: text, User: text, Message: text, From: text}
	made.Runs[0] = Run{Namespace: text, Name: text, Import: text, Phase: text, Reason: text, Message: text}
	return made
}

// requests is what would make a browser load something, or run something.
var requests = regexp.MustCompile(`(?i)<(script|img|iframe|object|embed|video|audio|base|form)\b|\son[a-z]+=|(src|href|action)="(?:[^d#]|d[^a])|url\(|@import|javascript:`)

func TestHTMLIsAlone(t *testing.T) {
	cases := map[string]string{
		"Plain": "orders", "Script": "<script>alert(1)</script>", "Attribute": `" onload="alert(1)`, "Image": `<img src=https://evil.example.com/x.png>`,
		"EndOfTitle": "</title><script src=//evil.example.com></script>", "EndOfStyle": "</style><script>alert(1)</script>", "Link": `<a href="javascript:alert(1)">x</a>`,
		"Style": `<style>body{background:url(https://evil.example.com)}</style>`, "SingleQuote": `' onfocus='alert(1)' autofocus='`,
	}
	tags := func(page string) int { return strings.Count(page, "<") }
	plain := tags(rendered(t, "html", hostile("orders")))
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			page := rendered(t, "html", hostile(text))
			// What is escaped is only text.
			if found := requests.FindString(regexp.MustCompile(`>[^<]*<`).ReplaceAllString(page, "><")); found != "" {
				t.Errorf("the page has %q", found)
			}
			if got := tags(page); got != plain {
				t.Errorf("the page has %d tags, not %d", got, plain)
			}
			if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`) {
				t.Error("the page has no policy")
			}
		})
	}
}

func TestHarmless(t *testing.T) {
	cases := map[string]struct{ reason, text, want string }{
		"Plain":        {"text stays", "orders, and more", "orders, and more"},
		"Path":         {"so does a path", "/http/headers/0/value", "/http/headers/0/value"},
		"Equals":       {"a formula", `=HYPERLINK("https://evil.example.com")`, `'=HYPERLINK("https://evil.example.com")`},
		"Plus":         {"a formula", "+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"},
		"Minus":        {"a formula", "-2+3", "'-2+3"},
		"At":           {"a function of Lotus", "@SUM(A1)", "'@SUM(A1)"},
		"Tab":          {"white space is removed by some", "\t=1", "'\t=1"},
		"Return":       {"so is a line break", "\r=1", "'\r=1"},
		"Space":        {"and a space", "  =1", "'  =1"},
		"NoBreakSpace": {"of any kind", "\u00a0=1", "'\u00a0=1"},
		"ZeroWidth":    {"seen or not", "\u200b=1", "'\u200b=1"},
		"FullWidth":    {"some convert it", "＝1", "'＝1"},
		"SecondLine":   {"a line may become a cell", "a\n=1", "a\n'=1"},
		"Semicolon":    {"where it separates cells", "a;=1", "a;'=1"},
		"Inside":       {"not the beginning", "a=1", "a=1"},
		"NUL":          {"it is no text", "\x00=1", "'=1"},
		"Empty":        {"nothing", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, harmless(tc.text)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCSV(t *testing.T) {
	for _, text := range []string{"=1+1", "+1", "-1", "@a", "\t=1", "\r\n=1", `"=1`, "a\",=1", "＝1"} {
		rows, err := csv.NewReader(strings.NewReader(rendered(t, "csv", hostile(text)))).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if diff := cmp.Diff(columns, rows[0]); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
		sections := map[string]int{}
		for _, cells := range rows[1:] {
			sections[cells[0]]++
			for i, cell := range cells {
				if strings.IndexAny(strings.TrimLeft(cell, " \t\r\n"), "=+-@") == 0 {
					t.Errorf("%q: column %s has %q", text, columns[i], cell)
				}
			}
		}
		want := map[string]int{"report": 1, "source": 4, "problem": 1, "account": 1, "import": 6, "change": 28, "drift": 16, "run": 28}
		if diff := cmp.Diff(want, sections); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	}
}

func TestJSON(t *testing.T) {
	want, got := sample(), &Report{}
	if err := json.Unmarshal([]byte(rendered(t, "json", want)), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-written, +read:\n%s", diff)
	}
	if err := Write(&bytes.Buffer{}, "xml", want); err == nil || err.Error() != "--output xml: it is html, csv or json" {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestTimeline(t *testing.T) {
	since := now.Add(-96 * hour)
	change := func(age time.Duration, operator bool) Change { return Change{Time: now.Add(-age), Operator: operator} }
	run := func(phase string, age time.Duration) Run { return Run{Phase: phase, Created: now.Add(-age)} }
	cases := map[string]struct {
		reason string
		report Report
		// want are the sums of the bands, bars how many bars each has.
		want, bars [6]int
	}{
		"Empty":     {"nothing happened", Report{}, [6]int{}, [6]int{}},
		"Others":    {"two in one hour are one bar", Report{Changes: []Change{change(90*time.Minute, false), change(100*time.Minute, false), change(50*hour, true)}}, [6]int{2, 1}, [6]int{1, 1}},
		"Edges":     {"the first and the last moment count", Report{Changes: []Change{change(0, false), change(96*hour, false)}}, [6]int{2}, [6]int{2}},
		"TooOld":    {"what was before does not", Report{Changes: []Change{change(97*hour, false), {}}}, [6]int{}, [6]int{}},
		"Corrected": {"a correction is at its time", Report{Drift: []Drift{{Corrected: ptr.To(now.Add(-hour))}, {}}}, [6]int{2: 1}, [6]int{2: 1}},
		"Runs":      {"each outcome has a band", Report{Runs: []Run{run("Succeeded", hour), run("Failed", hour), run("Unknown", hour), run("Running", hour)}}, [6]int{3: 1, 4: 1, 5: 1}, [6]int{3: 1, 4: 1, 5: 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.report.Made, tc.report.Since = now, since
			drawn := newTimeline(&tc.report)
			var sums, bars [6]int
			for i, band := range drawn.Bands {
				sums[i], bars[i] = band.Sum, len(band.Bars)
				for _, bar := range band.Bars {
					if bar.X < left || bar.X+bar.Width > left+plotWidth || bar.Y < band.Y || bar.Height < 4 {
						t.Errorf("%s: a bar is outside: %+v", tc.reason, bar)
					}
				}
			}
			if diff := cmp.Diff([][6]int{tc.want, tc.bars}, [][6]int{sums, bars}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	if drawn := newTimeline(&Report{Made: now, Since: now}); len(drawn.Bands) != 6 {
		t.Errorf("a report of no time has %d bands", len(drawn.Bands))
	}
}
