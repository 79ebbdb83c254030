// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// advised brings an object into the state whose message gives an advice, and returns what somebody
// edits who follows it.
type advised func(ctx context.Context, w *world) (object client.Object, edit func())

// adviceToEdit are the advices that say how to edit an object.
var adviceToEdit = map[string]advised{
	"correct spec.accountRef": importWhere("AccountNotFound", func(_ *world, object *v1alpha1.Import) { inAccount(object, "nowhere") }, correctAccount),
	"remove it from the definition": importWhere("NotAccepted", func(_ *world, object *v1alpha1.Import) {
		dropUnknown()
		define(`{"unheard": 1}`)(object)
	}, redefine()),
	"remove it from spec.valuesFrom": importWhere("InvalidDefinition", valueAt("/lastModified"), func(object *v1alpha1.Import) { object.Spec.ValuesFrom = nil }),
	"correct the path or the definition": importWhere("InvalidValue", valueAt("/name2/0/x"), func(object *v1alpha1.Import) {
		object.Spec.ValuesFrom[0].Path = "/settings/x"
	}),
	"correct the spec": importWhere("Rejected", func(w *world, _ *v1alpha1.Import) { w.refuse(422) }, define(`{"description": "corrected"}`)),
	"make it smaller":  importWhere("TooLarge", func(w *world, _ *v1alpha1.Import) { w.refuse(413) }, redefine()),
	"set spec.driftPolicy to Report": func(ctx context.Context, w *world) (client.Object, func()) {
		object := w.synced(ctx, w.httpImport("fought", `{"description": "ours"}`))
		for range importstate.MaxCorrections + 1 {
			Eventually(func() any { return w.remote(object.Status.ID)["description"] }).Should(Equal("ours"))
			Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "theirs" })).To(Succeed())
		}
		return object, func() { object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport }
	},
	"set spec.adopt": importWhere("NothingToObserve", observe, func(object *v1alpha1.Import) {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: "64a0000000000000000000f0"}
	}),
	"set spec.adopt with mode Override": importWhere("OwnershipConflict", func(w *world, object *v1alpha1.Import) {
		object.Annotations = map[string]string{v1alpha1.AnnotationID: w.seed("advised")}
	}, func(object *v1alpha1.Import) {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(object.Annotations[v1alpha1.AnnotationID]), Mode: v1alpha1.AdoptionModeOverride}
	}),
	"set spec.adopt.id to ": importWhere("OwnershipConflict", namesake, func(object *v1alpha1.Import) {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: "64a0000000000000000000f0", Mode: v1alpha1.AdoptionModeOverride}
	}),
	"set the annotation %s to \"true\"": importWhere("OwnershipConflict", namesake, func(object *v1alpha1.Import) {
		object.Annotations = map[string]string{v1alpha1.AnnotationAllowNamesake: "true"}
	}),
	"declare what it has": importWhere("AdoptionMismatch", func(w *world, object *v1alpha1.Import) {
		adopting(object, v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("advised"))})
		define(`{"description": "declared"}`)(object)
	}, redefine()),
	"declare what it answers":                 importWhere("NotAccepted", loud, define(`{"file": {"fileName": "json"}}`)),
	"list the path in spec.ignoreDifferences": importWhere("NotAccepted", loud, func(object *v1alpha1.Import) { object.Spec.IgnoreDifferences = []string{"/file/fileName"} }),
	"declare each with spec.valuesFrom%s": importWhere("MaskedField", masked, func(object *v1alpha1.Import) {
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret("/encrypted/apiKey", "token", "token")}
	}),
	"set spec.maskedFields to Send": importWhere("MaskedField", masked, func(object *v1alpha1.Import) { object.Spec.MaskedFields = v1alpha1.MaskedFieldsSend }),
	"declare it with a value that the API accepts": func(ctx context.Context, w *world) (client.Object, func()) {
		object := w.overriding("advised")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		return object, func() { define(`{"rdbms": {"queryType": ["INSERT"], "kind": null}}`)(object) }
	},
	"remove it from spec.ignoreDifferences": func(ctx context.Context, w *world) (client.Object, func()) {
		object := w.overriding("advised", `{"rdbms": {"queryType": ["INSERT"]}}`)
		object.Spec.IgnoreDifferences = []string{"/rdbms/queryType"}
		Expect(k8s.Create(ctx, object)).To(Succeed())
		return object, func() { object.Spec.IgnoreDifferences = nil }
	},
	"declare it again": func(ctx context.Context, w *world) (client.Object, func()) {
		query := `{"name": "advised", "_connectionId": "@shop", "adaptorType": "RDBMSImport", "rdbms": {"query": ["x"]}}`
		declared := overlaid(query, `{"rdbms": {"query": ["x"], "queryType": ["INSERT"]}}`)
		object := w.synced(ctx, w.declare("advised", string(declared)))
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Definition.Raw = []byte(query) })
		return object, func() { object.Spec.Definition.Raw = declared }
	},
	"declare only one of them": importWhere("NotAccepted", func(_ *world, object *v1alpha1.Import) {
		lowerCase("http.relative")
		object.Spec.Definition.Raw = []byte(`{"name": "advised", "_connectionId": "@shop", "adaptorType": "RESTImport",
			"rest": {"method": ["POST"], "relativeURI": ["/"]}, "http": {"relative": "LOUD"}}`)
	}, func(object *v1alpha1.Import) {
		object.Spec.Definition.Raw = []byte(`{"name": "advised", "_connectionId": "@shop", "adaptorType": "RESTImport", "rest": {"method": ["POST"], "relativeURI": ["/"]}}`)
	}),
	"remove the annotation %s to have it done": importWhere("DryRun", func(_ *world, object *v1alpha1.Import) {
		object.Annotations = map[string]string{v1alpha1.AnnotationDryRun: "true"}
	}, func(object *v1alpha1.Import) { object.Annotations = nil }),
	"set it to false":                   deletedWhere("Suspended", suspended, func(object *v1alpha1.Import) { object.Spec.Suspend = false }),
	"set spec.deletionPolicy to Orphan": deletedWhere("DeletionBlocked", used, orphan),
	"set spec.deletionPolicy to Orphan in one of them": deletedWhere("OwnershipConflict", func(ctx context.Context, w *world, object *v1alpha1.Import) {
		twin := inAccount(w.httpImport("twin"), "nowhere")
		twin.Annotations = map[string]string{v1alpha1.AnnotationID: object.Status.ID}
		Expect(k8s.Create(ctx, twin)).To(Succeed())
		w.eventually(ctx, twin, "twin", "Failed False/AccountNotFound")
		Expect(k8s.Status().Patch(ctx, twin, client.RawPatch(types.MergePatchType, []byte(`{"status":{"id":"`+object.Status.ID+`"}}`)))).To(Succeed())
	}, orphan),
	"delete this Import with deletionPolicy Orphan and create it again without the annotation ": importWhere("OwnershipConflict", func(w *world, object *v1alpha1.Import) {
		object.Annotations = map[string]string{v1alpha1.AnnotationID: w.seed("advised")}
	}, orphan),
	"use one of %s": func(ctx context.Context, w *world) (client.Object, func()) {
		account := w.accountObject("advised")
		account.Spec.BaseURL = "https://evil.example.com"
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "advised", "Failed False/HostNotAllowed")
		return account, func() { account.Spec.BaseURL = simURL }
	},
}

// adviceElsewhere are advices that need no edit of the object whose message gives them, and phrases
// that only look like an advice.
var adviceElsewhere = map[string][]string{
	"in another object, or in the account": {
		"create it", "create it with the API token under key %q", "create it with certificates in PEM under key %q", "put certificates in PEM there", "put certificates there alone", "put it there", "put that into what spec.caBundleRef of the Account names", "put the API token there", "put the token alone", "put a valid one into Secret %q", "correct it there",
		"put a token of the same account into the Secret", "put a token of the same account into Secret %q", "put a valid token into the Account's Secret", "put another token into the Account's Secret",
		"correct the value in ", "correct %s in spec.aliases",
		"remove it there", "remove it from what uses it", "delete it on the platform", "adopt it", "adopt it with another Import and mode Override", "delete that one", "delete all but one of them", "delete it there", "make it smaller on the platform",
		"delete ConfigMap %q to use this one again", "create the Account again once it is deleted",
		"delete that one with deletionPolicy Orphan", "delete that one with deletionPolicy Orphan first",
		"change --watch-label-selector", "name a label",
	},
	"a deletion, and a new object": {
		"delete the Account's Imports with deletionPolicy Orphan to leave their imports alone",
		"delete this Import", "delete this Import and create it again with another spec.adopt", "delete this Import and create it again with one of them in spec.adopt.id",
		"delete this Import and create it again with mode Override", "create it again with mode Override",
		"delete this Import with deletionPolicy Orphan to leave its import alone", "delete this Import with deletionPolicy Orphan and create it again with spec.adopt",
		"create another ImportRun that names another", "create another ImportRun with another key", "correct what it names and create another ImportRun",
		"create another ImportRun with just these", "create another ImportRun with the new ones", "create another ImportRun with corrected data", "create an ImportRun with these records",
		"create an ImportRun with the records that failed", "create an ImportRun with those that are missing", "create an ImportRun with those that it did not send",
		"create another ImportRun that names the one whose records failed", "create another ImportRun once the API can be reached", "create another ImportRun with a smaller record",
		"put the array into spec.data or alone into the key", "put it into an array", "put [ and ] around records with commas between them",
	},
	"a URL that the schema refuses already, or a flag": {
		"use a URL such as http", "use one like ", "use a name", "use one as in ", "name the port of http",
		"use an IPv6 prefix such as 64", "use %s", "use one of 64",
	},
	"a warning in an event":                 {"make the definition smaller", "set trimSpace to true to remove it", "put the records into dataFrom"},
	"for the reader of an export or a plan": {"name another with --account or --namespace", "adopt it with mode Override", "name the account with --base-url", "name the manifests with -f or -k", "remove one of them", "use several", "adopt ID", "name a folder that is empty or does not exist", "remove it"},
	"a flag or a variable":                  {"name at least one", "set GOMEMLIMIT"},
	"for the reader of checks": {
		"correct spec.baseURL", "create what is missing", "correct spec.valuesFrom", "put certificates in PEM", "put the API token", "put a valid token into Secret ",
		"name another with --namespace", "name that with --operator-namespace", "use the plug-in of that version", "use the plug-in of the operator's version",
	},
	"for the reader of a takeover": {
		"create it again with spec.adopt instead", "correct it in Git to Override", "delete the Import with deletionPolicy Orphan and create it again",
		"delete one of them with deletionPolicy Orphan", "name it with --from-owner-id=%s", "use a shorter --idle than %s",
	},
	"names of things": {"change by others", "change reverted"},
	"what was tried": {
		"list the ImportRuns", "list the Deployments ",
		"list the account's imports", "list the Imports", "list the Accounts", "make the plan", "list the imports", "list the Imports of Account %s", "list the Imports by the label of their remote import",
		"delete the import", "create the import", "set debugUntil", "create ConfigMap %q for idempotencyKey", "create Secret %q of responseSecretName",
		"remove takes no value", "remove are possible",
	},
}

// advice is a phrase that says what to do. It begins the text, or a part of it.
var advice = regexp.MustCompile(`(?:^|[:;,] |\bor |\band )((?:correct|set|remove|name|declare|list|adopt|create|delete|use|make|add|put|keep|restore|change) [^;:,]*)`)

// advices are all that the texts in the sources give, with the place of each.
func advices() map[string]string {
	GinkgoHelper()
	found := map[string]string{}
	for _, root := range []string{".", filepath.Join("..", "internal")} {
		Expect(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "simulator":
				return filepath.SkipDir
			case entry.IsDir(), !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
				return nil
			}
			source, err := os.ReadFile(path) //nolint:gosec // a source of this repository
			if err != nil {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, source, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				literal, ok := node.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				Expect(err).NotTo(HaveOccurred())
				for _, phrase := range advice.FindAllStringSubmatch(text, -1) {
					found[phrase[1]] = files.Position(literal.Pos()).String()
				}
				return true
			})
			return nil
		})).To(Succeed())
	}
	return found
}

var _ = Describe("I follow the advice of a message", func() {
	It("has been tried, for every advice in the sources", func() {
		known := map[string]bool{}
		for text := range adviceToEdit {
			known[text] = true
		}
		for _, texts := range adviceElsewhere {
			for _, text := range texts {
				known[text] = true
			}
		}
		found := advices()
		missing := map[string]string{}
		for text, place := range found {
			if !known[text] {
				missing[text] = place
			}
		}
		Expect(missing).To(BeEmpty(), "add the advice to adviceToEdit, or to adviceElsewhere")
		for text := range adviceToEdit {
			Expect(found).To(HaveKey(text), "no message gives this advice")
		}
	})

	for text, reach := range adviceToEdit {
		It("is admitted: "+text, func(ctx context.Context) {
			w := newWorld(ctx)
			object, edit := reach(ctx, w)
			fixed, _, _ := strings.Cut(text, "%")
			Eventually(func() []metav1.Condition {
				Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
				return conditionsOf(object)
			}).Should(ContainElement(HaveField("Message", ContainSubstring(fixed))))
			Eventually(func() error {
				Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
				edit()
				return k8s.Update(ctx, object, client.DryRunAll)
			}).Should(Succeed())
		})
	}
})

// importWhere is an Import that was created as made says and has come to a reason.
func importWhere(reason string, made func(*world, *v1alpha1.Import), edit func(*v1alpha1.Import)) advised {
	return func(ctx context.Context, w *world) (client.Object, func()) {
		object := w.httpImport("advised")
		made(w, object)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventuallySays(ctx, object, reason)
		return object, func() { edit(object) }
	}
}

// deletedWhere is an Import in sync that was prepared, and whose deletion has come to a reason.
func deletedWhere(reason string, prepare func(context.Context, *world, *v1alpha1.Import), edit func(*v1alpha1.Import)) advised {
	return func(ctx context.Context, w *world) (client.Object, func()) {
		object := w.synced(ctx, w.httpImport("advised", `{"externalId": "erp"}`))
		prepare(ctx, w, object)
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallySays(ctx, object, reason)
		return object, func() { edit(object) }
	}
}

func (w *world) eventuallySays(ctx context.Context, object client.Object, reason string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		g.Expect(conditionsOf(object)).To(ContainElement(HaveField("Reason", reason)), message(object))
	}).Should(Succeed())
}

// refuse has the simulator refuse the account's next creation.
func (w *world) refuse(status int) {
	w.strike(http.MethodPost, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: status})
}

// define lays fields over the definition.
func define(document string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) {
		object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), document)
	}
}

// redefine is the definition without anything that was laid over it.
func redefine() func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) {
		object.Spec.Definition = (&world{}).httpImport(object.Name).Spec.Definition
	}
}

func valueAt(path string) func(*world, *v1alpha1.Import) {
	return func(_ *world, object *v1alpha1.Import) {
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret(path, "token", "token")}
		define(`{"name2": "text"}`)(object)
	}
}

// loud is an Import of a field that the API changes.
func loud(_ *world, object *v1alpha1.Import) {
	lowerCase("file.fileName")
	define(`{"file": {"fileName": "JSON"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`)(object)
}

// masked is an Import that takes over an import with a value that the API masks.
func masked(w *world, object *v1alpha1.Import) {
	id := w.seed(object.Name, `{"description": "theirs", "encrypted": {"apiKey": "S3CRET"}}`)
	adopting(object, v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride})
	define(`{"description": "ours"}`)(object)
}

// namesake puts an import of the same name into the account that another cluster created.
func namesake(w *world, object *v1alpha1.Import) {
	w.seed(object.Name, `{"externalId": "k8s/00000000-0000-0000-0000-000000000000"}`)
	w.scans(2)
}

func observe(_ *world, object *v1alpha1.Import) {
	object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
}

func orphan(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan }

func suspended(ctx context.Context, _ *world, object *v1alpha1.Import) {
	change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = true })
}

func used(_ context.Context, w *world, object *v1alpha1.Import) { w.flow(1, object.Status.ID) }
