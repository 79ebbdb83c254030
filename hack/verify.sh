#!/bin/sh
# Reports whether everything generated, formatted or tidied is up to date. It compares
# with results made in a temporary directory, so it changes nothing and works in a
# checkout with changes in progress. Run by "make verify", which sets the variables.
set -eu
: "${CONTROLLER_GEN:?}" "${KUSTOMIZE:?}" "${HELM_DOCS:?}" "${CRD_REF_DOCS:?}" "${GEN_PAGE:?}" "${MODULES:?}" "${GEN_PATHS:?}" "${GEN_OBJECT:?}" "${GEN_CRD:?}" "${GEN_RBAC:?}"

# A CRD above this size cannot be applied from the client's side: kubectl keeps the
# whole of it in an annotation, and that is the limit of all annotations together.
crd_limit=262144

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: > "$tmp/failed"

# check NAME COMMAND...: runs the command; if it fails, notes NAME and shows how the
# output begins.
check() {
	name=$1
	shift
	if "$@" > "$tmp/output" 2>&1; then
		echo "ok    $name"
	else
		echo "FAIL  $name"
		sed -n 's/^/      /; 1,60p' "$tmp/output"
		echo "$name" >> "$tmp/failed"
	fi
}

# generated WANT GOT: compares a file or directory with the one made just now.
generated() {
	diff -ruN "$1" "$2"
}

formatted() {
	unformatted=$(gofmt -l .) || return 1
	[ -z "$unformatted" ] || { echo "$unformatted"; return 1; }
}

# The modules in the cache are those that go.sum names.
authentic() {
	(cd "$1" && GOWORK=off go mod verify)
}

tidy() {
	(cd "$1" && GOWORK=off go mod tidy -diff)
}

# No program or archive is in Git: what is that large was built. Outside of a checkout there is nothing to see.
small_files() {
	git rev-parse --is-inside-work-tree > "$tmp/checkout" 2>&1 || return 0
	large=$(git ls-files -z | xargs -0 sh -c 'find "$@" -maxdepth 0 -type f -size +1024k' find) || return 1
	[ -z "$large" ] || { echo "$large: larger than 1 MiB"; return 1; }
}

licensed() {
	header=$(cat hack/boilerplate.go.txt)
	lines=$(wc -l < hack/boilerplate.go.txt)
	find . -name '*.go' ! -path './.git/*' > "$tmp/gofiles"
	bad=0
	while read -r file; do
		# controller-gen puts its build constraint above the header.
		case $file in */zz_generated.*) continue ;; esac
		[ "$(head -n "$lines" "$file")" = "$header" ] || { echo "$file: no licence header"; bad=1; }
	done < "$tmp/gofiles"
	return $bad
}

small_enough() {
	bad=0
	for file in config/crd/bases/*.yaml; do
		size=$(wc -c < "$file")
		[ "$size" -lt "$crd_limit" ] || { echo "$file: $size bytes, the limit is $crd_limit"; bad=1; }
	done
	return $bad
}

builds() {
	"$KUSTOMIZE" build "$1" > "$tmp/built.yaml"
}

mkdir "$tmp/crd" "$tmp/rbac" "$tmp/policies" "$tmp/dashboards"
# shellcheck disable=SC2086 # GEN_PATHS is a list of arguments
"$CONTROLLER_GEN" "$GEN_OBJECT" "$GEN_CRD" "$GEN_RBAC" $GEN_PATHS \
	"output:object:dir=$tmp" "output:crd:dir=$tmp/crd" "output:rbac:dir=$tmp/rbac"
sed -i -f hack/crd.sed "$tmp"/crd/*.yaml
# shellcheck disable=SC2086 # GEN_PAGE is a list of arguments
"$CRD_REF_DOCS" $GEN_PAGE --output-path="$tmp/api.md"
sed -i -f hack/crd-ref-docs.sed "$tmp/api.md"
go run ./hack/generate --crds="$tmp/crd" --policies="$tmp/policies" --page="$tmp/definition.md" --metrics="$tmp/metrics.md"
(cd hack/watch && GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0 go run -trimpath . --dashboards="$tmp/dashboards" --picture="$tmp/dashboard.svg")
cp config/definition-warnings/kustomization.yaml "$tmp/policies"
# The chart's generator reads config/ as it is here: what is stale there is reported above.
mkdir "$tmp/charts"
cp -R charts/integrator-operator "$tmp/charts"
(cd hack/tools && GOWORK=off CGO_ENABLED=0 go run ./chart --chart="$tmp/charts/integrator-operator")
"$HELM_DOCS" --chart-search-root "$tmp/charts" --log-level warning

check "deepcopy methods (make generate)" generated api/v1alpha1/zz_generated.deepcopy.go "$tmp/zz_generated.deepcopy.go"
check "CRDs (make manifests)" generated config/crd/bases "$tmp/crd"
check "ClusterRole (make manifests)" generated config/rbac/role.yaml "$tmp/rbac/role.yaml"
check "admission policies of the fields (make manifests)" generated config/definition-warnings "$tmp/policies"
check "page of the fields (make manifests)" generated docs/definition.md "$tmp/definition.md"
check "Helm chart (make manifests)" generated charts "$tmp/charts"
check "page of the API (make manifests)" generated docs/api.md "$tmp/api.md"
check "page of the metrics (make manifests)" generated docs/metrics.md "$tmp/metrics.md"
check "dashboards (make manifests)" generated config/grafana "$tmp/dashboards"
check "picture of the dashboard (make manifests)" generated docs/images/dashboard.svg "$tmp/dashboard.svg"
check "CRD sizes" small_enough
check "formatting (make fmt)" formatted
check "licence headers" licensed
check "no large files in Git" small_files
for dir in $MODULES; do
	check "go.mod and go.sum in $dir (make tidy)" tidy "$dir"
	check "downloaded modules of $dir (go mod verify)" authentic "$dir"
done
find config -name kustomization.yaml | sort > "$tmp/kustomizations"
while read -r file; do
	check "kustomize build ${file%/*}" builds "${file%/*}"
done < "$tmp/kustomizations"

if [ -s "$tmp/failed" ]; then
	echo
	echo "Stale or broken:"
	sed 's/^/  /' "$tmp/failed"
	exit 1
fi
