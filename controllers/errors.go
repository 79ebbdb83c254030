// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// class says when an object is looked at again after a problem.
type class int

const (
	// terminal: a person has to act. Nothing is tried until the spec, a Secret, the
	// Account or the remote changes, or somebody asks.
	terminal class = iota
	// transient: it may pass by itself. Tried again with growing pauses, 1 s to 5 min.
	transient
	// throttled: the account asks to wait, and says how long.
	throttled
	// waiting: an event of another object goes on with it.
	waiting
)

// Reasons of conditions that more than one kind gives.
const (
	reasonAccountNotFound  = "AccountNotFound"
	reasonAccountNotReady  = "AccountNotReady"
	reasonTokenRejected    = "TokenRejected"
	reasonForbidden        = "Forbidden"
	reasonNotFound         = "NotFound"
	reasonRejected         = "Rejected"
	reasonTooLarge         = "TooLarge"
	reasonConflict         = "Conflict"
	reasonRateLimited        = "RateLimited"
	reasonServerError      = "ServerError"
	reasonUnexpectedResponse = "UnexpectedResponse"
	reasonUnreachable      = "Unreachable"
	reasonSuspended        = "Suspended"
	reasonProgressing      = "Progressing"
)

// problem is an error as conditions and events show it: what failed, which field, what
// to do. Its message is the same each time the same thing fails, so that a condition
// does not flap.
type problem struct {
	class   class
	reason  string
	message string
	// after is when to look again: for throttled always, for terminal and waiting
	// where time alone can change the world.
	after time.Duration
	cause error
}

func (p *problem) Error() string { return p.reason + ": " + p.message }

func (p *problem) Unwrap() error { return p.cause }

func terminalf(reason, format string, args ...any) *problem {
	return &problem{class: terminal, reason: reason, message: fmt.Sprintf(format, args...)}
}

func waitingf(reason, format string, args ...any) *problem {
	return &problem{class: waiting, reason: reason, message: fmt.Sprintf(format, args...)}
}

// classify turns an error of the API client into a problem. Nothing else in this package
// decides what an HTTP status means. what says what was tried, as in "create the import".
// An error that is not the API's is returned as nil: it is Kubernetes' or our own.
func classify(err error, what string) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	api, ok := errors.AsType[*integrator.APIError](err)
	if !ok {
		return nil
	}
	p := classifyStatus(api, what)
	p.cause = err
	return p
}

func classifyStatus(api *integrator.APIError, what string) *problem {
	status := api.StatusCode
	switch {
	case errors.Is(api.Err, integrator.ErrInvalidArgument):
		return terminalf(reasonRejected, "cannot %s: %v; correct the spec", what, api.Err)
	case status == 0:
		return &problem{class: transient, reason: reasonUnreachable, message: fmt.Sprintf(
			"cannot %s: %s; check the Account's baseURL and the network, it is tried again by itself", what, networkCause(api.Err))}
	case status == http.StatusUnauthorized:
		return terminalf(reasonTokenRejected,
			"cannot %s: the API rejects the token (401); put a valid token into the Account's Secret", what)
	case unexplained(api):
		return &problem{class: transient, reason: reasonUnexpectedResponse, message: fmt.Sprintf(
			"cannot %s: the answer (%d) gives no reason, as one of a gateway in between; check the ids in the spec and the Account's baseURL, it is tried again by itself", what, status)}
	case status == http.StatusForbidden:
		p := terminalf(reasonForbidden,
			"cannot %s: the token is not permitted to (403%s); give it the permission, or put another token into the Account's Secret", what, saying(api))
		// Nothing tells when it has the permission.
		p.after = backoffMax
		return p
	case status == http.StatusNotFound:
		return terminalf(reasonNotFound,
			"cannot %s: the API has no such thing (404%s); check the ids in the spec", what, saying(api))
	case status == http.StatusConflict:
		return &problem{class: transient, reason: reasonConflict, message: fmt.Sprintf(
			"cannot %s: the API reports a conflict (409%s); it is tried again by itself", what, saying(api))}
	case status == http.StatusRequestEntityTooLarge:
		return terminalf(reasonTooLarge,
			"cannot %s: the API finds it too large (413%s); make it smaller", what, saying(api))
	case errors.Is(api.Err, integrator.ErrBusy):
		return &problem{class: throttled, reason: reasonRateLimited, after: api.RetryAfter, message: fmt.Sprintf(
			"cannot %s yet: other calls take all places of the account (maxInFlight); it goes on by itself", what)}
	case status == http.StatusTooManyRequests:
		return &problem{class: throttled, reason: reasonRateLimited, after: api.RetryAfter, message: fmt.Sprintf(
			"cannot %s yet: the account's rate limit is used up (429); it goes on by itself when the API permits", what)}
	case status >= 400 && status < 500:
		return terminalf(reasonRejected,
			"cannot %s: the API rejects it (%d%s); correct the spec", what, status, saying(api))
	case status >= 500:
		return &problem{class: transient, reason: reasonServerError, message: fmt.Sprintf(
			"cannot %s: the API failed (%d%s); it is tried again by itself", what, status, saying(api))}
	case status >= 300:
		// A gateway under maintenance does so for a while: nobody else would tell that it is over.
		return &problem{class: transient, reason: reasonUnexpectedResponse, message: fmt.Sprintf(
			"cannot %s: the API redirects (%d) and redirects are not followed; check the Account's baseURL, it is tried again by itself", what, status)}
	default:
		return &problem{class: transient, reason: reasonUnexpectedResponse, message: fmt.Sprintf(
			"cannot %s: the answer (%d) is not what the API documents%s; it is tried again by itself", what, status, tooLong(api.Err))}
	}
}

// unexplained tells of a 403, 404 or 405 that may be of a gateway in between: the API gives a reason.
func unexplained(api *integrator.APIError) bool {
	switch api.StatusCode {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return len(api.Errors) == 0
	default:
		return false
	}
}

func tooLong(err error) string {
	if errors.Is(err, integrator.ErrTooLarge) {
		return ", and too long to read"
	}
	return ""
}

// maxDetails bounds how many of the API's errors a message repeats.
const maxDetails = 3

// saying repeats what the API said: field, message and code of its first errors.
func saying(api *integrator.APIError) string {
	var text strings.Builder
	for i, detail := range api.Errors {
		if i == maxDetails {
			fmt.Fprintf(&text, "; and %d more", len(api.Errors)-maxDetails)
			break
		}
		text.WriteString(map[bool]string{true: ": ", false: "; "}[i == 0])
		if detail.Field != "" {
			fmt.Fprintf(&text, "field %s: ", detail.Field)
		}
		text.WriteString(drift.Cut(detail.Message, 200))
		if detail.Code != "" {
			fmt.Fprintf(&text, " [%s]", detail.Code)
		}
	}
	return text.String()
}

// notShown stands for the API's words where these could repeat a Secret's content.
const notShown = "(not shown: it could repeat a Secret's content)"

// plainCode and plainName are how codes and names of fields look: what else stands there may
// be a value.
var (
	plainCode = regexp.MustCompile(`^([A-Za-z_]{1,64}|[0-9]{3})$`)
	plainName = regexp.MustCompile(`^[A-Za-z0-9_.$\[\]/-]{1,200}$`)
)

// withoutWords keeps of the API's errors only their codes and, if fields, the names of the
// fields. A problem has been worded already.
func withoutWords(err error, fields bool) error {
	if _, worded := errors.AsType[*problem](err); worded {
		return err
	}
	api, ok := errors.AsType[*integrator.APIError](err)
	if !ok {
		return err
	}
	bare := *api
	bare.Errors = nil
	for _, detail := range api.Errors {
		kept := integrator.ErrorDetail{Message: notShown}
		if plainCode.MatchString(detail.Code) {
			kept.Code = detail.Code
		}
		if fields && plainName.MatchString(detail.Field) {
			kept.Field = detail.Field
		}
		bare.Errors = append(bare.Errors, kept)
	}
	return &bare
}

// networkCause names why there was no answer, without addresses or ports, which differ
// from time to time.
func networkCause(err error) string {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host name is not known"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the server's certificate is not trusted"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is for another host"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke"
	case errors.Is(err, context.Canceled):
		return "the call was given up"
	default:
		return "no answer from the API"
	}
}

// backoff bounds of the work queues: a failing object is tried again after 1 s, then
// twice as long each time, up to 5 min.
const (
	backoffBase = time.Second
	backoffMax  = 5 * time.Minute
)

// asError returns p, or err when it was none of the API's. (A nil *problem in an error
// would not be nil.)
func asError(p *problem, err error) error {
	if p != nil {
		return p
	}
	return err
}

// refused tells that Kubernetes refuses a write for good, as it is.
func refused(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) }

// refusedByKubernetes shows what a person has to do before the run can go on: a right, a quota,
// or a name is missing. Any other error is one of the moment.
func refusedByKubernetes(err error, what string, args ...any) error {
	what = fmt.Sprintf(what, args...)
	if !refused(err) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return &problem{class: terminal, reason: reasonForbidden, after: backoffMax,
		message: fmt.Sprintf("cannot %s: Kubernetes refuses it (%s): see the rights of the operator and the quota of the namespace", what, apierrors.ReasonForError(err))}
}
