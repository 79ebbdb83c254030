// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// An operator that watches some namespaces has no right to list anything in all of them. The cache
// is limited by CacheIn, and what is read past it by ReaderIn. No namespaces stand for all.

// CacheIn is cache.Options.DefaultNamespaces for these namespaces.
func CacheIn(namespaces []string) map[string]cache.Config {
	if len(namespaces) == 0 {
		return nil
	}
	watched := make(map[string]cache.Config, len(namespaces))
	for _, name := range namespaces {
		watched[name] = cache.Config{}
	}
	return watched
}

// ReaderIn is a reader that lists what is to be listed in all namespaces in each of these instead, one
// after the other: the answer is of no single point in time, but each part is newer than the call.
func ReaderIn(reader client.Reader, namespaces []string) client.Reader {
	if len(namespaces) == 0 {
		return reader
	}
	return limitedReader{reader, namespaces}
}

type limitedReader struct {
	client.Reader
	namespaces []string
}

// errPaged is why a list is refused: a continue token belongs to the list of one namespace.
var errPaged = errors.New("a list of several namespaces cannot be read in pages")

// List lists in the namespace of the options, or in each of the reader's.
func (r limitedReader) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	chosen := (&client.ListOptions{}).ApplyOptions(options)
	switch {
	case chosen.Namespace != "":
		return r.Reader.List(ctx, list, options...)
	case chosen.Limit != 0 || chosen.Continue != "":
		return errPaged
	}
	var all []runtime.Object
	for _, name := range r.namespaces {
		part, ok := list.DeepCopyObject().(client.ObjectList)
		if !ok {
			return errors.New("the copy of a list is none")
		}
		if err := r.Reader.List(ctx, part, append(options[:len(options):len(options)], client.InNamespace(name))...); err != nil {
			return err
		}
		items, err := meta.ExtractList(part)
		if err != nil {
			return err
		}
		all = append(all, items...)
	}
	return meta.SetList(list, all)
}
