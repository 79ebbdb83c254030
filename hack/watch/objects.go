// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// ofObjects filters the series of kube-state-metrics.
const ofObjects = `namespace=~"$namespace"`

// objectRows are the dashboard of single objects, of the metrics of kube-state-metrics.
var objectRows = []row{
	{"Accounts and Imports", []panel{
		{
			title: "Accounts that are not Ready", description: "With the reason of the condition Ready.", kind: list, width: 8, columns: []string{"namespace", "account", "reason"},
			queries: []query{{`max by (namespace, account, reason) (kube_integrator_account_condition{` + ofObjects + `, type="Ready"}) == 0`, ""}},
		},
		{
			title: "Imports that are not Ready", description: "With the reason of the condition Ready.", kind: list, width: 8, columns: []string{"namespace", "import", "reason"},
			queries: []query{{`max by (namespace, import, reason) (kube_integrator_import_condition{` + ofObjects + `, type="Ready"}) == 0`, ""}},
		},
		{
			title: "Imports that need a person", description: "With the reason of the condition Stalled.", kind: list, width: 8, columns: []string{"namespace", "import", "reason"},
			queries: []query{{`max by (namespace, import, reason) (kube_integrator_import_condition{` + ofObjects + `, type="Stalled"}) == 1`, ""}},
		},
		{
			title: "Imports that differ", description: "The remote import differs from what is declared, and is left so.", kind: list, width: 8, columns: []string{"namespace", "import", "account", "drift_policy", "management_policy"},
			queries: []query{{`max by (namespace, import) (kube_integrator_import_condition{` + ofObjects + `, type="Drifted"}) * on (namespace, import) group_left (account, drift_policy, management_policy) max by (namespace, import, account, drift_policy, management_policy) (kube_integrator_import_info{` + ofObjects + `}) == 1`, ""}},
		},
		{
			title: "Imports that are being deleted", description: "For how long their deletion has waited.", kind: list, unit: "s", width: 8, columns: []string{"namespace", "import"}, counted: true,
			queries: []query{{`time() - max by (namespace, import) (kube_integrator_import_deletion_timestamp{` + ofObjects + `})`, ""}},
		},
		{
			title: "Suspended", description: "Accounts and Imports with spec.suspend.", kind: list, width: 8, columns: []string{"namespace", "account", "import"},
			queries: []query{{`max by (namespace, account, import) (kube_integrator_account_suspended{` + ofObjects + `} or kube_integrator_import_suspended{` + ofObjects + `}) == 1`, ""}},
		},
	}},
	{"Runs", []panel{
		{
			title: "Runs that did not succeed", description: "Failed, Unknown or Canceled.", kind: list, width: 8, columns: []string{"namespace", "importrun", "phase"},
			queries: []query{{`max by (namespace, importrun, phase) (kube_integrator_importrun_phase{` + ofObjects + `, phase=~"Failed|Unknown|Canceled"}) == 1`, ""}},
		},
		{
			title: "Records that failed", description: "Of each run that exists.", kind: list, width: 8, columns: []string{"namespace", "importrun"}, counted: true,
			queries: []query{{`max by (namespace, importrun) (kube_integrator_importrun_records{` + ofObjects + `, count="failed"}) > 0`, ""}},
		},
		{
			title: "Batches that are to be sent", description: "Of each run that has not ended.", unit: "short", width: 8,
			queries: []query{{`(max by (namespace, importrun) (kube_integrator_importrun_batches{` + ofObjects + `, count="total"}) - max by (namespace, importrun) (kube_integrator_importrun_batches{` + ofObjects + `, count="done"})) unless on (namespace, importrun) kube_integrator_importrun_completion_time`, "{{namespace}}/{{importrun}}"}},
		},
		{
			title: "Duration of runs", description: "Of each run that has ended.", kind: list, unit: "s", width: 8, columns: []string{"namespace", "importrun"}, counted: true,
			queries: []query{{`max by (namespace, importrun) (kube_integrator_importrun_completion_time{` + ofObjects + `}) - max by (namespace, importrun) (kube_integrator_importrun_start_time{` + ofObjects + `})`, ""}},
		},
	}},
}
