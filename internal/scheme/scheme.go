// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scheme has the types of Kubernetes and of this project that clients read and write.
package scheme

import (
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// All returns the scheme with all of them. It is made when it is first asked for, and not to be changed.
var All = sync.OnceValue(func() *runtime.Scheme {
	all := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(all))
	utilruntime.Must(v1alpha1.AddToScheme(all))
	return all
})
