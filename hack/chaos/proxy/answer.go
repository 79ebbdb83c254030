// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
)

// Answer is a whole HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// WriteTo writes the answer as it is.
func (a *Answer) WriteTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client may have disconnected
}

// APIError is an error of the integrator API.
func APIError(status int) *Answer {
	return &Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: fmt.Appendf(nil, `{"errors":[{"code":"injected","message":"%d %s"}]}`, status, http.StatusText(status))}
}

// KubernetesError is an error of the API server of Kubernetes.
func KubernetesError(status int) *Answer {
	return &Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: fmt.Appendf(nil, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":"injected"}`, status, kubernetesReasons[status])}
}

var kubernetesReasons = map[int]string{
	http.StatusInternalServerError: "InternalError",
	http.StatusGatewayTimeout:      "Timeout",
	http.StatusTooManyRequests:     "TooManyRequests",
	http.StatusConflict:            "Conflict",
	http.StatusGone:                "Expired",
	http.StatusUnprocessableEntity: "Invalid",
}

// Page is a web page, as a gateway in front of the API answers.
func Page(status int) *Answer {
	return &Answer{Status: status, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		Body: []byte("<html><body><h1>" + strconv.Itoa(status) + "</h1></body></html>")}
}

var errAborted = errors.New("the handler ended the connection")

// serveWhole has a handler answer a request, and returns the whole answer.
func serveWhole(handler http.Handler, r *http.Request) (got *Answer, err error) {
	defer func() {
		if recover() != nil {
			err = errAborted
		}
	}()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return &Answer{w.Code, w.Header(), w.Body.Bytes()}, nil
}
