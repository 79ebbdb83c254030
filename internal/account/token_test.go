// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

func TestReadToken(t *testing.T) {
	secret := func(namespace, key, value string) client.Object {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "s"}, Data: map[string][]byte{key: []byte(value)}}
	}
	cases := map[string]struct {
		reason string
		secret client.Object
		broken bool

		token   string
		problem string
		deleted bool
	}{
		"Token":      {reason: "white space around it is not part of it", secret: secret("ns", "token", " t1\n"), token: "t1"},
		"Mark":       {reason: "a byte order mark is not part of it either", secret: secret("ns", "token", "\xef\xbb\xbft1\r\n"), token: "t1"},
		"OnlyMark":   {reason: "a file that was saved empty", secret: secret("ns", "token", "\xef\xbb\xbf\r\n"), problem: v1alpha1.ReasonSecretNotFound},
		"UTF-16":     {reason: "PowerShell wrote the file", secret: secret("ns", "token", "\xff\xfet\x001\x00"), problem: v1alpha1.ReasonInvalidSpec},
		"NoSecret":   {reason: "it was deleted, or never created", secret: secret("other", "token", "t1"), problem: v1alpha1.ReasonSecretNotFound, deleted: true},
		"OtherKey":   {reason: "the Secret is there", secret: secret("ns", "password", "t1"), problem: v1alpha1.ReasonSecretNotFound},
		"Blank":      {reason: "white space is no token", secret: secret("ns", "token", " \n"), problem: v1alpha1.ReasonSecretNotFound},
		"Unreadable": {reason: "an error of Kubernetes is no problem of the Account", secret: secret("ns", "token", "t1"), broken: true},
	}
	object := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default"}}
	object.Spec.TokenSecretRef = v1alpha1.TokenSecretReference{Name: "s", Key: "token"}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			live := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(tc.secret).Build()
			if tc.broken {
				live = interceptor.NewClient(live, interceptor.Funcs{
					Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
						return errors.New("no answer")
					},
				})
			}
			token, read, err := ReadToken(t.Context(), live, object)
			if token != tc.token || (read != nil) != (tc.token != "") {
				t.Errorf("%s: the token is %q of %v", tc.reason, token, read)
			}
			if p := problem.As(err); tc.problem != "" && (p == nil || p.Reason() != tc.problem) || tc.problem == "" && p != nil || tc.broken && err == nil {
				t.Errorf("%s: %v, want %s", tc.reason, err, tc.problem)
			}
			if errors.Is(err, ErrSecretDeleted) != tc.deleted {
				t.Errorf("%s: the Secret counts as deleted: %t", tc.reason, !tc.deleted)
			}
		})
	}
}

func TestCredentialVersion(t *testing.T) {
	object := &v1alpha1.Account{}
	object.Spec.BaseURL, object.Spec.TokenSecretRef.Key = "https://api.integrator.io", "token"
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{UID: "1", ResourceVersion: "2"}, Data: map[string][]byte{"token": []byte("t1")}}
	version := CredentialVersion(object, secret)
	other := secret.DeepCopy()
	other.Data["token"] = []byte("t2")
	if CredentialVersion(object, other) != version {
		t.Error("the version has something of the token")
	}
	for name, change := range map[string]func(*v1alpha1.Account, *corev1.Secret){
		"baseURL": func(object *v1alpha1.Account, _ *corev1.Secret) {
			object.Spec.BaseURL = "https://api.eu.integrator.io"
		},
		"key":             func(object *v1alpha1.Account, _ *corev1.Secret) { object.Spec.TokenSecretRef.Key = "other" },
		"uid":             func(_ *v1alpha1.Account, secret *corev1.Secret) { secret.UID = "3" },
		"resourceVersion": func(_ *v1alpha1.Account, secret *corev1.Secret) { secret.ResourceVersion = "3" },
	} {
		object, secret := object.DeepCopy(), secret.DeepCopy()
		change(object, secret)
		if CredentialVersion(object, secret) == version {
			t.Errorf("another %s is the same version", name)
		}
	}
}
