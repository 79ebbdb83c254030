// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package browser opens the report of kubectl integrator in Chromium: make test-browser.
package browser

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// sample is what TestSample of internal/report holds against what is written.
const sample = "../../internal/report/testdata/sample.html"

// chromium is the path of the browser, "" where there is none.
func chromium() string {
	if named := os.Getenv("CHROMIUM"); named != "" {
		return named
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// seen is what the browser reported while a page was open.
type seen struct {
	mu       sync.Mutex
	requests []string
	errors   []string
}

func (s *seen) note(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(event.Request.URL, "data:") {
			s.requests = append(s.requests, event.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		s.errors = append(s.errors, event.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		s.errors = append(s.errors, "console."+string(event.Type))
	case *cdplog.EventEntryAdded:
		s.errors = append(s.errors, event.Entry.Text)
	}
}

// open starts the browser, and loads a page in a window of 1240 by 900.
func open(t *testing.T, url string) (context.Context, *seen) {
	t.Helper()
	path := chromium()
	if path == "" {
		t.Skip("there is no Chromium: install it (apt-get install chromium), or name it with CHROMIUM=/path/of/it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root otherwise
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	s := &seen{}
	must(t, chromedp.Listen(ctx, s.note))
	enabled := func(_ cdp.Empty, err error) { t.Helper(); must(t, err) }
	enabled(chromedp.Call(ctx, network.Enable, network.EnableParams{}))
	enabled(chromedp.Call(ctx, runtime.Enable, cdp.Empty{}))
	enabled(chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}))
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1240, 900), chromedp.Navigate(url), chromedp.WaitReady("#sources")))
	return ctx, s
}

// read evaluates an expression in the page.
func read[T any](ctx context.Context, t *testing.T, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	must(t, err)
	return value
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sampleURL(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(sample)
	must(t, err)
	return "file://" + path
}

// shown is what a person sees: visible text, by section.
const shown = `Object.fromEntries([...document.querySelectorAll("section")].map(s => [s.id, s.querySelectorAll("tbody tr, svg rect").length]))`

func TestReport(t *testing.T) {
	url := sampleURL(t)
	ctx, s := open(t, url)
	rows := read[map[string]int](ctx, t, shown)
	text := read[string](ctx, t, `document.body.innerText`)
	title := read[string](ctx, t, `document.title`)
	overflow := read[bool](ctx, t, `document.documentElement.scrollWidth > document.documentElement.clientWidth`)
	covered := read[bool](ctx, t, `[...document.querySelectorAll("svg text:not(.tick)")].some(e => e.getBBox().x + e.getBBox().width > 214)`)
	areas := read[[]float64](ctx, t, `[...document.querySelectorAll("svg rect")].map(e => e.getBoundingClientRect().width * e.getBoundingClientRect().height)`)
	if want := "Imports of integrator.io, namespace shop"; title != want {
		t.Errorf("the title is %q, not %q", title, want)
	}
	bars := rows["timeline"]
	delete(rows, "timeline")
	want := map[string]int{"accounts": 1, "imports": 6, "changes": 28, "drift": 16, "runs": 28, "sources": 4}
	if diff := cmp.Diff(want, rows); diff != "" || bars < 20 {
		t.Errorf("%d bars; rows of the tables: -want, +got:\n%s", bars, diff)
	}
	for _, phrase := range []string{"from 2026-10-29 12:00:00 to 2026-11-28 12:00:00", "jane@example.com", "the Account has no alias returns",
		"run with unknown outcome", "(redacted)", "Changes by others (14)", "how far back they reach", "the call was sent and its answer was lost"} {
		if !strings.Contains(text, phrase) {
			t.Errorf("the page does not show %q", phrase)
		}
	}
	if overflow || covered {
		t.Errorf("wider than the window: %t; a name of a band covers its bars: %t", overflow, covered)
	}
	for _, area := range areas {
		if area <= 0 {
			t.Error("a bar cannot be seen")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff([]string{url}, s.requests); diff != "" {
		t.Errorf("requests: -want, +got:\n%s", diff)
	}
	if len(s.errors) > 0 {
		t.Errorf("the console has errors: %q", s.errors)
	}
}

// TestPolicy: what a page with markup of others would load or run is refused by its policy, and this
// test sees it when it is not.
func TestPolicy(t *testing.T) {
	content, err := os.ReadFile(sample)
	must(t, err)
	harm := `<img src="http://127.0.0.1:9/x.png"><script>document.title = "taken"</script></body>`
	policy := `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`
	for name, c := range map[string]struct {
		edit func(string) string
		want string
	}{
		"WithPolicy":    {func(page string) string { return page }, "Imports of integrator.io, namespace shop"},
		"WithoutPolicy": {func(page string) string { return strings.Replace(page, policy, "", 1) }, "taken"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "page.html")
			page := c.edit(strings.Replace(string(content), "</body>", harm, 1))
			must(t, os.WriteFile(file, []byte(page), 0o600))
			ctx, s := open(t, "file://"+file)
			if title := read[string](ctx, t, `document.title`); title != c.want {
				t.Errorf("the title is %q, not %q", title, c.want)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.errors) == 0 {
				t.Error("nothing is reported of what the page tried")
			}
		})
	}
}

// TestPicture makes the picture of the documentation where PICTURE names a file.
func TestPicture(t *testing.T) {
	ctx, _ := open(t, sampleURL(t))
	taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	must(t, err)
	small, colors, err := reduced(taken)
	must(t, err)
	const most = 300_000
	if len(small) > most || colors < 16 {
		t.Errorf("the picture has %d bytes, %d at most, and %d colors", len(small), most, colors)
	}
	if file := os.Getenv("PICTURE"); file != "" {
		must(t, os.WriteFile(file, small, 0o644))
	}
}

// reduced is a picture with at most 256 colors, those that it has most of. Texts and lines keep theirs.
func reduced(taken []byte) (made []byte, colors int, err error) {
	from, err := png.Decode(bytes.NewReader(taken))
	if err != nil {
		return nil, 0, err
	}
	bounds := from.Bounds()
	count := map[color.RGBA]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)]++
		}
	}
	palette := mostOf(count, 256)
	to := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			to.Set(x, y, from.At(x, y))
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, to)
	return out.Bytes(), len(palette), err
}
