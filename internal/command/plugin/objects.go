// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// kindsByName are the names that people give the kinds.
var kindsByName = map[string]func() client.Object{
	"account":   func() client.Object { return &v1alpha1.Account{} },
	"import":    func() client.Object { return &v1alpha1.Import{} },
	"importrun": func() client.Object { return &v1alpha1.ImportRun{} },
}

// shortNames lead to the names of kindsByName.
var shortNames = map[string]string{
	"accounts": "account", "iacct": "account", "imports": "import", "imp": "import",
	"importruns": "importrun", "imprun": "importrun", "run": "importrun", "runs": "importrun",
}

// object is the object that an argument such as orders or account/shop names: an Import, unless it
// says otherwise.
func object(argument, namespace string) (kind string, made client.Object, err error) {
	kind, name, found := strings.Cut(argument, "/")
	if !found {
		kind, name = "import", argument
	}
	kind, _, _ = strings.Cut(strings.ToLower(kind), ".")
	if long, ok := shortNames[kind]; ok {
		kind = long
	}
	construct, ok := kindsByName[kind]
	if !ok || name == "" {
		return "", nil, fmt.Errorf("%q names no object: write NAME of an Import, or account/NAME, import/NAME or importrun/NAME", argument)
	}
	made = construct()
	made.SetNamespace(namespace)
	made.SetName(name)
	return kind, made, nil
}

// newSuspend makes the commands suspend and resume.
func newSuspend(c *cmd, suspend bool) *cobra.Command {
	use, short, did := "suspend", "Stop all calls for objects", "suspended"
	if !suspend {
		use, short, did = "resume", "Let calls for suspended objects go on", "resumed"
	}
	return &cobra.Command{
		Use: use + " [KIND/]NAME…", Short: short, Args: cobra.MinimumNArgs(1),
		Long: short + ". KIND is account, import (the default) or importrun.\n\n" +
			"It sets spec.suspend. A tool that applies the objects from Git may set it back.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.eachObject(cmd.Context(), args, func(ctx context.Context, cluster client.Client, kind string, object client.Object) error {
				patch := fmt.Appendf(nil, `{"spec":{"suspend":%t}}`, suspend)
				if err := cluster.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch)); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.Out, "%s/%s %s\n", kind, object.GetName(), did)
				return err
			})
		},
	}
}

// eachObject does something with each object that the arguments name, and goes on after a failure.
func (c *cmd) eachObject(ctx context.Context, args []string, do func(context.Context, client.Client, string, client.Object) error) error {
	cluster, namespace, err := c.cluster()
	if err != nil {
		return err
	}
	failed := false
	for _, argument := range args {
		kind, object, err := object(argument, namespace)
		if err == nil {
			err = do(ctx, cluster, kind, object)
		}
		if err != nil {
			failed = true
			fmt.Fprintf(c.ErrOut, "error: %v\n", err)
		}
	}
	if failed {
		return exit(ExitError)
	}
	return nil
}

func newReconcile(c *cmd) *cobra.Command {
	var waits bool
	var timeout time.Duration
	made := &cobra.Command{
		Use: "reconcile NAME…", Short: "Have Imports compared with the platform now", Args: cobra.MinimumNArgs(1),
		Long: "Sets the annotation " + v1alpha1.AnnotationReconcileRequestedAt + ", and waits until the operator has answered.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.eachObject(cmd.Context(), args, func(ctx context.Context, cluster client.Client, kind string, object client.Object) error {
				wanted, ok := object.(*v1alpha1.Import)
				if !ok {
					return fmt.Errorf("%s/%s: only Imports are reconciled on demand", kind, object.GetName())
				}
				return c.reconcile(ctx, cluster, wanted, waits, timeout)
			})
		},
	}
	made.Flags().BoolVar(&waits, "wait", true, "Wait for the answer.")
	made.Flags().DurationVar(&timeout, "timeout", 2*time.Minute, "How long to wait.")
	return made
}

func (c *cmd) reconcile(ctx context.Context, cluster client.Client, object *v1alpha1.Import, waits bool, timeout time.Duration) error {
	request := clock.RealClock{}.Now().UTC().Format(time.RFC3339Nano)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationReconcileRequestedAt: request}}})
	if err != nil {
		return err
	}
	if err := cluster.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return err
	}
	if !waits {
		_, err := fmt.Fprintf(c.Out, "import/%s: requested\n", object.Name)
		return err
	}
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, timeout, true, func(ctx context.Context) (bool, error) {
		if err := cluster.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return false, err
		}
		return object.Status.LastHandledReconcileAt == request, nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("import/%s: the operator has not answered within %s; see kubectl describe import %s", object.Name, timeout, object.Name)
	}
	if err != nil {
		return interrupted(ctx, err, "the comparison of import/"+object.Name+" was requested: see kubectl describe import "+object.Name)
	}
	_, err = fmt.Fprintf(c.Out, "import/%s: %s\n", object.Name, readyText(object.Status.Conditions))
	return err
}
