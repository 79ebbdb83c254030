# Functions for <!-- before: --> and <!-- after: --> of the pages.

# install_operator installs the operator as the README says.
install_operator() {
	helm install integrator-operator charts/integrator-operator \
		--namespace integrator-operator-system --create-namespace >/dev/null
	kubectl wait --for=condition=Established crd/accounts.integrator.io crd/imports.integrator.io crd/importruns.integrator.io >/dev/null
}

# account [NAMESPACE [TOKEN]] makes the Secret and the Account of the page's account, which is scanned every second.
account() {
	local namespace=${1:-$NAMESPACE} token=${2:-$TOKEN}
	kubectl -n "$namespace" create secret generic integrator-token --from-literal=token="$token" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
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

# manifest NAME [SPEC] [DEFINITION] prints the manifest of an Import. SPEC and DEFINITION are further fields, as flow
# mappings without braces.
manifest() {
	cat <<-YAML
		---
		apiVersion: integrator.io/v1alpha1
		kind: Import
		metadata: {name: $1}
		spec:
		  {${2:+$2, }definition: {${3:+$3, }name: $1, adaptorType: HTTPImport, _connectionId: "@shop",
		    http: {method: [POST], relativeURI: [/$1], body: [null]}}}
	YAML
}

# declared is manifest, applied; it waits until the Import is Ready with this spec.
declared() {
	manifest "$@" | kubectl apply -f - >/dev/null
	kubectl wait "import/$1" --for=jsonpath='{.status.observedGeneration}'="$(kubectl get import "$1" -o 'jsonpath={.metadata.generation}')" --timeout=90s >/dev/null
	synced "$1"
}

# synced NAME... waits until Imports are Ready.
synced() {
	for name; do kubectl wait --for=condition=Ready "import/$name" --timeout=90s >/dev/null; done
}

# made NAME... makes Imports, and waits until they are Ready.
made() {
	for name; do manifest "$name"; done | kubectl apply -f - >/dev/null
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
remove_operator() { helm uninstall integrator-operator --ignore-not-found --namespace integrator-operator-system >/dev/null; }

# demo brings about what make demo shows.
demo() {
	kubectl kustomize config/samples | sed "s/^  token: .*/  token: $TOKEN/; s/scanInterval: 60s/scanInterval: 1s/" | kubectl apply -f - >/dev/null
	synced items-to-ftp orders-to-shop salesorders-to-netsuite customers-to-salesforce
	platform edit "$(id orders-to-shop)" '{"http": {"relativeURI": ["/v1/orders-test"]}}'
	kubectl create -f hack/demo/manifests/importrun.yaml -f hack/demo/manifests/importrun_batches.yaml >/dev/null
	sed "s/^    id: \(.*\)......$/    id: \1$DIGITS/" hack/demo/manifests/import_override.yaml | kubectl apply -f - >/dev/null
	platform flow "Nightly stock upload" "$(id items-to-ftp)"
	kubectl delete import items-to-ftp --wait=false >/dev/null
	reason import/items-to-ftp DeletionBlocked
	succeeded april-orders
	synced refunds-to-shop
	kubectl wait --for=condition=Succeeded=False importrun/march-orders --timeout=90s >/dev/null
}

# rolled_out does what the controller of Deployments would do: there are no nodes here.
rolled_out() {
	kubectl -n integrator-operator-system patch deployment integrator-operator-controller-manager --subresource=status --type=merge \
		-p '{"status":{"observedGeneration":1000,"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1}}' >/dev/null
}

# forget_other_pages removes the objects of the pages before, without deleting remote imports.
forget_other_pages() {
	kubectl get imports,accounts --all-namespaces --no-headers -o custom-columns=NAMESPACE:.metadata.namespace,KIND:.kind,NAME:.metadata.name |
		awk '{ objects[$1] = objects[$1] " " $2 "/" $3 } END { for (namespace in objects) print namespace objects[namespace] }' |
		while read -r namespace objects; do
			# shellcheck disable=SC2086 # several names
			kubectl -n "$namespace" patch $objects --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null </dev/null
		done
	kubectl delete importruns,imports,accounts --all --all-namespaces >/dev/null
}

# namespaces makes two namespaces beside that of the page.
namespaces() { for name in test production; do kubectl create namespace "$NAMESPACE-$name" >/dev/null; done; }

# reconciled NAME waits until what integrator.io/reconcile-requested-at asks for was done.
reconciled() {
	local requested
	requested=$(kubectl get import "$1" -o 'jsonpath={.metadata.annotations.integrator\.io/reconcile-requested-at}')
	kubectl wait "import/$1" --for=jsonpath='{.status.lastHandledReconcileAt}'="$requested" --timeout=90s >/dev/null
}

# run IMPORT NAME [SPEC] makes an ImportRun with two records. SPEC is as for manifest.
run() {
	kubectl create -f - >/dev/null <<-YAML
		apiVersion: integrator.io/v1alpha1
		kind: ImportRun
		metadata: {name: $2}
		spec: {${3:+$3, }importRef: {name: $1}, data: [{number: SO-1}, {number: SO-2}]}
	YAML
}

# event IMPORT REASON... waits until the Import has an event of each reason.
event() {
	local import=$1
	shift
	for reason; do
		for _ in $(seq 300); do
			[ -z "$(kubectl get events --field-selector "involvedObject.name=$import,reason=$reason" -o name)" ] || continue 2
			sleep 0.2
		done
		echo "$import has no event $reason" >&2
		return 1
	done
}

# phase RUN PHASE waits until an ImportRun is in the phase.
phase() { kubectl wait "importrun/$1" --for=jsonpath='{.status.phase}'="$2" --timeout=90s >/dev/null; }

# run_of_configmap NAME sends the records of a ConfigMap, and keeps the responses.
run_of_configmap() {
	kubectl create -f - >/dev/null <<-YAML
		apiVersion: integrator.io/v1alpha1
		kind: ImportRun
		metadata: {name: $1}
		spec:
		  importRef: {name: orders-to-shop}
		  dataFrom: [{configMapKeyRef: {name: $1, key: orders.jsonl}}]
		  responseSecretName: march-answers
	YAML
	succeeded "$1"
}

# repository makes the reader's Git, with Imports below imports/, and applies them.
repository() {
	git init --quiet .
	mkdir imports
	manifest prices >imports/prices.yaml
	manifest stock >imports/stock.yaml
	manifest orders "" "externalId: erp-orders" >imports/orders.yaml
	git add imports
	git commit --quiet --message="Declare the Imports"
	kubectl apply -f imports/ >/dev/null
	synced prices stock orders
	for name in prices stock orders; do echo "$name $(id "$name")"; done >ids
}

# marked OWNER NAME... waits until the remote imports have the ownership marker of this owner id.
marked() {
	local owner=$1
	shift
	for name; do
		for _ in $(seq 300); do
			[[ $(platform get "$(id "$name")") != *"k8s/$owner/"* ]] || continue 2
			sleep 0.2
		done
		echo "$name has no marker of $owner" >&2
		return 1
	done
}

# lost loses the Imports as with a cluster: the remote imports stay.
lost() {
	kubectl get imports -o name | xargs -n 1 kubectl patch --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
	kubectl delete imports --all >/dev/null
}

# lost_with_everything loses what else is in the namespace of a lost cluster too: runs, the ledger of keys, events.
lost_with_everything() {
	lost
	kubectl delete importruns,configmaps,events --all >/dev/null
}

# same_ids NAME... waits until Imports are Ready, and compares their ids with those that they had.
same_ids() {
	synced "$@"
	for name; do grep -qx "$name $(id "$name")" ids || { echo "$name has another id" >&2; return 1; }; done
}

# took_over NAME... takes over the remote imports that Imports had.
took_over() {
	for name; do kubectl patch import "$name" --type=merge -p '{"spec":{"adopt":{"id":"'"$(sed -n "s/^$name //p" ids)"'","mode":"Override"}}}' >/dev/null; done
	same_ids "$@"
}

# refused NAME... waits until Imports report OwnershipConflict.
refused() { for name; do reason "import/$name" OwnershipConflict; done; }

# as_the_cronjob NAME does what a pod of the CronJob would do: it runs the command with the rights of the ServiceAccount.
as_the_cronjob() {
	local token
	token=$(kubectl create token "$(kubectl get cronjob "$1" -o jsonpath='{..serviceAccountName}')")
	cp "$KUBECONFIG" cronjob.kubeconfig
	KUBECONFIG=cronjob.kubeconfig kubectl config set-credentials pod --token="$token" >/dev/null
	KUBECONFIG=cronjob.kubeconfig kubectl config set-context --current --user=pod >/dev/null
	KUBECONFIG=cronjob.kubeconfig sh -euc "$(kubectl get cronjob "$1" -o jsonpath='{..args[0]}')" >/dev/null
}
