# Needs Go, make and git. Everything else is built from Go modules when it is missing:
# tools into bin/, the control plane into the user's cache.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The image of the manager, for docker-build and deploy.
IMG ?= integrator-operator:latest
# What "make deploy" installs: config/default, or what is made of it, such as config/certmanager.
OVERLAY ?= config/default
CONTAINER_TOOL ?= docker
# The version of "make release", and of "make image", which by default has one made of the commit.
VERSION ?=
# Where the image of a release is, without a tag.
IMAGE_REPOSITORY ?= ghcr.io/integrator-operator/integrator-operator
# What they build for: by default all platforms of a release, such as linux/amd64,darwin/arm64.
PLATFORMS ?=
# What "make image" writes, and the directory of "make release", which must be empty.
IMAGE_ARCHIVE ?= bin/image.tar
RELEASE_DIR ?= dist
# What "make run", "make demo", "make docs-test", "make chaos", "make bench", "make corpus", "make test", "make stories", "make lint" and "make vulncheck" pass on.
RUN_FLAGS ?=
DEMO_FLAGS ?=
# DOCS_FLAGS="--pages=README,plan -v"
DOCS_FLAGS ?=
CHAOS_FLAGS ?=
BENCH_FLAGS ?=
CORPUS_FLAGS ?=
# The documents of "make corpus"; those generated from the table of fields if it is empty.
DIR ?=
TEST_FLAGS ?=
STORIES_FLAGS ?=
# Two processes leave two processors idle for half of the time.
STORIES_PROCS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) '*' 3 / 2)
LINT_FLAGS ?=
# VULNCHECK_FLAGS=--skip-unreachable, or -db=file:///a/copy/of/the/database
VULNCHECK_FLAGS ?=
# How long each fuzz target runs in "make fuzz": a time, or a number of inputs such as 1000x.
FUZZ_TIME ?= 10s
# Fuzzing builds all that a package needs anew, instrumented: for one that needs the clients of
# Kubernetes, as ./internal/runstate does, that takes half an hour.
FUZZ_PACKAGES ?= ./internal/integrator/... ./internal/drift ./internal/records ./internal/export ./internal/ownership ./api/v1alpha1

CONTROLLER_GEN := bin/controller-gen
KUSTOMIZE := bin/kustomize
GOLANGCI_LINT := bin/golangci-lint
DOCKERFILE_LINT := bin/dockerfile-lint
VULNCHECK := bin/vulncheck
ACTIONLINT := bin/actionlint
RELEASE := bin/release
HELM_DOCS := bin/helm-docs
CRD_REF_DOCS := bin/crd-ref-docs
HELM := bin/helm
HUGO := bin/hugo
# The site of the documentation.
SITE_DIR ?= bin/site

# Tools and control plane must not depend on the flags or the workspace of the caller.
TOOL_ENV := GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0
TOOL_BUILD := -trimpath -buildvcs=false -ldflags="-s -w"

# Directories with a go.mod, the root last: the others are small.
MODULES := hack/browser hack/chart hack/controlplane hack/figures hack/poller hack/release hack/site hack/tools hack/tools/lint hack/watch .
# Those of them that have code of this project besides the root.
CODE_MODULES := hack/browser hack/chart hack/controlplane hack/figures hack/poller hack/release hack/tools hack/tools/lint hack/watch

# The race detector is the default where it can be linked: it needs a C compiler.
RACE ?= $(shell set -- $$(go env CC); command -v "$$1" >/dev/null && [ "$$(go env CGO_ENABLED)" = 1 ] && echo -race)

# Programs that a recipe needs at run time, found or built by the shell.
ASSETS = "$$(hack/controlplane/build)"
KUBECTL ?= "$$(command -v kubectl || echo "$$(hack/controlplane/build)/kubectl")"

##@ General

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: clean
clean: ## Remove what the other targets leave in the checkout (not the cached control plane).
	find bin -mindepth 1 ! -name .gitignore -delete
	rm -rf cover.out dist

##@ Development

# controller-gen's arguments, shared with hack/verify.sh.
export GEN_PATHS := paths=./api/... paths=./controllers/...
export GEN_OBJECT := object:headerFile=hack/boilerplate.go.txt
export GEN_CRD := crd
export GEN_RBAC := rbac:roleName=manager-role
export GEN_PAGE := --source-path=api/v1alpha1 --config=hack/crd-ref-docs.yaml --renderer=markdown --max-depth=20 --log-level=ERROR

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate the deepcopy methods of the API types.
	$(CONTROLLER_GEN) $(GEN_OBJECT) $(GEN_PATHS)

.PHONY: manifests
manifests: $(CONTROLLER_GEN) $(HELM_DOCS) $(CRD_REF_DOCS) ## Generate the CRDs and their page, the manager's ClusterRole, what is made of the table of fields and of the metrics, the dashboards, and the Helm chart's share of it.
	$(CONTROLLER_GEN) $(GEN_CRD) $(GEN_RBAC) $(GEN_PATHS) \
		output:crd:artifacts:config=config/crd/bases output:rbac:artifacts:config=config/rbac
	sed -i -f hack/crd.sed config/crd/bases/*.yaml
	$(CRD_REF_DOCS) $(GEN_PAGE) --output-path=docs/api.md
	sed -i -f hack/crd-ref-docs.sed docs/api.md
	go run ./hack/generate
	cd hack/watch && $(TOOL_ENV) go run -trimpath .
	cd hack/tools && $(TOOL_ENV) go run ./chart
	$(HELM_DOCS) --chart-search-root charts --log-level warning

.PHONY: fmt
fmt: ## Format the Go code.
	gofmt -l -w .

.PHONY: vet
vet: ## Run go vet in every module that has code.
	@for dir in $(CODE_MODULES) .; do echo "go vet ./$$dir/..."; (cd "$$dir" && go vet ./...) || exit 1; done

.PHONY: tidy
tidy: ## Run go mod tidy in every module.
	@for dir in $(MODULES); do echo "go mod tidy in $$dir"; (cd "$$dir" && GOWORK=off go mod tidy) || exit 1; done

.PHONY: lint
lint: $(GOLANGCI_LINT) $(DOCKERFILE_LINT) $(ACTIONLINT) ## Lint the Go code, the API types, the Dockerfile and the workflows.
	@status=0; \
	for dir in $(CODE_MODULES) .; do \
		echo "golangci-lint run $(LINT_FLAGS) in $$dir"; \
		(cd "$$dir" && "$(CURDIR)/$(GOLANGCI_LINT)" run $(LINT_FLAGS) --config "$(CURDIR)/.golangci.yml" ./...) || status=1; \
	done; \
	echo "golangci-lint run $(LINT_FLAGS) on the conventions of api/"; \
	$(GOLANGCI_LINT) run $(LINT_FLAGS) --config .golangci-api.yml ./api/... || status=1; \
	echo "lint of the Dockerfile"; \
	$(DOCKERFILE_LINT) --pinned Dockerfile || status=1; \
	echo "lint of the workflows"; \
	$(ACTIONLINT) -shellcheck= -pyflakes= .github/workflows/*.yaml || status=1; \
	echo "what the linters find in code with faults"; \
	(cd hack/tools/lint && GOLANGCI_LINT="$(CURDIR)/$(GOLANGCI_LINT)" $(TOOL_ENV) go test -count=1 -trimpath ./rules) || status=1; \
	exit $$status

.PHONY: lint-fix
lint-fix: LINT_FLAGS = --fix
lint-fix: lint ## Lint, and correct what can be corrected by machine.

# Of the root module alone: the others are tools, which are not shipped.
.PHONY: vulncheck
vulncheck: $(VULNCHECK) ## Look for known vulnerabilities in what the code calls, in the database at vuln.go.dev.
	$(VULNCHECK) $(VULNCHECK_FLAGS) ./...

# What is released has been checked: neither may be skipped.
.PHONY: release-check
release-check: $(VULNCHECK) $(DOCKERFILE_LINT) ## Fail when a release must not be made: a known vulnerability, none looked for, or an image without a digest.
	$(DOCKERFILE_LINT) --pinned Dockerfile
	$(VULNCHECK) $(VULNCHECK_FLAGS) --release ./...

.PHONY: pin-images
pin-images: ## Name the images of the Dockerfile by the digests that the registries have for their tags.
	@CONTAINER_TOOL="$(CONTAINER_TOOL)" hack/pin-images.sh Dockerfile

.PHONY: verify
verify: $(CONTROLLER_GEN) $(KUSTOMIZE) $(HELM_DOCS) $(CRD_REF_DOCS) ## Fail when anything generated, formatted or tidied is stale, or a module is not that of go.sum; changes nothing.
	@CONTROLLER_GEN=$(CONTROLLER_GEN) KUSTOMIZE=$(KUSTOMIZE) HELM_DOCS=$(HELM_DOCS) CRD_REF_DOCS=$(CRD_REF_DOCS) MODULES="$(MODULES)" hack/verify.sh

# The race detector takes about ten times as long, and has nothing to find in these: in the models, which are searched state
# by state, in the corpus of documents, and in responses of 16 MiB, one after the other, whose client other tests share.
SEQUENTIAL_TESTS := ^(TestModel|TestManyValues)
SEQUENTIAL_TESTS_IN := ./internal/importstate ./internal/runstate ./internal/integrator
SEQUENTIAL_PACKAGES := ./hack/corpus

# The output of what runs side by side, one target after the other. The make of macOS cannot.
SIDE_BY_SIDE := -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: test
test: ## Run every test against a real kube-apiserver, with the race detector.
	@$(if $(RACE),:,echo "No C compiler found: testing without the race detector." >&2)
	$(MAKE) --no-print-directory $(SIDE_BY_SIDE) test-tools test-sequential test-packages
	$(MAKE) --no-print-directory stories

# hack/chart, hack/release, hack/tools and hack/watch not from the cache, which does not see that files
# outside of those modules change.
.PHONY: test-tools
test-tools: ## Run the tests of the other modules. Those of the chart mostly wait for a cluster.
	cd hack/controlplane && $(TOOL_ENV) go test -trimpath ./...
	cd hack/figures && $(TOOL_ENV) go test -count=1 -trimpath .
	cd hack/poller && $(TOOL_ENV) go test -trimpath .
	cd hack/release && $(TOOL_ENV) go test -count=1 -trimpath ./...
	cd hack/tools && $(TOOL_ENV) go test -count=1 -trimpath ./...
	cd hack/tools/lint && $(TOOL_ENV) go test -trimpath ./dockerfile
	assets=$(ASSETS) && cd hack/chart && KUBEBUILDER_ASSETS="$$assets" $(TOOL_ENV) go test -count=1 -trimpath ./...
	cd hack/watch && $(TOOL_ENV) go test -count=1 -trimpath .

.PHONY: test-sequential
test-sequential: ## Search the models, and run the other tests that need no race detector.
	go test -timeout 40m -run '$(SEQUENTIAL_TESTS)' $(TEST_FLAGS) $(SEQUENTIAL_TESTS_IN)
	go test -timeout 40m $(TEST_FLAGS) $(SEQUENTIAL_PACKAGES)

# "make lint" has what go vet finds. Nobody debugs these programs, and without the tables for it they are linked faster.
TEST_BUILD = $(RACE) -vet=off -ldflags=-w

.PHONY: test-packages
test-packages: ## Run the tests of this module besides the stories and the sequential ones (TEST_FLAGS="-coverprofile=cover.out").
	assets=$(ASSETS) && KUBEBUILDER_ASSETS="$$assets" go test $(TEST_BUILD) -timeout 40m -skip '$(SEQUENTIAL_TESTS)' $(TEST_FLAGS) \
		$$(go list ./... | grep -v -x -F -e "$$(go list ./controllers)" -e "$$(go list $(SEQUENTIAL_PACKAGES))")

# The stories mostly wait, for what the operator does in seconds: several processes, each with a
# kube-apiserver, a simulator and a manager of its own, take the next one whenever they are free.
.PHONY: stories
stories: ## Run the tests of ./controllers alone, STORIES_PROCS at once; STORIES_FLAGS="--focus='I run an import'" selects some.
	assets=$(ASSETS) && KUBEBUILDER_ASSETS="$$assets" go tool ginkgo run $(RACE) --procs=$(STORIES_PROCS) --timeout=60m \
		--keep-going $(STORIES_FLAGS) ./controllers

# Needs Chromium, which is no Go module: without one, the tests are skipped, and .ci/run has them not.
.PHONY: test-browser
test-browser: ## Open the report of "kubectl integrator report" in a headless Chromium, and make its picture in docs/images.
	go test -count=1 -run TestSample ./internal/report
	cd hack/browser && PICTURE="$(CURDIR)/docs/images/report.png" $(TOOL_ENV) go test -v -count=1 -trimpath .

# go test fuzzes one target at a time, in a build of its own; the list comes from the build of
# "make test".
.PHONY: fuzz
fuzz: ## Run the fuzz targets of FUZZ_PACKAGES for FUZZ_TIME each; an input that fails is left in testdata/fuzz.
	@listed=$$(go test $(TEST_BUILD) -list '^Fuzz' $(FUZZ_PACKAGES)) || { echo "$$listed"; exit 1; }; \
	targets=$$(echo "$$listed" | awk '/^Fuzz/ { names = names " " $$1 } /^ok/ { n = split(names, name); for (i = 1; i <= n; i++) print $$2, name[i]; names = "" }'); \
	[ -n "$$targets" ] || { echo "no fuzz targets found" >&2; exit 1; }; \
	echo "$$targets" | { status=0; while read -r package target; do \
		echo "$$target in $$package"; \
		go test -vet=off -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZ_TIME) "$$package" </dev/null || status=1; \
	done; exit $$status; }

##@ Build and run

.PHONY: build
build: ## Build the manager into bin/manager.
	CGO_ENABLED=0 go build -trimpath -o bin/manager .

.PHONY: simulator
simulator: ## Build the simulator of the integrator.io API into bin/simulator.
	CGO_ENABLED=0 go build -trimpath -o bin/simulator ./hack/simulator

.PHONY: run
run: ## Run the manager against the cluster of the current kubeconfig (RUN_FLAGS="...").
	go run . $(RUN_FLAGS)

.PHONY: demo
demo: build simulator ## Show the operator at work on a cluster of its own (DEMO_FLAGS=--once: check and stop).
	go build -o bin/demo ./hack/demo
	@assets=$(ASSETS) && exec bin/demo --assets="$$assets" \
		--manager=bin/manager --simulator=bin/simulator $(DEMO_FLAGS)

.PHONY: docs-test
docs-test: build $(HELM) $(KUSTOMIZE) ## Run the commands of the documentation, and compare what they print with the pages (DOCS_FLAGS="--pages=README,plan -v").
	go build -o bin/docs ./hack/docs
	@assets=$(ASSETS) && exec bin/docs --assets="$$assets" --manager=bin/manager --helm=$(HELM) $(DOCS_FLAGS)

# It fails for a link or an anchor that leads nowhere, and for a page that the README does not list.
.PHONY: site
site: $(HUGO) ## Build the site of the documentation into SITE_DIR (bin/site), and check its links.
	@$(HUGO) --config hack/site/hugo.yaml --noBuildLock --panicOnWarning --cleanDestinationDir --destination "$(abspath $(SITE_DIR))" > /dev/null
	@hack/site/check.sh "$(SITE_DIR)"

# Needs npm and Chromium, which "make site" does not.
.PHONY: site-diagrams
site-diagrams: ## Make the pictures of the Mermaid diagrams for the site, after one of them was changed.
	hack/site/diagrams.sh

.PHONY: watch-queries
watch-queries: ## Run the queries of the dashboard and of the alerts over the metrics of a demo (DEMO_FLAGS="--once --metrics=DIR", METRICS=DIR).
	cd hack/watch && WATCH_METRICS="$(abspath $(METRICS))" $(TOOL_ENV) go test -count=1 -trimpath -run 'TestQueries|TestDemoCounts|TestMetricsAreUsed' .

.PHONY: chaos
chaos: build ## Break everything around the manager, write by write (CHAOS_FLAGS="--short", --plan=..., --mutants=all, --rbac).
	go build -o bin/chaos ./hack/chaos
	@assets=$(ASSETS) && exec bin/chaos --assets="$$assets" --manager=bin/manager $(CHAOS_FLAGS)

.PHONY: soak
soak: CHAOS_FLAGS = --soak=20m
soak: chaos ## Let users and others edit at random for 20 minutes, with a fault now and then.

# The directory of the programs of the benchmark. Another one than bin does not replace those of other targets.
BENCH_BIN ?= bin
# What the benchmark is run with besides its flags: the programs.
BENCH_RUN = assets=$(ASSETS) && $(BENCH_BIN)/bench --assets="$$assets" --manager=$(BENCH_BIN)/manager --simulator=$(BENCH_BIN)/simulator

.PHONY: bench-build
bench-build: ## Build the benchmark, and what it measures, into BENCH_BIN.
	CGO_ENABLED=0 go build -trimpath -o $(BENCH_BIN)/manager .
	CGO_ENABLED=0 go build -trimpath -o $(BENCH_BIN)/simulator ./hack/simulator
	go build -o $(BENCH_BIN)/bench ./hack/bench

# The poller needs another version of Kubernetes' libraries: a module of its own.
.PHONY: bench-poller
bench-poller: bench-build
	cd hack/poller && $(TOOL_ENV) go build -trimpath -o "$(abspath $(BENCH_BIN))/poller" .

.PHONY: bench
bench: bench-poller ## Measure what the manager costs, and a poller beside it (BENCH_FLAGS="--sizes=200", --only=adoption, --repeat=5, --before=PROGRAM).
	@$(BENCH_RUN) --poller=$(BENCH_BIN)/poller $(BENCH_FLAGS)

# The packages with benchmarks of functions that run for each object, and again and again.
HOT_PACKAGES = ./internal/drift ./internal/definition ./internal/integrator ./controllers/imports
HOT_FLAGS ?= -count=6

.PHONY: bench-hot
bench-hot: ## Measure hot functions, for benchstat (HOT_FLAGS="-count=10 -bench=Settled").
	@go test -run='^$$' -bench=. -benchmem $(HOT_FLAGS) $(HOT_PACKAGES)

.PHONY: bench-check
bench-check: bench-build ## Fail when an object costs more requests than it may. Times play no part.
	@$(BENCH_RUN) --only=counts --sizes=20

# About 90 minutes on a machine that does nothing else, 20 of them for the memory and 20 for the knee.
BENCH_RECORD ?= --repeat=5 --only=counts,operations,knee,storm,standing,poller,neighbours,memory --sizes=200 --knee=6400 --standing=200,1000 --polled=200 --memory=10000x1000,1000x200000
.PHONY: bench-record
bench-record: bench-poller ## Measure each figure up to five times on a quiet machine, and make the tables and charts of docs/performance.md.
	@$(BENCH_RUN) --poller=$(BENCH_BIN)/poller --json=docs/performance.json $(BENCH_RECORD)
	@$(MAKE) --no-print-directory figures

.PHONY: figures
figures: ## Make the tables and charts of docs/performance.md from docs/performance.json.
	cd hack/figures && $(TOOL_ENV) go run -trimpath . --json=../../docs/performance.json --docs=../../docs/performance.md --charts=../../docs/images


.PHONY: corpus
corpus: build simulator ## Bring import documents under the operator in every way: generated ones, or those of DIR=... (CORPUS_FLAGS=--short).
	go build -o bin/corpus ./hack/corpus
	@assets=$(ASSETS) && exec bin/corpus --assets="$$assets" --manager=bin/manager --simulator=bin/simulator --dir="$(DIR)" $(CORPUS_FLAGS)

.PHONY: controlplane
controlplane: ## Build kube-apiserver, etcd, kubectl and kube-controller-manager once; print their directory.
	@hack/controlplane/build

.PHONY: docker-build
docker-build: ## Build the manager's image with the Dockerfile (IMG=...); "make image" needs no container engine.
	$(CONTAINER_TOOL) build -t "$(IMG)" --build-arg VERSION="$(VERSION)" --build-arg COMMIT="$$(git rev-parse HEAD)" .

.PHONY: image
image: $(RELEASE) ## Write the image of the manager as an OCI archive, without a container engine (IMAGE_ARCHIVE=...).
	$(RELEASE) image --repository="$(IMAGE_REPOSITORY)" --version="$(VERSION)" --platforms="$(PLATFORMS)" "$(IMAGE_ARCHIVE)"

.PHONY: image-push
image-push: image ## Make the image and push it to a registry, without a container engine (IMG=...).
	$(RELEASE) push "$(IMAGE_ARCHIVE)" "$(IMG)"

.PHONY: release
release: $(RELEASE) ## Make all files of a release in an empty directory (VERSION=v0.1.0, RELEASE_DIR=dist).
	$(RELEASE) all --repository="$(IMAGE_REPOSITORY)" --version="$(VERSION)" --platforms="$(PLATFORMS)" "$(RELEASE_DIR)"

##@ Cluster of the current kubeconfig

.PHONY: install
install: $(KUSTOMIZE) ## Install the CRDs.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: $(KUSTOMIZE) ## Remove the CRDs and every object of theirs; first of all, while the manager still runs.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: deploy
deploy: $(KUSTOMIZE) ## Install the CRDs and the manager (IMG=..., OVERLAY=config/certmanager).
	cd config/manager && "$(CURDIR)/$(KUSTOMIZE)" edit set image "controller=$(IMG)"
	$(KUSTOMIZE) build $(OVERLAY) | $(KUBECTL) apply --server-side -f -

# The CRDs stay: without the manager nobody would answer the finalizers of their objects.
CLUSTER_KINDS := clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings
.PHONY: undeploy
undeploy: ## Remove the manager and the admission policies; the CRDs and their objects stay.
	$(KUBECTL) delete --ignore-not-found namespace integrator-operator-system
	$(KUBECTL) delete $(CLUSTER_KINDS) -l app.kubernetes.io/name=integrator-operator

# Tools, built again only when what pins them changes. The touch is for a build that
# gives the same file and leaves its old time.

$(CONTROLLER_GEN): hack/tools/go.mod hack/tools/go.sum
	@echo "Building $@"
	@cd hack/tools && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ sigs.k8s.io/controller-tools/cmd/controller-gen
	@touch $@

$(KUSTOMIZE): hack/tools/go.mod hack/tools/go.sum
	@echo "Building $@"
	@cd hack/tools && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ sigs.k8s.io/kustomize/kustomize/v5
	@touch $@

$(HELM_DOCS): hack/tools/go.mod hack/tools/go.sum
	@echo "Building $@"
	@cd hack/tools && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ github.com/norwoodj/helm-docs/cmd/helm-docs
	@touch $@

$(CRD_REF_DOCS): hack/tools/go.mod hack/tools/go.sum
	@echo "Building $@"
	@cd hack/tools && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ github.com/elastic/crd-ref-docs
	@touch $@

$(HELM): hack/chart/go.mod hack/chart/go.sum
	@echo "Building $@ (some minutes the first time)"
	@cd hack/chart && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ helm.sh/helm/v4/cmd/helm
	@touch $@

$(HUGO): hack/site/go.mod hack/site/go.sum
	@echo "Building $@ (a minute the first time)"
	@cd hack/site && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ github.com/gohugoio/hugo
	@touch $@

$(VULNCHECK): hack/tools/go.mod hack/tools/go.sum $(wildcard hack/tools/vulncheck/*.go)
	@echo "Building $@"
	@cd hack/tools && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ ./vulncheck
	@touch $@

$(ACTIONLINT): hack/release/go.mod hack/release/go.sum
	@echo "Building $@"
	@cd hack/release && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ github.com/rhysd/actionlint/cmd/actionlint
	@touch $@

$(RELEASE): hack/release/go.mod hack/release/go.sum $(wildcard hack/release/*.go hack/release/*/*.go)
	@echo "Building $@"
	@cd hack/release && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../$@ .
	@touch $@

LINT_PINS := hack/tools/lint/go.mod hack/tools/lint/go.sum

$(GOLANGCI_LINT): $(LINT_PINS) $(wildcard hack/tools/lint/golangci/*.go)
	@echo "Building $@ (some minutes the first time)"
	@cd hack/tools/lint && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../../$@ ./golangci
	@touch $@

$(DOCKERFILE_LINT): $(LINT_PINS) $(wildcard hack/tools/lint/dockerfile/*.go)
	@echo "Building $@"
	@cd hack/tools/lint && $(TOOL_ENV) go build $(TOOL_BUILD) -o ../../../$@ ./dockerfile
	@touch $@
