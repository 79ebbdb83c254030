// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// shownFiles is how many files of a cause are printed.
const shownFiles = 5

// report is what came out.
type report struct {
	read  int
	apart []apart
	times []spent

	mu    sync.Mutex
	total map[string]int
	// changed counts the imports that were changed on the platform, by way.
	changed map[string]int
	failed  map[string]map[string]bool // files by way
	causes  map[string]*cause
}

type spent struct {
	step string
	time time.Duration
}

// cause is why some documents are not in step.
type cause struct {
	way, reason, message string
	paths, files         []string
}

// checked counts an Import of a way.
func (r *report) checked(way string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.total == nil {
		r.total = map[string]int{}
	}
	r.total[way]++
}

// add notes that a document is not in step.
func (r *report) add(way, file, reason, message string, paths []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range paths {
		paths[i] = digits.ReplaceAllString(paths[i], "/N$1")
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	message = withoutValues(message)
	key := strings.Join(append([]string{way, reason, message}, paths...), "\x00")
	if r.causes == nil {
		r.causes, r.failed = map[string]*cause{}, map[string]map[string]bool{}
	}
	if r.causes[key] == nil {
		r.causes[key] = &cause{way: way, reason: reason, message: message, paths: paths}
	}
	r.causes[key].files = append(r.causes[key].files, file)
	if r.failed[way] == nil {
		r.failed[way] = map[string]bool{}
	}
	r.failed[way][file] = true
}

var (
	digits = regexp.MustCompile(`/[0-9]+(/|$)`)
	quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|'[^']*'")
	hex    = regexp.MustCompile(`\b[0-9a-fA-F]{24}\b`)
	values = regexp.MustCompile(`\(declared .*`)
)

// withoutValues is a text without what may be a value of a document: whatever is in quotes, and ids.
func withoutValues(text string) string {
	text = values.ReplaceAllString(text, "(…)")
	text = quoted.ReplaceAllString(text, "…")
	return strings.Join(strings.Fields(hex.ReplaceAllString(text, "…")), " ")
}

func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "\n%d documents were read, %d are counted apart.\n", r.read, len(r.apart))
	for _, way := range ways {
		fmt.Fprintf(out, "%8s: %d of %d are in step, %d were changed on the platform\n",
			way, r.total[way]-r.failedIn(way), r.total[way]+r.refusedIn(way), r.changed[way])
	}
	r.printApart(out)
	if len(r.causes) > 0 {
		fmt.Fprintln(out, "\nNot in step:")
	}
	causes := slices.SortedFunc(maps.Values(r.causes), func(a, b *cause) int {
		return cmp.Or(cmp.Compare(len(b.files), len(a.files)), cmp.Compare(a.way+a.reason+a.message, b.way+b.reason+b.message))
	})
	for _, cause := range causes {
		fmt.Fprintf(out, "\n%d %s, %s: %s\n", len(cause.files), cause.way, cause.reason, cause.message)
		for _, path := range cause.paths {
			fmt.Fprintln(out, "    "+path)
		}
		fmt.Fprintln(out, "  in "+some(cause.files))
	}
	fmt.Fprintln(out, "\nTime:")
	for _, spent := range r.times {
		fmt.Fprintf(out, "%8s  %s\n", spent.time.Round(100*time.Millisecond), spent.step)
	}
}

// failedIn counts the Imports of a way that exist and are not in step, refusedIn those that Kubernetes
// refused.
func (r *report) failedIn(way string) int { return len(r.failed[way]) - r.refusedIn(way) }

func (r *report) refusedIn(way string) int {
	refused := 0
	for _, cause := range r.causes {
		if cause.way == way && cause.reason == refusedByKubernetes {
			refused += len(cause.files)
		}
	}
	return refused
}

func (r *report) printApart(out io.Writer) {
	byReason := map[string][]string{}
	for _, one := range r.apart {
		byReason[one.reason] = append(byReason[one.reason], one.file)
	}
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		fmt.Fprintf(out, "\napart, %d: %s\n  in %s\n", len(byReason[reason]), reason, some(byReason[reason]))
	}
}

func some(files []string) string {
	slices.Sort(files)
	if len(files) <= shownFiles {
		return strings.Join(files, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(files[:shownFiles], ", "), len(files)-shownFiles)
}
