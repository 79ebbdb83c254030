// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	kustomize "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// output is where an export puts what it makes.
type output interface {
	// manifest takes the YAML of one Import.
	manifest(name string, content []byte) error
	// end takes the Account, after the last manifest.
	end(*v1alpha1.Account) error
	// broken is an error that ended the export, with what it leaves behind.
	broken(error) error
}

// stream prints the manifests as YAML documents, one write for each. Every document begins with "---".
// The Account is not among them: it is where they come from.
type stream struct{ io.Writer }

func (s stream) manifest(_ string, content []byte) error {
	if _, err := s.Write(append([]byte("---\n"), content...)); err != nil {
		return fmt.Errorf("write the manifests: %w", err)
	}
	return nil
}

func (s stream) end(*v1alpha1.Account) error { return nil }

func (s stream) broken(err error) error { return err }

// folder has a file for each Import, one for the Account, and a kustomization of them all.
type folder struct {
	path  string
	files []string
}

// The files of a folder besides those of the Imports, which are in importsFolder.
const (
	importsFolder     = "imports"
	accountFile       = "account.yaml"
	kustomizationFile = "kustomization.yaml"
)

// newFolder returns the folder, which is made with its first file. What is in one already may be somebody's
// work, so it has to be empty.
func newFolder(name string) (*folder, error) {
	entries, err := os.ReadDir(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("--output-dir: %w", err)
	case len(entries) > 0:
		return nil, fmt.Errorf("--output-dir: %s is not empty: name a folder that is empty or does not exist, and compare the two", name)
	}
	return &folder{path: name}, nil
}

func (f *folder) manifest(name string, content []byte) error {
	return f.write(path.Join(importsFolder, name+".yaml"), content)
}

// end writes the Account, without its status, and the kustomization.
func (f *folder) end(account *v1alpha1.Account) error {
	manifest := struct {
		APIVersion string               `json:"apiVersion"`
		Kind       string               `json:"kind"`
		Metadata   map[string]string    `json:"metadata"`
		Spec       v1alpha1.AccountSpec `json:"spec"`
	}{v1alpha1.GroupVersion.String(), "Account", map[string]string{"name": account.Name}, account.Spec}
	content, err := yaml.Marshal(manifest)
	if err != nil {
		return err
	}
	secret := account.Spec.TokenSecretRef
	content = append(fmt.Appendf(nil, "# The token is not in this folder: it is in the Secret %s.\n", secret.Name), content...)
	if err := f.write(accountFile, content); err != nil {
		return err
	}
	slices.Sort(f.files)
	k := kustomize.Kustomization{TypeMeta: kustomize.TypeMeta{APIVersion: kustomize.KustomizationVersion, Kind: kustomize.KustomizationKind}, Resources: f.files}
	if content, err = yaml.Marshal(k); err != nil {
		return err
	}
	return f.write(kustomizationFile, content)
}

func (f *folder) broken(err error) error {
	if len(f.files) == 0 {
		return err
	}
	return fmt.Errorf("%w; the folder %s is not complete: remove it", err, f.path)
}

func (f *folder) write(name string, content []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the manifests: %w", err)
		}
	}()
	if err := os.MkdirAll(f.path, 0o750); err != nil {
		return err
	}
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := root.MkdirAll(path.Dir(name), 0o750); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil && name != kustomizationFile {
		f.files = append(f.files, name)
	}
	return err
}
