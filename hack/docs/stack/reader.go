// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// Reader follows a page: with a directory, a namespace and an account of their own.
type Reader struct {
	stack *Stack
	// Dir is where the commands are run. It looks like a checkout.
	Dir string
	// Namespace is that of the kubeconfig, Token the one of the account.
	Namespace, Token string
	environment      []string
}

// copied are the parts of the checkout that commands may change. The others are links.
var copied = []string{"config", "charts"}

// NewReader begins a page. The working directory has to be the top of the checkout.
func (s *Stack) NewReader(ctx context.Context, name string) (*Reader, error) {
	r := &Reader{stack: s, Dir: filepath.Join(s.Dir, name), Namespace: name, Token: "token-of-" + name}
	if err := checkout(r.Dir); err != nil {
		return nil, err
	}
	digits := fmt.Sprintf("%0*x", pageDigits, s.readers.Add(1))
	if err := s.remote.account(name, r.Token, digits); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(s.plane.Kubeconfig)
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(s.Dir, name+".kubeconfig")
	if err := os.WriteFile(kubeconfig, content, 0o600); err != nil {
		return nil, err
	}
	library, err := filepath.Abs("hack/docs/functions.sh")
	if err != nil {
		return nil, err
	}
	r.environment = append(s.Environment(kubeconfig),
		"NAMESPACE="+name, "ACCOUNT="+name, "DIGITS="+digits, "TOKEN="+r.Token, "FUNCTIONS="+library, "FILES="+filepath.Join(filepath.Dir(library), "files"),
		"GIT_AUTHOR_NAME=jane", "GIT_AUTHOR_EMAIL=jane@example.com", "GIT_COMMITTER_NAME=jane", "GIT_COMMITTER_EMAIL=jane@example.com")
	_, err = r.Run(ctx, "kubectl create namespace "+name+"\nkubectl config set-context --current --namespace="+name)
	return r, err
}

// checkout makes a directory that looks like the one where this runs.
func checkout(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		return err
	}
	top, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == ".git" {
			continue // what is committed is committed in the reader's own repository
		}
		if err := os.Symlink(filepath.Join(top, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	for _, name := range copied {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(name)); err != nil {
			return err
		}
	}
	return withoutWarnings(dir)
}

// withoutWarnings leaves the warnings about definitions out of what is installed: a busy API server needs
// longer to compile them than a request may take. The tests of the controllers and of the chart have them.
func withoutWarnings(dir string) error {
	for name, replace := range map[string][2]string{
		"config/default/kustomization.yaml":      {"- ../definition-warnings\n", ""},
		"charts/integrator-operator/values.yaml": {"definitionWarnings: true", "definitionWarnings: false"},
	} {
		file := filepath.Join(dir, name)
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		changed := strings.Replace(string(content), replace[0], replace[1], 1)
		if changed == string(content) {
			return fmt.Errorf("%s does not have %q", name, replace[0])
		}
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Expand replaces the variables of the environment in a text.
func (r *Reader) Expand(text string) string {
	return os.Expand(text, func(name string) string {
		for _, variable := range r.environment {
			if value, ok := strings.CutPrefix(variable, name+"="); ok {
				return value
			}
		}
		return ""
	})
}

// Write writes a file as the reader does.
func (r *Reader) Write(name, content string) error {
	file := filepath.Join(r.Dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), 0o600)
}

// commandTimeout is how long a block may take.
const commandTimeout = 3 * time.Minute

// Run runs a script as the reader does, and returns what it prints.
func (r *Reader) Run(ctx context.Context, script string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, commandTimeout, fmt.Errorf("it did not end within %v", commandTimeout))
	defer cancel()
	return local.Run(ctx, "/usr/bin/env", r.environment, "bash", "-euo", "pipefail", "-c", "cd '"+r.Dir+"'\n"+script)
}

// Prepare runs a script that the reader does not see. It has the functions of hack/docs/functions.sh.
func (r *Reader) Prepare(ctx context.Context, script string) error {
	output, err := r.Run(ctx, `. "$FUNCTIONS"`+"\n"+script)
	if err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, script, output)
	}
	return nil
}

// Manager is that of the Stack.
func (r *Reader) Manager(ctx context.Context, flags string) error { return r.stack.Manager(ctx, flags) }
