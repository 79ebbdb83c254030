// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/keyref"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// ReadToken reads the token from the Account's Secret. live has to read past the cache, because the
// content of Secrets is never put there. A Secret that does not exist is a problem with the cause
// ErrSecretDeleted.
func ReadToken(ctx context.Context, live client.Reader, account *v1alpha1.Account) (token string, secret *corev1.Secret, err error) {
	ref := account.Spec.TokenSecretRef
	secret = &corev1.Secret{}
	err = live.Get(ctx, types.NamespacedName{Namespace: account.Namespace, Name: ref.Name}, secret)
	if apierrors.IsNotFound(err) {
		return "", nil, problem.Terminalf(v1alpha1.ReasonSecretNotFound, "there is no Secret %q in namespace %q: create it with the API token under key %q",
			ref.Name, account.Namespace, ref.Key).WithCause(ErrSecretDeleted)
	}
	if err != nil {
		return "", nil, fmt.Errorf("read Secret %s: %w", ref.Name, err)
	}
	content, err := keyref.Text(secret.Data[ref.Key])
	if err != nil {
		return "", nil, problem.Terminalf(v1alpha1.ReasonInvalidToken, "Secret %q, key %q: is %v", ref.Name, ref.Key, err)
	}
	token = strings.TrimSpace(string(content))
	if token == "" {
		return "", nil, problem.Terminalf(v1alpha1.ReasonSecretNotFound, "Secret %q has nothing under key %q: put the API token there", ref.Name, ref.Key)
	}
	if wrong := notToken(token); wrong != "" {
		return "", nil, problem.Terminalf(v1alpha1.ReasonInvalidToken, "Secret %q, key %q: %s: put the token alone", ref.Name, ref.Key, wrong)
	}
	return token, secret, nil
}

// maxToken is the size of a token, in bytes. It has to fit into a header, and servers accept 8 KiB of
// headers at most.
const maxToken = 4096

// notToken says why a text cannot be a token, "" if it can. It quotes nothing of the text.
func notToken(text string) string {
	const scheme, header = "bearer", "authorization:"
	lower := strings.ToLower(text)
	switch rest, found := strings.CutPrefix(lower, scheme); {
	case strings.HasPrefix(lower, header):
		return `begins with "Authorization:"`
	case found && (rest == "" || rest != strings.TrimLeft(rest, " \t\r\n:")):
		return `begins with "Bearer "`
	}
	has := func(is func(rune) bool) bool { return strings.ContainsFunc(text, is) }
	switch {
	case has(func(r rune) bool { return strings.ContainsRune("\"'`“”„‘’«»", r) }):
		return "has a quotation mark"
	case has(func(r rune) bool { return r == '\n' || r == '\r' }):
		return "has several lines"
	case has(unicode.IsSpace):
		return "has white space inside"
	case has(unicode.IsControl):
		return "has a control character"
	case has(func(r rune) bool { return r > unicode.MaxASCII }):
		return "has a character that is not ASCII"
	case len(text) > maxToken:
		return fmt.Sprintf("is longer than %d bytes", maxToken)
	default:
		return ""
	}
}

// CredentialVersion is a hash of everything that decides which account the token leads to, in
// hexadecimal. It has nothing of the token.
func CredentialVersion(account *v1alpha1.Account, secret *corev1.Secret) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{account.Spec.BaseURL, account.Spec.TokenSecretRef.Key,
		string(secret.UID), secret.ResourceVersion}, "\n")))
	return hex.EncodeToString(sum[:16])
}
