// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// reader follows docs/restore-move-rename.md: the commands of a section are run as they stand there.
type reader struct {
	// dir is where the reader's Git is checked out.
	dir string
	// replace are pairs of what the page writes and what it is here, as for strings.NewReplacer.
	replace []string
}

// The headings of the page.
const (
	takeAllOver    = "How do I take over all that are refused?"
	withStatus     = "I restore a backup with its status"
	withoutStatus  = "I restore a backup without status"
	onlyGit        = "I have only Git"
	otherCluster   = "I move to another cluster"
	otherNamespace = "I move Imports to another namespace"
	rename         = "I rename an Import"
	clones         = "Somebody cloned an import in the UI"
	twoClusters    = "Two clusters use one account"
)

func (w *world) reader(ctx context.Context) *reader {
	GinkgoHelper()
	r := &reader{dir: GinkgoT().TempDir()}
	Expect(os.WriteFile(filepath.Join(r.dir, "kubeconfig"), kubeconfig, 0o600)).To(Succeed())
	Expect(os.Mkdir(filepath.Join(r.dir, "imports"), 0o700)).To(Succeed())
	r.run(ctx, "kubectl config set-context --current --namespace="+w.namespace)
	return r
}

// keep writes the manifest of an Import into Git.
func (r *reader) keep(object *v1alpha1.Import) {
	GinkgoHelper()
	r.keepAs(object, object.Name)
}

func (r *reader) keepAs(object *v1alpha1.Import, name string) {
	GinkgoHelper()
	manifest := map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Import",
		"metadata": map[string]any{"name": object.Name}, "spec": object.Spec,
	}
	content, err := yaml.Marshal(manifest)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(r.dir, "imports", name+".yaml"), content, 0o600)).To(Succeed())
}

// edit changes a manifest in Git.
func (r *reader) edit(name string, change func(*v1alpha1.Import)) {
	GinkgoHelper()
	file := filepath.Join(r.dir, "imports", name+".yaml")
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	object := &v1alpha1.Import{}
	Expect(yaml.Unmarshal(content, object)).To(Succeed())
	change(object)
	Expect(os.Remove(file)).To(Succeed())
	r.keepAs(object, name)
}

var shBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// commands are those of a section of the page.
func commands(heading string) (blocks []string) {
	GinkgoHelper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "restore-move-rename.md"))
	Expect(err).NotTo(HaveOccurred())
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	Expect(found).To(BeTrue(), "the page has no section %q", heading)
	section, _, _ = strings.Cut(section, "\n## ")
	for _, block := range shBlock.FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, block[1])
	}
	return blocks
}

// follow runs the n-th commands of a section, and returns what they print.
func (r *reader) follow(ctx context.Context, heading string, n int) string {
	GinkgoHelper()
	return r.run(ctx, strings.NewReplacer(r.replace...).Replace(commands(heading)[n-1]))
}

func (r *reader) run(ctx context.Context, script string) string {
	GinkgoHelper()
	//nolint:gosec // the commands of a page of this project
	command := exec.CommandContext(ctx, "sh", "-euc", script)
	command.Dir = r.dir
	command.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(r.dir, "kubeconfig"),
		"PATH="+os.Getenv("KUBEBUILDER_ASSETS")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GIT_AUTHOR_NAME=jane", "GIT_AUTHOR_EMAIL=jane@example.com", "GIT_COMMITTER_NAME=jane", "GIT_COMMITTER_EMAIL=jane@example.com")
	output, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s\n%s", script, output)
	return string(output)
}

// lose removes all Imports, while no operator runs, as if the cluster were lost.
func (w *world) lose(ctx context.Context) {
	GinkgoHelper()
	var imports v1alpha1.ImportList
	Expect(k8s.List(ctx, &imports, client.InNamespace(w.namespace))).To(Succeed())
	for i := range imports.Items {
		object := &imports.Items[i]
		Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))).To(Succeed())
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, object))).To(Succeed())
	}
}

var _ = Describe("I follow the page about restoring, moving and renaming", func() {
	prod, none := ownership.Owner{ID: "prod"}, ownership.Owner{}
	var (
		w       *world
		r       *reader
		stop    func()
		operate func(owner ownership.Owner, others ...string)
		// ids are the remote imports by the names of the Imports.
		ids map[string]string
	)
	BeforeEach(func(ctx context.Context) {
		w = newWorld(ctx)
		r = w.reader(ctx)
		operate, stop = w.operators()
	})
	// begin has an operator create what Git has: imports with ownership markers, and, if wanted, one
	// with an externalId of its own. A flow uses each.
	begin := func(ctx context.Context, owner ownership.Owner, own bool) {
		GinkgoHelper()
		operate(owner)
		objects := []*v1alpha1.Import{w.httpImport("prices"), w.httpImport("stock")}
		if own {
			objects = append(objects, w.httpImport("orders", `{"externalId": "erp-orders"}`))
		}
		ids = map[string]string{}
		for n, object := range objects {
			r.keep(object)
			ids[object.Name] = w.synced(ctx, object).Status.ID
			Expect(sim.AddFlow(w.account, w.flow(n+1, ids[object.Name]))).To(Succeed())
		}
	}
	// written waits for this many PUTs since begin, and expects no other write.
	written := func(puts int) {
		GinkgoHelper()
		want := map[string]int{post: len(ids)}
		if puts > 0 {
			want[put] = puts
		}
		Eventually(w.writes).Should(Equal(want))
		w.scans(1)
		Expect(w.writes()).To(Equal(want))
	}
	// keepTheirs waits until all Imports are Ready with the ids that they had, and expects as many PUTs.
	keepTheirs := func(ctx context.Context, puts int) {
		GinkgoHelper()
		for name, id := range ids {
			object := &v1alpha1.Import{}
			w.eventuallyReady(ctx, object, name)
			Expect(object.Status.ID).To(Equal(id))
			Expect(object.Finalizers).To(HaveLen(1))
		}
		written(puts)
	}
	refused := func(ctx context.Context, names ...string) {
		GinkgoHelper()
		for _, name := range names {
			w.eventually(ctx, &v1alpha1.Import{}, name, "Failed False/OwnershipConflict")
		}
		written(0)
	}
	// renameRemote changes an import on the platform.
	renameRemote := func(name string) {
		GinkgoHelper()
		Expect(sim.EditAs(jane, w.account, ids[name], func(document simulator.Document) { document["name"] = "changed" })).To(Succeed())
	}
	// loseCluster loses the operator and its Imports.
	loseCluster := func(ctx context.Context) {
		GinkgoHelper()
		stop()
		w.lose(ctx)
	}

	It("has commands that are all run here", func() {
		for heading, count := range map[string]int{
			takeAllOver: 1, withStatus: 3, withoutStatus: 1, onlyGit: 2, otherCluster: 2, otherNamespace: 1, rename: 3, clones: 2, twoClusters: 2,
		} {
			Expect(commands(heading)).To(HaveLen(count), heading)
		}
	})

	It("I restore a backup with its status, with an owner id", func(ctx context.Context) {
		begin(ctx, prod, true)
		r.follow(ctx, withStatus, 1)
		loseCluster(ctx)
		renameRemote("stock")
		r.follow(ctx, withStatus, 2)
		operate(prod)
		Eventually(func() []string { return w.events(ctx, "stock") }).Should(ContainElement(HavePrefix(v1alpha1.ReasonDriftCorrected)))
		keepTheirs(ctx, 1)
	})

	It("I restore a backup with its status, without an owner id", func(ctx context.Context) {
		begin(ctx, none, true)
		r.follow(ctx, withStatus, 1)
		loseCluster(ctx)
		r.follow(ctx, withStatus, 2)
		operate(none)
		refused(ctx, "prices", "stock")
		r.follow(ctx, takeAllOver, 1)
		Eventually(func() string { return message(get(ctx, w, &v1alpha1.Import{}, "prices")) }).Should(ContainSubstring("--subresource=status"))
		written(0)
		r.follow(ctx, withStatus, 3)
		keepTheirs(ctx, 2)

		By("applying Git, which has no adopt, once more")
		r.run(ctx, "kubectl apply -f imports/")
		keepTheirs(ctx, 2)
	})

	It("I restore a backup without status, with an owner id", func(ctx context.Context) {
		begin(ctx, prod, true)
		r.follow(ctx, withStatus, 1)
		loseCluster(ctx)
		renameRemote("stock")
		operate(prod)
		r.follow(ctx, withoutStatus, 1)
		keepTheirs(ctx, 1)
		Expect(w.remote(ids["stock"])).To(HaveKeyWithValue("name", "stock"))
		Eventually(func() []string { return w.events(ctx, "stock") }).Should(ContainElement(HavePrefix(v1alpha1.ReasonUpdated)))
	})

	It("I restore a backup without status, without an owner id", func(ctx context.Context) {
		begin(ctx, none, true)
		r.follow(ctx, withStatus, 1)
		loseCluster(ctx)
		operate(none)
		r.follow(ctx, withoutStatus, 1)
		refused(ctx, "prices", "stock")

		By("giving up one of them, and coming back to it")
		stock := get(ctx, w, &v1alpha1.Import{}, "stock")
		r.run(ctx, "kubectl delete import stock --wait=false")
		w.eventuallyGone(ctx, stock)
		r.run(ctx, "kubectl apply -f imports/stock.yaml")
		refused(ctx, "prices", "stock")

		r.follow(ctx, takeAllOver, 1)
		keepTheirs(ctx, 2)
	})

	It("I have only Git, with an owner id", func(ctx context.Context) {
		begin(ctx, prod, true)
		loseCluster(ctx)
		operate(prod)
		r.follow(ctx, onlyGit, 2)
		for _, name := range []string{"prices", "stock"} {
			object := &v1alpha1.Import{}
			w.eventuallyReady(ctx, object, name)
			Expect(object.Status.ID).To(Equal(ids[name]))
		}
		refused(ctx, "orders")
		r.follow(ctx, takeAllOver, 1)
		keepTheirs(ctx, 0)

		By("applying Git, which has no adopt, once more")
		r.follow(ctx, onlyGit, 2)
		keepTheirs(ctx, 0)
	})

	It("I have only Git, without an owner id", func(ctx context.Context) {
		begin(ctx, none, true)
		loseCluster(ctx)
		operate(none)
		r.follow(ctx, onlyGit, 2)
		refused(ctx, "prices", "stock", "orders")
		r.follow(ctx, takeAllOver, 1)
		keepTheirs(ctx, 2)
	})

	It("I have only Git, and somebody renamed an import on the platform", func(ctx context.Context) {
		begin(ctx, none, true)
		loseCluster(ctx)
		renameRemote("orders")
		operate(none)
		Eventually(func() string { return r.follow(ctx, onlyGit, 1) }).Should(MatchRegexp(`orders +<none> +\[POST /v1/imports\]`))
		refused(ctx, "prices", "stock")
		r.edit("orders", func(object *v1alpha1.Import) {
			object.Spec.Adopt = &v1alpha1.AdoptSpec{ExternalID: "erp-orders", Mode: v1alpha1.AdoptionModeOverride}
		})
		r.follow(ctx, onlyGit, 2)
		r.follow(ctx, takeAllOver, 1)
		keepTheirs(ctx, 3)
	})

	It("I move to another cluster", func(ctx context.Context) {
		begin(ctx, none, false)
		operate(prod)
		keepTheirs(ctx, 2)
		r.follow(ctx, otherCluster, 1)
		operate(prod)
		r.follow(ctx, otherCluster, 2)
		keepTheirs(ctx, 2)
	})

	It("I move Imports to another namespace", func(ctx context.Context) {
		from := w
		begin(ctx, none, false)
		target := newEmptyWorld(ctx)
		Expect(k8s.Create(ctx, target.secret("token", from.token))).To(Succeed())
		Expect(k8s.Create(ctx, target.accountObject("default"))).To(Succeed())
		operate(none, target.namespace)
		r.replace = []string{"-n test", "-n " + from.namespace, "-n production", "-n " + target.namespace,
			"kubectl get imports", "kubectl -n " + target.namespace + " get imports", "kubectl patch", "kubectl -n " + target.namespace + " patch"}
		r.follow(ctx, otherNamespace, 1)
		target.account = from.account
		w = target
		refused(ctx, "prices", "stock")
		r.follow(ctx, takeAllOver, 1)
		keepTheirs(ctx, 2)
	})

	renamed := func(object *v1alpha1.Import) {
		object.Name = "price-list"
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(ids["prices"]), Mode: v1alpha1.AdoptionModeOverride}
	}

	It("I rename an Import", func(ctx context.Context) {
		begin(ctx, none, false)
		r.run(ctx, "git init --quiet && git add imports && git commit --quiet --message=Imports")
		Expect(r.follow(ctx, rename, 1)).To(ContainSubstring(ids["prices"]))
		r.edit("price-list", renamed)
		r.follow(ctx, rename, 2)
		ids = map[string]string{"price-list": ids["prices"], "stock": ids["stock"]}
		keepTheirs(ctx, 1)
		Expect(r.follow(ctx, rename, 3)).To(And(ContainSubstring("Synced"), ContainSubstring(v1alpha1.ReasonHandedOver)))
	})

	It("I rename an Import, and forget adopt", func(ctx context.Context) {
		begin(ctx, none, false)
		r.edit("prices", func(object *v1alpha1.Import) { object.Name = "price-list" })
		r.run(ctx, "kubectl apply -f imports/prices.yaml && kubectl delete import prices --wait=false")
		w.eventuallyReady(ctx, &v1alpha1.Import{}, "price-list")
		w.eventually(ctx, &v1alpha1.Import{}, "prices", "Terminating False/DeletionBlocked")
		Expect(w.writes()).To(Equal(map[string]int{post: 3}))

		By("deleting the new one, and applying it with adopt, after the deletion of the old one")
		r.run(ctx, "kubectl delete import price-list")
		r.edit("prices", renamed)
		r.run(ctx, "kubectl apply -f imports/prices.yaml && kubectl wait --for=delete import/prices")
		object := &v1alpha1.Import{}
		w.eventuallyReady(ctx, object, "price-list")
		Expect(object.Status.ID).To(Equal(ids["prices"]))
		Expect(w.writes()).To(Equal(map[string]int{post: 3, put: 1, remove: 1}))
	})

	It("I find a clone that somebody made in the UI", func(ctx context.Context) {
		begin(ctx, none, false)
		clone := w.cloned(ids["prices"])
		object := &v1alpha1.Import{}
		Eventually(func() []string { return get(ctx, w, object, "prices").Status.Copies }).Should(Equal([]string{clone}))
		Eventually(func() int { return w.told(ctx, "prices", v1alpha1.ReasonCopyFound) }).Should(Equal(1))
		Expect(r.follow(ctx, clones, 1)).To(And(HavePrefix(clone), ContainSubstring(v1alpha1.ReasonCopyFound)))
		other := adopting(w.httpImport("prices-of-jane"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(clone), Mode: v1alpha1.AdoptionModeOverride})
		r.keep(other)
		r.follow(ctx, clones, 2)
		ids["prices-of-jane"] = clone
		w.eventuallyReady(ctx, other, "prices-of-jane")
		Eventually(func() []string { return get(ctx, w, object, "prices").Status.Copies }).Should(BeEmpty())
		Expect(w.remote(clone)).To(HaveKeyWithValue("externalId", none.Marker(other)))
		Expect(w.writes()).To(Equal(map[string]int{post: 2, put: 1}))
	})

	It("I have two clusters with different owner ids", func(ctx context.Context) {
		begin(ctx, prod, false)
		second := newEmptyWorld(ctx)
		Expect(k8s.Create(ctx, second.secret("token", w.token))).To(Succeed())
		Expect(k8s.Create(ctx, second.accountObject("default"))).To(Succeed())
		stopSecond := startManagerOf(k8s.Scheme(), ownership.Owner{ID: "staging"}, second.namespace)
		DeferCleanup(func() { stopSecond() })
		r.run(ctx, "kubectl config set-context --current --namespace="+second.namespace)
		r.follow(ctx, twoClusters, 1)
		for name := range ids {
			second.eventually(ctx, &v1alpha1.Import{}, name, "Failed False/OwnershipConflict")
		}
		r.follow(ctx, twoClusters, 2)
		keepTheirs(ctx, 0)
	})

	It("I have two clusters with the same owner id, by mistake", func(ctx context.Context) {
		begin(ctx, prod, false)
		id := ids["prices"]
		other := func() {
			GinkgoHelper()
			Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) {
				document["http"].(map[string]any)["relativeURI"] = []any{"/staging"}
			})).To(Succeed())
		}
		for n := range importstate.MaxCorrections {
			other()
			Eventually(func() map[string]int { return w.writes() }).Should(HaveKeyWithValue(put, n+1))
		}
		other()
		object := &v1alpha1.Import{}
		w.eventually(ctx, object, "prices", "Failed False/OwnershipConflict")
		Expect(message(object)).To(And(ContainSubstring("/http/relativeURI"), ContainSubstring("Another operator")))
		written(importstate.MaxCorrections)

		By("giving it another owner id, as to the one that is not to manage the imports")
		operate(ownership.Owner{ID: "staging"})
		for name := range ids {
			w.eventually(ctx, &v1alpha1.Import{}, name, "Failed False/OwnershipConflict")
		}
		written(importstate.MaxCorrections)

		By("restarting the one that is to manage them")
		operate(prod)
		keepTheirs(ctx, importstate.MaxCorrections+1)
	})
})
