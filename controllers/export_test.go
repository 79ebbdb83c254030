// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// program is the operator's program, built when the first story needs it.
var program = sync.OnceValues(func() (string, error) {
	return gexec.Build("github.com/integrator-operator/integrator-operator")
})

var _ = AfterSuite(gexec.CleanupBuildArtifacts)

// manager runs the operator's program as a person does.
func manager(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	GinkgoHelper()
	binary, err := program()
	Expect(err).NotTo(HaveOccurred())
	var out, notes bytes.Buffer
	command := exec.CommandContext(ctx, binary, args...) //nolint:gosec // the program under test
	command.Stdout, command.Stderr = &out, &notes
	if err := command.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		Expect(ok).To(BeTrue(), "%v", err)
		return out.String(), notes.String(), exit.ExitCode()
	}
	return out.String(), notes.String(), 0
}

// export runs manager export against the suite's API server, for an Account of the world.
func (w *world) export(ctx context.Context, flags ...string) (stdout, stderr string, code int) {
	GinkgoHelper()
	file := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(file, kubeconfig, 0o600)).To(Succeed())
	host, err := url.Parse(simURL)
	Expect(err).NotTo(HaveOccurred())
	return manager(ctx, append([]string{"export", "--kubeconfig", file, "--namespace", w.namespace,
		"--allow-http", "--allowed-api-hosts", host.Host}, flags...)...)
}

// manifests splits a stream of YAML documents.
func manifests(stream string) []v1alpha1.Import {
	GinkgoHelper()
	var imports []v1alpha1.Import
	for i, document := range strings.Split("\n"+stream, "\n---\n") {
		if i == 0 {
			Expect(document).To(BeEmpty(), "something stands before the first document")
			continue
		}
		var object v1alpha1.Import
		Expect(yaml.UnmarshalStrict([]byte(document), &object)).To(Succeed(), document)
		imports = append(imports, object)
	}
	return imports
}

// elsewhere is the id that stands in another account for the one with this id.
func elsewhere(id string) string { return strings.Replace(id, "64a0", "65b0", 1) }

// fixtureIDs are aliases of all ids that the fixtures name.
func fixtureIDs(of func(string) string) map[string]v1alpha1.ID {
	ids := map[string]v1alpha1.ID{}
	for _, connection := range simulator.FixtureConnections() {
		ids["connection-"+connection.ID[22:]] = v1alpha1.ID(of(connection.ID))
	}
	for _, end := range []string{"e1", "f1", "f2", "f3", "f4", "f5", "f6", "f7"} {
		ids["other-"+end] = v1alpha1.ID(of("64a0000000000000000000" + end))
	}
	return ids
}

// withAliases makes a Ready Account "default" with aliases of all ids of the fixtures.
func (w *world) withAliases(ctx context.Context, of func(string) string) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
	object := w.accountObject("default")
	object.Spec.Aliases = fixtureIDs(of)
	Expect(k8s.Create(ctx, object)).To(Succeed())
	w.eventuallyReady(ctx, object, "default")
}

// seeded puts every fixture into the account, as people in the UI do, and returns their ids.
func (w *world) seeded() (ids []string) {
	GinkgoHelper()
	for _, fixture := range simulator.Fixtures() {
		id, err := sim.SeedImport(w.account, fixture.Document)
		Expect(err).NotTo(HaveOccurred())
		ids = append(ids, id)
	}
	return ids
}

// comparable is the remote document by name, without what differs from account to account.
func (w *world) comparable() map[string]map[string]any {
	GinkgoHelper()
	documents := map[string]map[string]any{}
	for _, document := range sim.Imports(w.account) {
		for _, field := range append(slices.Clone(drift.ServerOwned), "externalId", "encrypted") {
			delete(document, field)
		}
		raw, err := json.Marshal(document)
		Expect(err).NotTo(HaveOccurred())
		plain, err := drift.Parse(bytes.ReplaceAll(raw, []byte(`"65b0`), []byte(`"64a0`)))
		Expect(err).NotTo(HaveOccurred())
		documents[document["name"].(string)] = plain
	}
	return documents
}

var _ = Describe("I bring what exists under the operator", func() {
	// A row is a way to use the manifests: where they are applied, and what it costs there.
	DescribeTable("exports every kind of import, and the manifests are in agreement with what they were made of",
		func(ctx context.Context, flags []string, apply func(context.Context, *world) *world, cost func(imports int) map[string]int) {
			w := newEmptyWorld(ctx)
			ids := w.seeded()
			w.withAliases(ctx, func(id string) string { return id })

			stdout, stderr, code := w.export(ctx, flags...)
			Expect(code).To(BeZero(), stderr)
			Expect(stderr).To(Equal(fmt.Sprintf("note: exported %d of %d imports\n", len(ids), len(ids))))
			Expect(stdout).NotTo(ContainSubstring("64a0000000000000"), "an id has no alias")
			Expect(stdout).NotTo(ContainSubstring("a-secret-of-the-wrapper"))
			Expect(stdout).To(ContainSubstring("#   /encrypted/apiKey\n"))
			objects := manifests(stdout)
			Expect(objects).To(HaveLen(len(ids)))

			target := apply(ctx, w)
			output, err := kubectl(ctx, stdout, "apply", "--server-side", "--validate=strict", "-n", target.namespace, "-f", "-")
			Expect(err).NotTo(HaveOccurred(), output)
			for _, object := range objects {
				target.eventuallyReady(ctx, &v1alpha1.Import{}, object.Name)
			}
			target.scans(2)
			calls, want := target.calls(), cost(len(ids))
			if calls[getOne] > want[getOne] {
				calls[getOne] = want[getOne] // while few were taken over, a scan may have read these alone
			}
			Expect(calls).To(Equal(want))

			made := target.comparable()
			for name, original := range w.comparable() {
				for _, side := range [][2]map[string]any{{original, made[name]}, {made[name], original}} {
					for _, difference := range drift.Compare(side[0], side[1], nil) {
						// The one number of the fixtures that Kubernetes cannot hold.
						Expect(drift.Text(side[0]["name"], 99)+difference.Path).To(
							Equal(`"Create orders in the shop"/mappings/2/buildArrayHelper/0/mappings/1/default`), "%v", difference)
					}
				}
			}
		},
		Entry("as copies in another account", nil, func(ctx context.Context, _ *world) *world {
			other := newEmptyWorld(ctx)
			for _, connection := range simulator.FixtureConnections() {
				Expect(sim.AddConnection(other.account, simulator.Connection{ID: elsewhere(connection.ID), Name: connection.Name})).To(Succeed())
			}
			other.withAliases(ctx, elsewhere)
			return other
		}, func(imports int) map[string]int { return map[string]int{post: imports} }),
		Entry("taking over what they were made of", []string{"--adopt"}, func(_ context.Context, w *world) *world { return w },
			func(imports int) map[string]int {
				return map[string]int{getOne: imports, dependants: imports, audit: imports}
			}),
	)

	It("prints manifests that take over what nobody manages, and says what it skips", func(ctx context.Context) {
		w := newWorld(ctx)
		managed := w.synced(ctx, w.httpImport("mine"))
		seed := func(document string) string {
			id, err := sim.SeedImport(w.account, json.RawMessage(overlaid(`{"_connectionId": "64a0000000000000000000a1", "http": {"method": ["POST"]}}`, document)))
			Expect(err).NotTo(HaveOccurred())
			return id
		}
		app := seed(`{"name": "Of an app", "_connectorId": "64a0000000000000000000c1"}`)
		foreign := seed(`{"name": "Of another cluster", "externalId": "k8s/0000"}`)
		first := seed(`{"name": "Mine", "http": {"method": ["POST"], "headers": [{"name": "X", "value": "********"}]}}`)
		second := seed(`{"name": "Orders", "externalId": "erp-1"}`)

		stdout, stderr, code := w.export(ctx, "--adopt")
		Expect(code).To(BeZero(), stderr)
		const rest = `    _connectionId: "@shop"
%s    http:
      method:
        - POST
      sendPostMappedData: true
    ignoreExisting: false
    ignoreMissing: false
    oneToMany: false
`
		Expect(stdout).To(Equal(`---
# Secret, so the API does not show it. It is left out, and stays as it is where this import is taken over:
#   /http/headers/0/value (and with it all of /http/headers)
apiVersion: integrator.io/v1alpha1
kind: Import
metadata:
  name: mine-` + first[16:] + `
spec:
  adopt:
    id: "` + first + `"
    mode: Match
  deletionPolicy: Orphan
  definition:
    name: Mine
    adaptorType: HTTPImport
` + fmt.Sprintf(rest, "") + `---
apiVersion: integrator.io/v1alpha1
kind: Import
metadata:
  name: orders
spec:
  adopt:
    id: "` + second + `"
    mode: Match
  deletionPolicy: Orphan
  definition:
    name: Orders
    adaptorType: HTTPImport
` + fmt.Sprintf(rest, "    externalId: erp-1\n")))
		Expect(strings.Split(strings.TrimSpace(stderr), "\n")).To(Equal([]string{
			`note: skipped import ` + managed.Status.ID + ` ("mine"): Import mine in namespace ` + w.namespace + ` manages it`,
			`note: skipped import ` + app + ` ("Of an app"): it belongs to an integration app, which updates it; it cannot be managed here`,
			`note: skipped import ` + foreign + ` ("Of another cluster"): it has the ownership marker of an Import that is not found here (externalId k8s/0000); if no other cluster manages it, adopt it: spec.adopt with id ` + foreign + ` and mode Override`,
			`note: exported 2 of 5 imports`,
		}))
		output, err := kubectl(ctx, stdout, "apply", "--dry-run=server", "--validate=strict", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
	})

	It("prints the same names each time, whatever the pages, and those of the Imports that there are", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("kept")
		object.Spec.Definition.Raw = w.httpImport("Called otherwise").Spec.Definition.Raw
		w.synced(ctx, object)
		w.seeded()
		twin := simulator.Fixtures()[0]
		_, err := sim.SeedImport(w.account, twin.Document)
		Expect(err).NotTo(HaveOccurred())

		once, _, code := w.export(ctx)
		Expect(code).To(BeZero())
		Expect(sim.SetChoices(func(c *simulator.Choices) { c.MaxPageSize = 2 })).To(Succeed())
		DeferCleanup(func() {
			Expect(sim.SetChoices(func(c *simulator.Choices) { c.MaxPageSize = simulator.DefaultChoices().MaxPageSize })).To(Succeed())
		})
		again, _, code := w.export(ctx)
		Expect(code).To(BeZero())
		Expect(again).To(Equal(once))

		names := map[string]bool{}
		for _, object := range manifests(once) {
			names[object.Name] = true
		}
		Expect(names).To(HaveLen(len(simulator.Fixtures())+2), "%v", slices.Sorted(maps.Keys(names)))
		Expect(names).To(HaveKey("kept"))
		Expect(names).To(HaveKey("purchase-orders-by-as2"))
	})

	It("needs permissions in one namespace only, and says what it cannot see", func(ctx context.Context) {
		w := newWorld(ctx)
		w.seeded()
		mine := w.synced(ctx, w.httpImport("mine"))
		role := &rbacv1.Role{ObjectMeta: w.meta("exporter"), Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"integrator.io"}, Resources: []string{"accounts", "imports"}, Verbs: []string{"get", "list"}},
			{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}},
		}}
		Expect(k8s.Create(ctx, role)).To(Succeed())
		Expect(k8s.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: w.meta("exporter"),
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "exporter"},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "ann"}},
		})).To(Succeed())
		config, err := clientcmd.Load(kubeconfig)
		Expect(err).NotTo(HaveOccurred())
		for _, user := range config.AuthInfos {
			user.Impersonate = "ann"
		}
		file := filepath.Join(GinkgoT().TempDir(), "ann")
		Expect(clientcmd.WriteToFile(*config, file)).To(Succeed())

		stdout, stderr, code := w.export(ctx, "--kubeconfig", file, "--adopt")
		Expect(code).To(BeZero(), stderr)
		fixtures := len(simulator.Fixtures())
		Expect(manifests(stdout)).To(HaveLen(fixtures))
		Expect(strings.Split(strings.TrimSpace(stderr), "\n")).To(Equal([]string{
			`note: Imports of other namespaces cannot be listed; those that are managed from there are not recognised`,
			`note: skipped import ` + mine.Status.ID + ` ("mine"): Import mine in namespace ` + w.namespace + ` manages it`,
			fmt.Sprintf(`note: exported %d of %d imports`, fixtures, fixtures+1),
		}))
	})

	It("puts an account into a folder that kubectl applies, and keeps what is in one", func(ctx context.Context) {
		w := newWorld(ctx)
		w.seeded()
		w.synced(ctx, w.httpImport("mine"))
		folder := filepath.Join(GinkgoT().TempDir(), "account")
		stdout, stderr, code := w.export(ctx, "--output-dir", folder)
		Expect(code).To(BeZero(), stderr)
		Expect(stdout).To(BeEmpty())
		Expect(stderr).To(HaveSuffix(fmt.Sprintf("note: exported %[1]d of %[1]d imports\n", len(simulator.Fixtures())+1)))

		files, err := filepath.Glob(filepath.Join(folder, "imports", "*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(files).To(HaveLen(len(simulator.Fixtures()) + 1))
		output, err := kubectl(ctx, "", "apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=strict", "-n", w.namespace, "-k", folder, "-o", "name")
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(strings.Fields(output)).To(ContainElements("account.integrator.io/default", "import.integrator.io/mine", "import.integrator.io/purchase-orders-by-as2"))
		content, err := os.ReadFile(filepath.Join(folder, "account.yaml"))
		Expect(err).NotTo(HaveOccurred())
		exported := &v1alpha1.Account{}
		Expect(yaml.UnmarshalStrict(content, exported)).To(Succeed())
		Expect(exported.Spec).To(Equal(get(ctx, w, &v1alpha1.Account{}, "default").Spec))
		Expect(string(content)).NotTo(ContainSubstring(w.token))

		By("exporting into it again")
		_, stderr, code = w.export(ctx, "--output-dir", folder)
		Expect(code).To(Equal(1))
		Expect(stderr).To(Equal("error: --output-dir: " + folder + " is not empty: name a folder that is empty or does not exist, and compare the two\n"))
	})

	It("ends with an error where the list does, and what it printed is whole", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		ids := w.seeded()
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		account := w.accountObject("default")
		account.Spec.ScanInterval = "1h"
		Expect(k8s.Create(ctx, account)).To(Succeed())
		Eventually(func() *int32 { return get(ctx, w, account, "default").Status.Imports }).ShouldNot(BeNil())
		// Of two lists, in pages of three, the second page of the second.
		chosen(func(c *simulator.Choices) { c.MaxPageSize = 3 })
		pages := (len(ids) + 2) / 3
		rule, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports", Method: "GET", Phase: simulator.PhaseBefore,
			Nth: pages + 2, Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 500}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() error { return sim.RemoveRule(rule) })

		stdout, stderr, code := w.export(ctx)
		Expect(code).To(Equal(1))
		Expect(stderr).To(HavePrefix("error: cannot list the imports: the API failed (500"))
		Expect(strings.Count(stderr, "\n")).To(Equal(1))
		Expect(manifests(stdout)).To(HaveLen(3))

		Expect(sim.RemoveRule(rule)).To(Succeed())
		rule, err = sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports", Method: "GET", Phase: simulator.PhaseBefore,
			Nth: pages + 2, Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 500}})
		Expect(err).NotTo(HaveOccurred())
		folder := filepath.Join(GinkgoT().TempDir(), "account")
		_, stderr, code = w.export(ctx, "--output-dir", folder)
		Expect(code).To(Equal(1))
		Expect(stderr).To(HaveSuffix("; the folder " + folder + " is not complete: remove it\n"))
	})

	DescribeTable("says in one line what is wrong, and prints nothing else",
		func(ctx context.Context, arrange func(context.Context, *world) []string, says string) {
			w := newWorld(ctx)
			flags := arrange(ctx, w)
			stdout, stderr, code := w.export(ctx, flags...)
			Expect(code).To(Equal(1))
			Expect(stdout).To(BeEmpty())
			Expect(stderr).To(Equal("error: " + strings.NewReplacer("NAMESPACE", w.namespace, "127.0.0.1:PORT", strings.TrimPrefix(simURL, "http://")).Replace(says) + "\n"))
			Expect(stderr).NotTo(ContainSubstring(w.token))
		},
		Entry("no such Account", func(context.Context, *world) []string { return []string{"--account", "prod"} },
			`there is no Account "prod" in namespace "NAMESPACE": name another with --account or --namespace`),
		Entry("a token that is not accepted", func(_ context.Context, w *world) []string {
			Expect(sim.RevokeToken(w.account, w.token)).To(Succeed())
			return nil
		}, `cannot list the imports: the API rejects the token (401); put a valid token into the Account's Secret`),
		Entry("no Secret", func(ctx context.Context, w *world) []string {
			Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
			return nil
		}, `there is no Secret "token" in namespace "NAMESPACE": create it with the API token under key "token"`),
		Entry("a host that is not allowed", func(context.Context, *world) []string { return []string{"--allowed-api-hosts", "api.integrator.io"} },
			`spec.baseURL cannot be used: its host, 127.0.0.1:PORT, is not allowed; use one of api.integrator.io, or run the export with it in --allowed-api-hosts`),
		Entry("all that is wrong with a URL", func(context.Context, *world) []string {
			return []string{"--allow-http=false", "--allowed-api-hosts", "api.integrator.io"}
		}, `spec.baseURL cannot be used: its host, 127.0.0.1:PORT, is not allowed; use one of api.integrator.io, or run the export with it in --allowed-api-hosts; `+
			`it must begin with https://; only --allow-http permits http, for tests on one machine`),
		Entry("http alone", func(context.Context, *world) []string { return []string{"--allow-http=false"} },
			`spec.baseURL cannot be used: it must begin with https://; only --allow-http permits http, for tests on one machine`),
		Entry("no certificates", func(ctx context.Context, w *world) []string {
			change(ctx, w.accountObject("default"), func(object *v1alpha1.Account) {
				object.Spec.CABundleRef = &v1alpha1.CABundleReference{Name: "ca"}
			})
			return nil
		}, `spec.caBundleRef: there is no ConfigMap "ca" in namespace "NAMESPACE": create it with certificates in PEM under key "ca.crt"`),
		Entry("a suspended Account", func(ctx context.Context, w *world) []string {
			change(ctx, w.accountObject("default"), func(object *v1alpha1.Account) { object.Spec.Suspend = true })
			return nil
		}, `Account "default" has spec.suspend: no call may be made for it`),
		Entry("an unknown flag", func(context.Context, *world) []string { return []string{"--all"} },
			`flag provided but not defined: -all; see manager export --help`),
		Entry("an argument", func(context.Context, *world) []string { return []string{"everything"} },
			`unexpected argument "everything"; see manager export --help`),
		Entry("no kubeconfig", func(context.Context, *world) []string { return []string{"--kubeconfig", "/nowhere"} },
			`read the kubeconfig: stat /nowhere: no such file or directory`),
	)

	It("shows how it is used", func(ctx context.Context) {
		stdout, stderr, code := manager(ctx, "export", "--help")
		Expect(code).To(BeZero())
		Expect(stderr).To(BeEmpty())
		Expect(stdout).To(And(HavePrefix("Usage: manager export [flags] > imports.yaml\n"), ContainSubstring("\n  -adopt\n")))

		stdout, stderr, code = manager(ctx, "import")
		Expect(code).To(Equal(1))
		Expect(stdout).To(BeEmpty())
		Expect(stderr).To(Equal("error: unknown command \"import\"; see manager help\n"))
	})
})
