// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package docs checks what the documentation says of the code.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../.."

var (
	testName  = regexp.MustCompile("`(Test[A-Za-z]+)`")
	storyName = regexp.MustCompile(`"([^"]+)"`)
)

// TestNamedTestsExist: a control in docs/security.md whose test was renamed or taken away is
// one that nothing shows any more.
func TestNamedTestsExist(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	code := testCode(t)
	named := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 { // threat, control, test, and nothing around them
			continue
		}
		for _, match := range testName.FindAllStringSubmatch(cells[3], -1) {
			named++
			if !strings.Contains(code, "func "+match[1]+"(") {
				t.Errorf("there is no test %s", match[1])
			}
		}
		for _, match := range storyName.FindAllStringSubmatch(cells[3], -1) {
			named++
			if !regexp.MustCompile(`(Describe|DescribeTable|It)\("` + regexp.QuoteMeta(match[1]) + `[",]`).MatchString(code) {
				t.Errorf("there is no story %q", match[1])
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d tests are named; the tables of the page have another form than expected", named)
	}
}

// testCode is all test files of the project.
func testCode(t *testing.T) string {
	t.Helper()
	var code strings.Builder
	project := os.DirFS(root)
	err := fs.WalkDir(project, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := fs.ReadFile(project, path)
		code.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return code.String()
}
