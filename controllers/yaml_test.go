// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// rowsUnder gives the cells of the table under a heading of docs/yaml.md, without the header.
func rowsUnder(heading string) (rows [][]string) {
	GinkgoHelper()
	page, err := os.ReadFile("../docs/yaml.md")
	Expect(err).NotTo(HaveOccurred())
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	Expect(found).To(BeTrue(), heading)
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "| `") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "| "), " | ") {
			cells = append(cells, strings.Trim(cell, "`"))
		}
		rows = append(rows, cells)
	}
	Expect(len(rows)).To(BeNumerically(">=", 5), heading)
	return rows
}

var _ = Describe("I write a manifest in YAML", func() {
	It("arrives as the page about YAML says, and I am warned of what can be seen", func(ctx context.Context) {
		w := newWorld(ctx)
		want, manifest := map[string]any{}, strings.Builder{}
		manifest.WriteString("apiVersion: integrator.io/v1alpha1\nkind: Import\nmetadata: {name: written}\nspec:\n  definition:\n" +
			"    name: Written\n    _connectionId: \"@shop\"\n    adaptorType: HTTPImport\n    http: {method: [POST], relativeURI: [/items], body: [null]}\n    settings:\n")
		add := func(name, written, arrives string) {
			fmt.Fprintf(&manifest, "      %s: %s\n", name, written)
			var value any
			Expect(decode([]byte(arrives), &value)).To(Succeed(), arrives)
			want[name] = value
		}
		for i, row := range rowsUnder("What becomes something else") {
			add(fmt.Sprintf("other%d", i), row[0], row[1])
			add(fmt.Sprintf("quoted%d", i), row[2], row[3])
		}
		for i, row := range rowsUnder("What arrives as it is written") {
			add(fmt.Sprintf("same%d", i), row[0], row[1])
		}
		output, err := kubectl(ctx, manifest.String(), "apply", "--validate=strict", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		object := &v1alpha1.Import{}
		w.eventuallyReady(ctx, object, "written")
		Expect(w.remote(object.Status.ID)["settings"]).To(Equal(want))
		Eventually(func() []string { return w.events(ctx, "written") }).Should(ContainElement(And(
			MatchRegexp(`^RoundedNumber: spec.definition has /settings/other\d+ \(12345678901234567000\), /settings/other\d+ \(1.2345678901234568e\+21\): Kubernetes rounds whole numbers`))))
	})

	It("is refused where the page says so, and accepted in quotes", func() {
		for _, row := range rowsUnder("What kubectl refuses") {
			_, err := yaml.YAMLToJSON([]byte("value: " + row[0] + "\n"))
			Expect(err).To(HaveOccurred(), row[0])
			_, err = yaml.YAMLToJSON([]byte("value: " + row[1] + "\n"))
			Expect(err).NotTo(HaveOccurred(), row[1])
		}
	})
})
