// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/simulator/corpus"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// few is how many documents of a directory the short form takes.
const few = 100

// sample is one document.
type sample struct {
	// file is where it comes from, with its place if the file has several.
	file     string
	document map[string]any
	// id is its _id in the account, which the simulator may have made.
	id string
	// name is that of its object.
	name string
}

// apart is a document that is not counted: it is no import that the platform could have.
type apart struct{ file, reason string }

// read returns the documents, and those that cannot be one of the platform.
func read(o options) (samples []*sample, unread []apart, err error) {
	if o.dir == "" {
		samples = generated(o.short)
	} else if samples, unread, err = readFiles(o.dir); err != nil {
		return nil, nil, err
	}
	if o.short && len(samples) > few+few/10 {
		samples = everyNth(samples, (len(samples)+few-1)/few)
	}
	if o.limit > 0 && len(samples) > o.limit {
		samples = samples[:o.limit]
	}
	kept := samples[:0]
	for _, s := range samples {
		if reason := incomplete(s.document); reason != "" {
			unread = append(unread, apart{s.file, reason})
			continue
		}
		kept = append(kept, s)
	}
	return kept, unread, nil
}

func generated(short bool) []*sample {
	named := corpus.All()
	if short {
		named = corpus.Short()
	}
	samples := make([]*sample, len(named))
	for i := range named {
		samples[i] = &sample{file: named[i].Name, document: named[i].Document}
	}
	return samples
}

func readFiles(dir string) (samples []*sample, unread []apart, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		raw, err := os.ReadFile(path) //nolint:gosec // the directory is the caller's choice
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		value, err := drift.ParseValue(raw)
		if err != nil {
			unread = append(unread, apart{name, "the file is not JSON"})
			return nil
		}
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for i, one := range list {
			file := name
			if isList {
				file = fmt.Sprintf("%s[%d]", name, i)
			}
			object, isObject := one.(map[string]any)
			if !isObject {
				unread = append(unread, apart{file, "it is no JSON object"})
				continue
			}
			samples = append(samples, &sample{file: file, document: object})
		}
		return nil
	})
	return samples, unread, err
}

func everyNth(samples []*sample, n int) []*sample {
	var kept []*sample
	for i := 0; i < len(samples); i += n {
		kept = append(kept, samples[i])
	}
	return kept
}

// incomplete says why a document cannot be an import, "" if it can.
func incomplete(doc map[string]any) string {
	kind := document.Text(doc, "adaptorType")
	switch {
	case strings.TrimSpace(document.Text(doc, "name")) == "":
		return "it has no name"
	case document.IsBlank(doc["_connectionId"]) && (kind == "" || document.HasConnection(kind)):
		return "it has no _connectionId"
	default:
		return ""
	}
}
