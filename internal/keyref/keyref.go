// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package keyref reads keys of Secrets and ConfigMaps: Imports have values in them, ImportRuns records,
// and Accounts the certificate authorities that they trust.
package keyref

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// The kinds that have keys.
const (
	kindSecret    = "Secret"
	kindConfigMap = "ConfigMap"
)

// Key is a key of a Secret or ConfigMap.
type Key struct {
	// Kind is "Secret" or "ConfigMap".
	Kind string
	Ref  *v1alpha1.KeyReference
}

// Of makes a Key of the reference that is set. The CRD has exactly one set.
func Of(secret, configMap *v1alpha1.KeyReference) Key {
	if secret != nil {
		return Key{Kind: kindSecret, Ref: secret}
	}
	return Key{Kind: kindConfigMap, Ref: configMap}
}

// String names the key in messages.
func (k Key) String() string { return fmt.Sprintf("key %q of %s %q", k.Ref.Key, k.Kind, k.Ref.Name) }

// Reader reads keys of one namespace past the cache, and each object only once: two keys of a
// Secret, as a user and a password, are of one version. It is for one reconcile and one goroutine.
type Reader struct {
	// Live reads past the cache.
	Live client.Reader
	// Namespace is that of the object that refers to the keys.
	Namespace string
	// Reason is that of the problem when a key does not exist.
	Reason string

	objects map[string]client.Object
}

// Read returns the content of the key and the version of the object that has it. The version
// changes whenever the content does, and reveals nothing of it. A key that does not exist is a
// problem of class Waiting; other errors are those of Kubernetes.
func (r *Reader) Read(ctx context.Context, k Key) (content []byte, version string, err error) {
	object, err := r.object(ctx, k)
	if client.IgnoreNotFound(err) != nil {
		return nil, "", fmt.Errorf("read %s %s: %w", k.Kind, k.Ref.Name, err)
	}
	if content, ok := contentOf(object, k.Ref.Key); ok && err == nil {
		return content, string(object.GetUID()) + " " + object.GetResourceVersion(), nil
	}
	return nil, "", problem.Waitingf(r.Reason, "waiting for %s, which is not in namespace %q", k, r.Namespace)
}

// Exists reports whether the object that has the key was found when the key was read.
func (r *Reader) Exists(k Key) bool { return r.objects[k.Kind+"/"+k.Ref.Name] != nil }

func (r *Reader) object(ctx context.Context, k Key) (client.Object, error) {
	id := k.Kind + "/" + k.Ref.Name
	if known, ok := r.objects[id]; ok {
		return known, nil
	}
	var object client.Object = &corev1.ConfigMap{}
	if k.Kind == kindSecret {
		object = &corev1.Secret{}
	}
	if err := r.Live.Get(ctx, types.NamespacedName{Namespace: r.Namespace, Name: k.Ref.Name}, object); err != nil {
		return nil, err
	}
	if r.objects == nil {
		r.objects = map[string]client.Object{}
	}
	r.objects[id] = object
	return object, nil
}

func contentOf(object client.Object, key string) ([]byte, bool) {
	switch typed := object.(type) {
	case *corev1.Secret:
		content, ok := typed.Data[key]
		return content, ok
	case *corev1.ConfigMap:
		if text, ok := typed.Data[key]; ok {
			return []byte(text), true
		}
		content, ok := typed.BinaryData[key]
		return content, ok
	default:
		return nil, false
	}
}
