// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		"UTF-16":     {reason: "PowerShell wrote the file", secret: secret("ns", "token", "\xff\xfet\x001\x00"), problem: v1alpha1.ReasonInvalidToken},
		"Bearer":     {reason: "a header was copied", secret: secret("ns", "token", "Bearer t1"), problem: v1alpha1.ReasonInvalidToken},
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

// TestReadTrust: a message names the object and the key, and repeats nothing of the content.
func TestReadTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	privateKey := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("s3cret")}))
	configMap := func(content string) client.Object {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "ca"}, Data: map[string]string{"ca.crt": content}}
	}
	binary := func(content string) client.Object {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "ca"}, BinaryData: map[string][]byte{"ca.crt": []byte(content)}}
	}
	secret := func(content string) client.Object {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "ca"}, Data: map[string][]byte{"ca.crt": []byte(content)}}
	}
	ref := func(kind v1alpha1.CABundleKind) *v1alpha1.CABundleReference {
		return &v1alpha1.CABundleReference{Kind: kind, Name: "ca", Key: "ca.crt"}
	}
	const notFound, invalid = v1alpha1.ReasonCABundleNotFound, v1alpha1.ReasonInvalidCABundle
	cases := map[string]struct {
		reason  string
		ref     *v1alpha1.CABundleReference
		object  client.Object
		broken  bool
		want    string // reason and message
		deleted bool
	}{
		"None":      {reason: "the operator's own count"},
		"ConfigMap": {reason: "where trust-manager puts them", ref: ref("ConfigMap"), object: configMap(good)},
		"Binary":    {reason: "as kubectl makes them of some files", ref: ref("ConfigMap"), object: binary("\xef\xbb\xbf" + good)},
		"Secret":    {reason: "where cert-manager puts them", ref: ref("Secret"), object: secret(good)},
		"NoObject": {
			reason: "it was deleted, or never created", ref: ref("ConfigMap"), deleted: true,
			want: notFound + `: spec.caBundleRef: there is no ConfigMap "ca" in namespace "ns": create it with certificates in PEM under key "ca.crt"`,
		},
		"OtherKind": {
			reason: "the kind counts", ref: ref("Secret"), object: configMap(good), deleted: true,
			want: notFound + `: spec.caBundleRef: there is no Secret "ca" in namespace "ns": create it with certificates in PEM under key "ca.crt"`,
		},
		"OtherNamespace": {
			reason: "references stay in the namespace", ref: ref("Secret"), deleted: true,
			object: &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "ca"}, Data: map[string][]byte{"ca.crt": []byte(good)}},
			want:   notFound + `: spec.caBundleRef: there is no Secret "ca" in namespace "ns": create it with certificates in PEM under key "ca.crt"`,
		},
		"OtherKey": {
			reason: "the object is there", ref: &v1alpha1.CABundleReference{Kind: "Secret", Name: "ca", Key: "tls.crt"}, object: secret(good),
			want: notFound + `: spec.caBundleRef: Secret "ca" has nothing under key "tls.crt": put certificates in PEM there`,
		},
		"Blank": {
			reason: "white space is no certificate", ref: ref("ConfigMap"), object: configMap(" \n"),
			want: notFound + `: spec.caBundleRef: ConfigMap "ca" has nothing under key "ca.crt": put certificates in PEM there`,
		},
		"Key": {
			reason: "the wrong file was put in", ref: ref("Secret"), object: secret(good + privateKey),
			want: invalid + `: spec.caBundleRef: Secret "ca", key "ca.crt": has a private key, as block 2: put certificates there alone`,
		},
		"Password": {
			reason: "a Secret of something else is named, to read it", ref: ref("Secret"), object: secret("s3cret"),
			want: invalid + `: spec.caBundleRef: Secret "ca", key "ca.crt": has no certificate in PEM: put it there, from BEGIN CERTIFICATE to END CERTIFICATE`,
		},
		"UTF-16": {
			reason: "PowerShell wrote the file", ref: ref("Secret"), object: secret("\xff\xfe-\x00-\x00"),
			want: invalid + `: spec.caBundleRef: Secret "ca", key "ca.crt": is in UTF-16, as some programs of Windows write text: save it as UTF-8`,
		},
		"Unreadable": {reason: "an error of Kubernetes is no problem of the Account", ref: ref("ConfigMap"), object: configMap(good), broken: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			builder := fake.NewClientBuilder().WithScheme(scheme.Scheme)
			if tc.object != nil {
				builder = builder.WithObjects(tc.object)
			}
			live := builder.Build()
			if tc.broken {
				live = interceptor.NewClient(live, interceptor.Funcs{
					Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
						return errors.New("no answer")
					},
				})
			}
			object := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default"}}
			object.Spec.CABundleRef = tc.ref
			trust, err := ReadTrust(t.Context(), live, object)
			got := ""
			if p := problem.As(err); p != nil {
				got = p.Reason() + ": " + p.Message()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || (err != nil) != (tc.broken || tc.want != "") {
				t.Errorf("%s: %v (-want +got):\n%s", tc.reason, err, diff)
			}
			if errors.Is(err, ErrSecretDeleted) != tc.deleted {
				t.Errorf("%s: the object counts as deleted: %t", tc.reason, !tc.deleted)
			}
			trusted := err == nil && tc.ref != nil
			if (trust.Roots != nil) != trusted || (trust.Version != Trust{}.Version) != trusted {
				t.Errorf("%s: the trust is %+v", tc.reason, trust)
			}
		})
	}
}

func TestNotToken(t *testing.T) {
	cases := map[string]struct{ reason, text, want string }{
		"Hex":        {"tokens of the API look like this", "5a1b2c3d4e5f60718293a4b5c6d7e8f9", ""},
		"Bearer":     {"RFC 6750 allows these characters", "Aa0-._~+/==", ""},
		"Others":     {"the API decides about what a header can have", "tok:en,{1}%$!#", ""},
		"Prefix":     {"a token may begin like the scheme", "bearer7f3b", ""},
		"Longest":    {"it fits into a header", strings.Repeat("a", maxToken), ""},
		"Scheme":     {"the value of a header was copied", "Bearer s3cret", `begins with "Bearer "`},
		"LowerCase":  {"schemes have no case", "bearer\ts3cret", `begins with "Bearer "`},
		"Colon":      {"a field was copied", "BEARER: s3cret", `begins with "Bearer "`},
		"SchemeOnly": {"the token was empty", "Bearer", `begins with "Bearer "`},
		"Header":     {"a header was copied", "Authorization: Bearer s3cret", `begins with "Authorization:"`},
		"Quoted":     {"a shell or YAML left the quotes", `"s3cret"`, "has a quotation mark"},
		"Single":     {"so did another", `'s3cret'`, "has a quotation mark"},
		"QuoteAtEnd": {"half of them are left", `s3cret"`, "has a quotation mark"},
		"Typeset":    {"a word processor made them", "“s3cret”", "has a quotation mark"},
		"JSON":       {"the answer of some API was copied", `{"token":"s3cret"}`, "has a quotation mark"},
		"Lines":      {"two tokens, or a file of settings", "s3cret\r\ns3cret", "has several lines"},
		"Space":      {"two words are no token", "s3cret s3cret", "has white space inside"},
		"Tab":        {"it is white space too", "s3cret\ts3cret", "has white space inside"},
		"NoBreak":    {"it looks like a space", "s3cret\u00a0s3cret", "has white space inside"},
		"NUL":        {"a program of C ended its text", "s3cret\x00", "has a control character"},
		"Escape":     {"a terminal was copied", "\x1b[1ms3cret", "has a control character"},
		"Invisible":  {"a web page had it between the letters", "s3\u200bcret", "has a character that is not ASCII"},
		"Binary":     {"it is no text", "s3cret\xff\xfe", "has a character that is not ASCII"},
		"Long":       {"it is a file, and no token", strings.Repeat("a", maxToken+1), "is longer than 4096 bytes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := notToken(tc.text)
			if got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
			if strings.Contains(got, "s3cret") {
				t.Errorf("the token is repeated: %s", got)
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
