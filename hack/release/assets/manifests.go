// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/hack/release/archive"
	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

// manifests renders config/default with the image of the release, named by its digest.
func (o *Options) manifests(digest v1.Hash) ([]byte, error) {
	// kustomize compares paths without their links.
	dir, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		return nil, err
	}
	if dir, err = os.MkdirTemp(dir, "integrator-manifests-"); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(o.Source, "config"))); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "manager", "kustomization.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var kustomization types.Kustomization
	if err := yaml.UnmarshalStrict(content, &kustomization); err != nil {
		return nil, fmt.Errorf("config/manager/kustomization.yaml: %w", err)
	}
	kustomization.Images = []types.Image{{Name: "controller", NewName: o.Repository, NewTag: o.Stamp.Version, Digest: digest.String()}}
	if content, err = yaml.Marshal(kustomization); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, err
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(dir, "default"))
	if err != nil {
		return nil, fmt.Errorf("render config/default: %w", err)
	}
	rendered, err := resources.AsYaml()
	if err != nil {
		return nil, err
	}
	if named := o.Image() + "@" + digest.String(); !bytes.Contains(rendered, []byte("image: "+named+"\n")) {
		return nil, fmt.Errorf("config/default does not render the image %s", named)
	}
	return append(fmt.Appendf(nil, "# integrator-operator %s: kubectl apply --server-side -f install.yaml\n", o.Stamp.Version), rendered...), nil
}

const chartDir = "charts/integrator-operator"

var (
	chartVersion    = regexp.MustCompile(`(?m)^version:.*$`)
	chartAppVersion = regexp.MustCompile(`(?m)^appVersion:.*$`)
	// chartImage has the name of the image in values.yaml, within the block "image:".
	chartImage = regexp.MustCompile(`(?m)^(image:\n(?:[ \t#].*\n|\n)*?  repository:) .*$`)
)

// chart packs the Helm chart, with the version of the release and the name of its image. It is nil
// where there is no chart.
func (o *Options) chart() ([]byte, error) {
	root := filepath.Join(o.Source, filepath.FromSlash(chartDir))
	ignored, err := chartIgnores(root)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var entries []archive.Entry
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && ignored(name):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if content, err = o.stampChart(name, content); err != nil {
			return err
		}
		entries = append(entries, archive.File(path.Join(path.Base(chartDir), name), content))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = archive.TarGz(&out, o.Stamp.Date, entries)
	return out.Bytes(), err
}

// stampChart puts version and image into the files of the chart that name them.
func (o *Options) stampChart(name string, content []byte) ([]byte, error) {
	missing := func(what string) error { return fmt.Errorf("%s/%s has no %s", chartDir, name, what) }
	switch name {
	case "Chart.yaml":
		if !chartVersion.Match(content) || !chartAppVersion.Match(content) {
			return nil, missing("version and appVersion")
		}
		content = chartVersion.ReplaceAll(content, []byte("version: "+o.Stamp.Bare()))
		return chartAppVersion.ReplaceAll(content, []byte("appVersion: "+o.Stamp.Version)), nil
	case "values.yaml":
		if !chartImage.Match(content) {
			return nil, missing("image.repository")
		}
		return chartImage.ReplaceAll(content, []byte("${1} "+o.Repository)), nil
	}
	return content, nil
}

// chartIgnores reads the chart's .helmignore: patterns of names, or of paths if they have a slash.
func chartIgnores(root string) (ignored func(string) bool, err error) {
	if _, err := os.Stat(filepath.Join(root, "Chart.yaml")); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(root, ".helmignore"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	patterns := []string{".helmignore"}
	for line := range strings.Lines(string(content)) {
		pattern := strings.TrimSpace(line)
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		pattern = strings.Trim(pattern, "/")
		if _, err := path.Match(pattern, ""); err != nil || strings.HasPrefix(pattern, "!") || strings.Contains(pattern, "**") {
			return nil, fmt.Errorf("%s/.helmignore: the pattern %q is not understood here", chartDir, pattern)
		}
		patterns = append(patterns, pattern)
	}
	return func(name string) bool {
		for _, pattern := range patterns {
			matched := path.Base(name)
			if strings.Contains(pattern, "/") {
				matched = name
			}
			if ok, _ := path.Match(pattern, matched); ok {
				return true
			}
		}
		return false
	}, nil
}

// krewPlugin is a manifest of krew, the plug-in manager of kubectl: what its index has of a plug-in.
type krewPlugin struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Metadata   krewMetadata `json:"metadata"`
	Spec       krewSpec     `json:"spec"`
}

type krewMetadata struct {
	Name string `json:"name"`
}

type krewSpec struct {
	Version          string         `json:"version"`
	Homepage         string         `json:"homepage"`
	ShortDescription string         `json:"shortDescription"`
	Description      string         `json:"description"`
	Platforms        []krewPlatform `json:"platforms"`
}

type krewPlatform struct {
	Selector krewSelector `json:"selector"`
	URI      string       `json:"uri"`
	SHA256   string       `json:"sha256"`
	Bin      string       `json:"bin"`
}

type krewSelector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

// krew is the manifest of the plug-in for krew.
func (o *Options) krew(archives []pluginArchive) ([]byte, error) {
	made := krewPlugin{
		APIVersion: "krew.googlecontainertools.github.com/v1alpha2", Kind: "Plugin", Metadata: krewMetadata{"integrator"},
		Spec: krewSpec{
			Version: o.Stamp.Version, Homepage: source.URL, ShortDescription: "Declare imports of Celigo integrator.io",
			Description: "Plans, checks and looks after imports of Celigo integrator.io that\nintegrator-operator keeps as objects of Kubernetes: plan, lint, diff, status,\ndoctor, history, report, adopt, takeover, export, run and others.\n",
		},
	}
	for _, a := range archives {
		made.Spec.Platforms = append(made.Spec.Platforms, krewPlatform{
			Selector: krewSelector{map[string]string{"os": a.platform.OS, "arch": a.platform.Arch}},
			URI:      o.Download() + "/" + a.name, SHA256: checksum(a.content), Bin: a.program,
		})
	}
	return yaml.Marshal(made)
}

var heading = regexp.MustCompile(`(?m)^## \[?([^\]\s]+)\]?.*$`)

// Notes is the section of the changelog for a version; for one before a release, what is not released
// yet if it has no section of its own.
func Notes(dir string, s source.Stamp) ([]byte, error) {
	changelog, err := os.ReadFile(filepath.Join(dir, "CHANGELOG.md"))
	if err != nil {
		return nil, err
	}
	wanted := []string{s.Bare()}
	if s.Prerelease() {
		wanted = append(wanted, "Unreleased")
	}
	headings := heading.FindAllSubmatchIndex(changelog, -1)
	for _, want := range wanted {
		for i, at := range headings {
			if string(changelog[at[2]:at[3]]) != want {
				continue
			}
			end := len(changelog)
			if i+1 < len(headings) {
				end = headings[i+1][0]
			}
			notes := bytes.TrimSpace(changelog[at[1]:end])
			if len(notes) == 0 {
				return nil, fmt.Errorf("the section [%s] of CHANGELOG.md is empty", want)
			}
			return append(notes, '\n'), nil
		}
	}
	return nil, fmt.Errorf("CHANGELOG.md has no section [%s]", s.Bare())
}
