// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Keys of Secrets and ConfigMaps, as Imports have values in them and ImportRuns records.

// key is a key of a Secret or ConfigMap.
type key struct {
	kind string
	ref  *v1alpha1.KeyReference
}

// keyOf is the one of the two that is given.
func keyOf(secret, configMap *v1alpha1.KeyReference) key {
	if secret != nil {
		return key{kind: "Secret", ref: secret}
	}
	return key{kind: "ConfigMap", ref: configMap}
}

// keyReader reads keys past the cache, and each object once: two keys of a Secret, as a user
// and a password, are of one version. One that is not there is waited for, with this reason.
type keyReader struct {
	live              client.Reader
	namespace, reason string
	objects           map[string]client.Object
}

// read returns the content of the key, and which version it is of.
func (r *keyReader) read(ctx context.Context, k key) (content []byte, version string, err error) {
	object, err := r.object(ctx, k)
	if client.IgnoreNotFound(err) != nil {
		return nil, "", fmt.Errorf("read %s %s: %w", k.kind, k.ref.Name, err)
	}
	if content, ok := contentOf(object, k.ref.Key); ok && err == nil {
		return content, string(object.GetUID()) + " " + object.GetResourceVersion(), nil
	}
	return nil, "", waitingf(r.reason, "waiting for key %q of %s %q, which is not in namespace %q", k.ref.Key, k.kind, k.ref.Name, r.namespace)
}

func (r *keyReader) object(ctx context.Context, k key) (client.Object, error) {
	id := k.kind + "/" + k.ref.Name
	if known, ok := r.objects[id]; ok {
		return known, nil
	}
	var object client.Object = &corev1.ConfigMap{}
	if k.kind == "Secret" {
		object = &corev1.Secret{}
	}
	if err := r.live.Get(ctx, types.NamespacedName{Namespace: r.namespace, Name: k.ref.Name}, object); err != nil {
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
