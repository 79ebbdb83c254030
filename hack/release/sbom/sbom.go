// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sbom says what a program is made of: the modules, as SPDX, and their licences.
package sbom

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

// MediaType is that of the documents.
const MediaType = "application/spdx+json"

// Of makes the SPDX 2.3 document, as JSON, of a program from what Go recorded in it. The others are
// modules that come with the program and are not in it.
func Of(program string, s source.Stamp, p source.Platform, others ...debug.Module) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(content)
	sum := hex.EncodeToString(hash[:])

	main := entry("main", info.Main.Path, s.Version, "")
	main.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: sum}}
	main.PackageLicenseDeclared = "Apache-2.0"
	main.PrimaryPackagePurpose = "APPLICATION"
	main.PackageHomePage = source.URL
	main.PackageDownloadLocation = "git+" + source.URL + "@" + strings.TrimSuffix(s.Commit, "-dirty")
	packages := []*spdx.Package{main, entry("stdlib", "stdlib", strings.TrimPrefix(info.GoVersion, "go"), "")}
	packages[1].PackageLicenseDeclared = "BSD-3-Clause"
	for _, dependency := range info.Deps {
		if dependency.Replace != nil {
			dependency = dependency.Replace
		}
		packages = append(packages, entry("module-"+dependency.Path, dependency.Path, dependency.Version, dependency.Sum))
	}
	document := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      "integrator-operator " + s.Version + " " + p.String(),
		DocumentNamespace: source.URL + "/spdx/" + s.Version + "/" + p.String() + "/" + sum,
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Organization", Creator: "The integrator-operator Authors"}, {CreatorType: "Tool", Creator: "hack/release"}},
			Created:  s.RFC3339(),
		},
		Relationships: []*spdx.Relationship{relation("DOCUMENT", common.TypeRelationshipDescribe, "main")},
	}
	for _, part := range packages[1:] {
		document.Relationships = append(document.Relationships, relation("main", common.TypeRelationshipDependsOn, part.PackageSPDXIdentifier))
	}
	for _, other := range others {
		part := entry("other-"+other.Path, other.Path, other.Version, other.Sum)
		packages = append(packages, part)
		document.Relationships = append(document.Relationships, relation("DOCUMENT", common.TypeRelationshipDescribe, part.PackageSPDXIdentifier))
	}
	document.Packages = packages
	var out bytes.Buffer
	err = json.Write(document, &out, json.Indent("  "), json.EscapeHTML(false))
	return out.Bytes(), err
}

// entry is a Go module as a package of SPDX. What the module's authors declare is not read: the
// texts of the licences come with the program.
func entry(id, path, version, sum string) *spdx.Package {
	part := &spdx.Package{
		PackageName: path, PackageVersion: version, PackageSPDXIdentifier: common.ElementID(notOfAnID.ReplaceAllString(id, "-")),
		PackageDownloadLocation: "NOASSERTION", PackageLicenseConcluded: "NOASSERTION", PackageLicenseDeclared: "NOASSERTION", PackageCopyrightText: "NOASSERTION",
		IsFilesAnalyzedTagPresent: true,
		PackageExternalReferences: []*spdx.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: "pkg:golang/" + path + "@" + version,
		}},
	}
	if sum != "" {
		part.PackageSourceInfo = fmt.Sprintf("go.sum: %s", sum)
	}
	return part
}

var notOfAnID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func relation(from common.ElementID, kind string, to common.ElementID) *spdx.Relationship {
	return &spdx.Relationship{RefA: common.DocElementID{ElementRefID: from}, Relationship: kind, RefB: common.DocElementID{ElementRefID: to}}
}
