# Functions for <!-- before: --> and <!-- after: --> of the pages.

# install_operator installs the operator as the README says.
install_operator() {
	helm install integrator-operator charts/integrator-operator \
		--namespace integrator-operator-system --create-namespace >/dev/null
	kubectl wait --for=condition=Established crd/accounts.integrator.io crd/imports.integrator.io crd/importruns.integrator.io >/dev/null
}

# account NAMESPACE makes the Secret and the Account of the page's account, which is scanned every second.
account() {
	local namespace=${1:-$NAMESPACE}
	kubectl -n "$namespace" create secret generic integrator-token --from-literal=token="$TOKEN" >/dev/null
	kubectl -n "$namespace" apply -f - >/dev/null <<-'YAML'
		apiVersion: integrator.io/v1alpha1
		kind: Account
		metadata: {name: default}
		spec:
		  tokenSecretRef: {name: integrator-token}
		  aliases: {shop: 5e8c41d29a7f3b0012ab77e1}
		  scanInterval: 1s
	YAML
}

# manifest NAME [SPEC] prints the manifest of an Import. SPEC is further fields of its spec, as a flow mapping without braces.
manifest() {
	cat <<-YAML
		---
		apiVersion: integrator.io/v1alpha1
		kind: Import
		metadata: {name: $1}
		spec: {${2:+$2, }definition: {name: $1, adaptorType: HTTPImport, _connectionId: "@shop", http: {method: [POST], relativeURI: [/$1], body: [null]}}}
	YAML
}

# synced NAME... waits until Imports are Ready.
synced() {
	for name; do kubectl wait --for=condition=Ready "import/$name" --timeout=90s >/dev/null; done
}

# made NAME... makes Imports, and waits until they are Ready.
made() {
	for name; do manifest "$name" | kubectl apply -f - >/dev/null; done
	synced "$@"
}

# id NAME prints the id of an Import's remote import.
id() { kubectl get import "$1" -o 'jsonpath={.status.id}'; }

# reason KIND/NAME REASON waits until the condition Ready has the reason.
reason() {
	kubectl wait "$1" --for=jsonpath='{.status.conditions[?(@.type=="Ready")].reason}'="$2" --timeout=90s >/dev/null
}

# succeeded NAME... waits until ImportRuns have succeeded.
succeeded() {
	for name; do kubectl wait --for=condition=Succeeded "importrun/$name" --timeout=90s >/dev/null; done
}

# remove_operator removes what install_operator installed. The CRDs stay.
remove_operator() { helm uninstall integrator-operator --namespace integrator-operator-system >/dev/null; }

# demo brings about what make demo shows.
demo() {
	kubectl kustomize config/samples | sed "s/^  token: .*/  token: $TOKEN/; s/scanInterval: 60s/scanInterval: 1s/" | kubectl apply -f - >/dev/null
	synced items-to-ftp orders-to-shop salesorders-to-netsuite customers-to-salesforce
	platform edit "$(id orders-to-shop)" '{"http": {"relativeURI": ["/v1/orders-test"]}}'
	kubectl create -f hack/demo/manifests/importrun.yaml -f hack/demo/manifests/importrun_batches.yaml >/dev/null
	kubectl apply -f hack/demo/manifests/import_override.yaml -f config/samples/import_clone.yaml >/dev/null
	platform flow "Nightly stock upload" "$(id items-to-ftp)"
	kubectl delete import items-to-ftp --wait=false >/dev/null
	reason import/items-to-ftp DeletionBlocked
	succeeded april-orders
	synced refunds-to-shop orders-copy
	kubectl wait --for=condition=Succeeded=False importrun/march-orders --timeout=90s >/dev/null
}
