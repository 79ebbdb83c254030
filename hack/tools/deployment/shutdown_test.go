// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// constant is a duration in a Go file, such as "drainTimeout = 62 * time.Minute".
func constant(t *testing.T, name string, file ...string) time.Duration {
	t.Helper()
	code, err := os.ReadFile(filepath.Join(append([]string{root}, file...)...))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(name + ` += (?:(\d+) \* )?time\.(Second|Minute)`).FindStringSubmatch(string(code))
	if found == nil {
		t.Fatalf("%s is not in %v, or has another form than expected", name, file)
	}
	n, unit := 1, map[string]time.Duration{"Second": time.Second, "Minute": time.Minute}[found[2]]
	if found[1] != "" {
		if n, err = strconv.Atoi(found[1]); err != nil {
			t.Fatal(err)
		}
	}
	return time.Duration(n) * unit
}

// longestRun is the maximum of activeDeadlineSeconds in the CRD.
func longestRun(t *testing.T) time.Duration {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "config", "crd", "bases", "integrator.io_importruns.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(content, &crd); err != nil {
		t.Fatal(err)
	}
	field := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["activeDeadlineSeconds"]
	if field.Maximum == nil {
		t.Fatal("activeDeadlineSeconds has no maximum")
	}
	return time.Duration(*field.Maximum) * time.Second
}

// TestShutdownWaitsForTheLongestCall: no call that is permitted is cut off, neither by the manager nor by
// the kubelet.
func TestShutdownWaitsForTheLongestCall(t *testing.T) {
	longest := longestRun(t) + constant(t, "RecordTimeout", "internal", "runstate", "record.go")
	drain := constant(t, "drainTimeout", "main.go")
	if drain < longest {
		t.Errorf("the manager waits %s for calls that may take %s until they are recorded", drain, longest)
	}
	stop := drain + constant(t, "stopTimeout", "main.go")
	deployments := all[appsv1.Deployment](t, rendered(t, filepath.Join(copied(t), "config", "manager")), "Deployment")
	if len(deployments) != 1 {
		t.Fatalf("%d Deployments", len(deployments))
	}
	grace := deployments[0].Spec.Template.Spec.TerminationGracePeriodSeconds
	if grace == nil || time.Duration(*grace)*time.Second <= stop {
		t.Errorf("the pod is killed after %v seconds, and the manager may take %s", grace, stop)
	}
}
