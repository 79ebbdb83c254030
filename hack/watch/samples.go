// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"
)

// target are the labels that Prometheus gives to what it scrapes at the manager's Service.
var target = map[string]string{
	"job": "integrator-operator-controller-manager-metrics", "namespace": "integrator-operator-system",
	"pod": "integrator-operator-controller-manager-0", "instance": "10.0.0.7:8443",
}

// interval is the time between two scrapes of a demo, in milliseconds.
const interval = 2000

// samples are what a manager served over time.
type samples struct {
	// start is the time of the first scrape, in milliseconds since 1970.
	start int64
	// series has a value for each scrape, NaN where there was none.
	series []sampled
}

type sampled struct {
	labels labels.Labels
	values []float64
}

// scrapes is the number of scrapes.
func (s samples) scrapes() int { return len(s.series[0].values) }

// readScrapes reads what the demo recorded: a file for each scrape, named by its time. Only these metrics
// are of interest.
func readScrapes(dir string, of map[string]bool) (samples, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.prom"))
	if err != nil || len(files) == 0 {
		return samples{}, fmt.Errorf("no scrapes in %s: %w", dir, err)
	}
	times := map[string]int64{}
	for _, file := range files {
		if times[file], err = strconv.ParseInt(strings.TrimSuffix(filepath.Base(file), ".prom"), 10, 64); err != nil {
			return samples{}, err
		}
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(times[a], times[b]) })
	start := times[files[0]]
	// A scrape may be late by some milliseconds.
	place := func(file string) int { return int((times[file] - start + interval/2) / interval) }
	count := place(files[len(files)-1]) + 1
	found := map[string]*sampled{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return samples{}, err
		}
		err = eachSample(text, of, func(series labels.Labels, v float64) {
			name := series.String()
			if found[name] == nil {
				found[name] = &sampled{labels: series, values: slices.Repeat([]float64{math.NaN()}, count)}
			}
			found[name].values[place(file)] = v
		})
		if err != nil {
			return samples{}, fmt.Errorf("%s: %w", file, err)
		}
	}
	made := samples{start: start}
	for _, series := range found {
		made.series = append(made.series, *series)
	}
	slices.SortFunc(made.series, func(a, b sampled) int { return cmp.Compare(a.labels.String(), b.labels.String()) })
	return made, nil
}

// eachSample parses what a manager serves, and adds the labels of the target that it has not itself.
func eachSample(text []byte, of map[string]bool, use func(labels.Labels, float64)) error {
	parsed, err := textparse.New(text, "text/plain", labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return err
	}
	for {
		entry, err := parsed.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, v := parsed.Series()
		var series labels.Labels
		parsed.Labels(&series)
		if !of[series.Get(model.MetricNameLabel)] {
			continue
		}
		all := labels.NewBuilder(series)
		for name, text := range target {
			if !series.Has(name) {
				all.Set(name, text)
			}
		}
		use(all.Labels(), v)
	}
}

const samplesHeader = "# Made by hack/watch of what the manager served during make demo, every 2 seconds: see main.go there.\n"

// format writes the samples as parseSamples reads them: series in the notation of Prometheus' tests.
func (s samples) format() []byte {
	text := bytes.NewBufferString(samplesHeader)
	fmt.Fprintf(text, "# start %d\n", s.start)
	for _, series := range s.series {
		text.WriteString(series.labels.String())
		for i := 0; i < len(series.values); {
			v, repeats := series.values[i], 1
			for i+repeats < len(series.values) && (series.values[i+repeats] == v || math.IsNaN(v) && math.IsNaN(series.values[i+repeats])) {
				repeats++
			}
			i += repeats
			switch {
			case math.IsNaN(v):
				fmt.Fprintf(text, " _x%d", repeats)
			case repeats > 1:
				fmt.Fprintf(text, " %sx%d", strconv.FormatFloat(v, 'f', -1, 64), repeats-1)
			default:
				text.WriteString(" " + strconv.FormatFloat(v, 'f', -1, 64))
			}
		}
		text.WriteString("\n")
	}
	return text.Bytes()
}

func parseSamples(text []byte) (samples, error) {
	var s samples
	syntax := parser.NewParser(parser.Options{})
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if start, ok := strings.CutPrefix(line, "# start "); ok {
			var err error
			if s.start, err = strconv.ParseInt(start, 10, 64); err != nil {
				return s, err
			}
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		series, values, err := syntax.ParseSeriesDesc(line)
		if err != nil {
			return s, err
		}
		read := sampled{labels: series}
		for _, v := range values {
			if v.Omitted {
				v.Value = math.NaN()
			}
			read.values = append(read.values, v.Value)
		}
		s.series = append(s.series, read)
	}
	if s.start == 0 || len(s.series) == 0 {
		return s, errors.New("there are no samples")
	}
	return s, nil
}

// open makes a database of the samples. As in Prometheus, a series ends where a scrape lacks it.
func (s samples) open(dir string) (*tsdb.DB, error) {
	options := tsdb.DefaultOptions()
	options.MinBlockDuration = 1 << 40 // all stays in memory
	options.MaxBlockDuration = 1 << 40
	db, err := tsdb.Open(dir, nil, nil, options, nil)
	if err != nil {
		return nil, err
	}
	for scrape := range s.scrapes() {
		appender := db.Appender(context.Background())
		for _, series := range s.series {
			v := series.values[scrape]
			if math.IsNaN(v) {
				if scrape == 0 || math.IsNaN(series.values[scrape-1]) {
					continue
				}
				v = math.Float64frombits(value.StaleNaN)
			}
			if _, err := appender.Append(0, series.labels, s.start+int64(scrape)*interval, v); err != nil {
				return nil, errors.Join(err, appender.Rollback(), db.Close())
			}
		}
		if err := appender.Commit(); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}
