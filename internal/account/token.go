// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
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

// Trust is whom an account's calls trust. The zero value is whom the operator trusts.
type Trust struct {
	// Roots are the certificate authorities, nil for those of the operator.
	Roots *x509.CertPool
	// Version is a hash of the certificates.
	Version [sha256.Size]byte
}

// ReadTrust reads the certificates that spec.caBundleRef names. live has to read past the cache, as for
// ReadToken. An object that does not exist is a problem with the cause ErrSecretDeleted. No message
// repeats anything of the content, which may be a Secret's.
func ReadTrust(ctx context.Context, live client.Reader, account *v1alpha1.Account) (Trust, error) {
	ref := account.Spec.CABundleRef
	if ref == nil {
		return Trust{}, nil
	}
	source := keyref.Key{Kind: string(ref.Kind), Ref: &v1alpha1.KeyReference{Name: ref.Name, Key: ref.Key}}
	reader := keyref.Reader{Live: live, Namespace: account.Namespace, Reason: v1alpha1.ReasonCABundleNotFound}
	content, _, err := reader.Read(ctx, source)
	switch {
	case err != nil && problem.As(err) == nil:
		return Trust{}, err
	case err != nil && !reader.Exists(source):
		return Trust{}, problem.Terminalf(v1alpha1.ReasonCABundleNotFound, "spec.caBundleRef: there is no %s %q in namespace %q: create it with certificates in PEM under key %q",
			ref.Kind, ref.Name, account.Namespace, ref.Key).WithCause(ErrSecretDeleted)
	case err != nil || len(bytes.TrimSpace(content)) == 0:
		return Trust{}, problem.Terminalf(v1alpha1.ReasonCABundleNotFound, "spec.caBundleRef: %s %q has nothing under key %q: put certificates in PEM there",
			ref.Kind, ref.Name, ref.Key)
	}
	certificates, err := certificatesIn(content)
	if err != nil {
		return Trust{}, problem.Terminalf(v1alpha1.ReasonInvalidCABundle, "spec.caBundleRef: %s %q, key %q: %v", ref.Kind, ref.Name, ref.Key, err)
	}
	trust, hash := Trust{Roots: x509.NewCertPool()}, sha256.New()
	for _, certificate := range certificates {
		trust.Roots.AddCert(certificate)
		sum := sha256.Sum256(certificate.Raw)
		_, _ = hash.Write(sum[:]) // a hash takes everything
	}
	hash.Sum(trust.Version[:0])
	return trust, nil
}

func certificatesIn(content []byte) ([]*x509.Certificate, error) {
	text, err := keyref.Text(content)
	if err != nil {
		return nil, fmt.Errorf("is %w", err)
	}
	return integrator.ParseCertificates(text)
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
