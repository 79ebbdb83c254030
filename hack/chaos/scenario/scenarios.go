// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// All are the scenarios in the order of the report.
var All = []Scenario{
	{Name: "create", Prelude: []Step{CreateAccount}, Steps: []Step{createImport}, Creates: 1},
	{Name: "update", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Steps: []Step{
		{change(`{"spec":{"definition":{"http":{"relativeURI":["/v2/orders"]},"description":"second"}}}`), importReady},
	}},
	{Name: "connection", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Steps: []Step{
		{change(`{"spec":{"definition":{"_connectionId":"@dealers"}}}`), importReady},
	}},
	{Name: "drift", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Steps: []Step{{editRemote, driftCorrected}, {editRemote, driftCorrected}}},
	{Name: "recreate", KeepsToken: true, Prelude: []Step{CreateAccount, createImport}, Creates: 2, Steps: []Step{{deleteRemote, importRecreated}}},
	{Name: "clone", Seed: seedOriginal, Prelude: []Step{CreateAccount}, Creates: 1, Steps: []Step{
		{declare(`{"cloneFrom":{"id":"` + sandbox.OriginalID + `","connectionMap":{"@shop":"@dealers"}},"definition":{"name":"orders","adaptorType":"HTTPImport","_connectionId":"@dealers"}}`), importReady},
	}},
	{Name: "adopt", Seed: seedOriginal, Retakes: true, Prelude: []Step{CreateAccount}, Steps: []Step{
		{declare(`{"adopt":{"id":"` + sandbox.OriginalID + `","mode":"Override"},"definition":` + Definition + `}`), importReady},
	}},
	{Name: "rivals", Seed: seedOriginal, Retakes: true, Contested: true, Races: true, Prelude: []Step{CreateAccount}, Steps: []Step{{declareRivals, oneHasIt}}},
	{Name: "adopt-many", Seed: seedMany, Retakes: true, Contested: true, OnlyKills: true, TwoNamespaces: true, Rivals: contenders(),
		Prelude: []Step{CreateAccount}, Steps: []Step{{declareMany, manyAdopted}}},
	{Name: "adopt-watched", Seed: seedMany, Retakes: true, Contested: true, Races: true, TwoNamespaces: true, Watches: true, Rivals: contenders(),
		Prelude: []Step{CreateAccount}, Steps: []Step{{declareMany, manyAdopted}}},
	{Name: "adopt-sharded", Seed: seedMany, Retakes: true, Contested: true, Races: true, TwoNamespaces: true, Watches: true, Shards: true,
		Prelude: []Step{CreateAccount}, Steps: []Step{{declareMany, manyAdopted}}},
	{Name: "adopt-observed", Seed: seedMany, Retakes: true, Contested: true, Races: true, Unrepeated: true, TwoNamespaces: true, Watches: true, Shards: true,
		Prelude: []Step{CreateAccount, {observeMany, manyObserved}}, Steps: []Step{{manageMany, manyAdopted}}},
	{Name: "renamed", Retakes: true, AccountVaries: true, Prelude: []Step{CreateAccount, createImport, {declareHeir, heirWaits}}, Creates: 1, Steps: []Step{{deleteImport, handedOver}}},
	{Name: "namesake", Seed: seedNamesake, Retakes: true, Unrepeated: true, Prelude: []Step{CreateAccount}, Steps: []Step{
		{declare(`{"definition":` + Definition + `}`), ownershipDecided}, {takeNamesake, importReady},
	}},
	{Name: "crowded", Seed: seedCrowd, Retakes: true, Unrepeated: true, Prelude: []Step{CreateAccount, {declareAs(second, secondSpec), secondReady}}, Creates: 1, Steps: []Step{
		{noteSingles, scannedAlone}, {Do: addNamesake}, {declare(`{"definition":` + Definition + `}`), ownershipDecided}, {takeNamesake, importReady},
	}},
	{Name: "cloned", KeepsToken: true, Unrepeated: true, Prelude: []Step{CreateAccount, createImport, nextScans, {cloneRemote, copyShown}}, Creates: 2, Deletes: 1, Steps: []Step{
		{deleteRemote, importRecreated}, nextScans, {restoreRemote, copyShown}, {deleteImport, importDeleted},
	}},
	{Name: "unmarked", Contested: true, KeepsID: true, Unrepeated: true, Prelude: []Step{CreateAccount, {declare(`{"driftPolicy":"Report","definition":` + Definition + `}`), importReady}}, Creates: 1, Steps: []Step{
		{unmarkRemote, remoteRead}, {loseStatus, ownershipDecided},
	}},
	{Name: "values", Prelude: []Step{CreateAccount, {Do: createValue("canary-value-1")}, {declare(`{"definition":` + Definition + `,
		"valuesFrom":[{"path":"/http/headers","secretKeyRef":{"name":"shop","key":"headers"},"format":"JSON"}]}`), importReady}}, Creates: 1, Steps: []Step{
		{Do: changeValue("canary-value-2"), Until: valueWritten("canary-value-2")},
	}},
	{Name: "rotation", Unrepeated: true, Prelude: []Step{CreateAccount, createImport}, Creates: 1, Steps: []Step{{Do: rotateToken, Until: scannedAgain}}},
	{Name: "delete", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Deletes: 1, Steps: []Step{{deleteImport, importDeleted}}},
	{Name: "orphan", Orphans: true, Prelude: []Step{CreateAccount, {declare(`{"deletionPolicy":"Orphan","definition":` + Definition + `}`), importReady}}, Creates: 1, Steps: []Step{{deleteImport, importDeleted}}},
	{Name: "secret-gone", Unrepeated: true, Prelude: []Step{CreateAccount, createImport}, Creates: 1, Deletes: 1, Steps: []Step{{deleteSecret, accountNotReady}, {deleteImport, importNotReady}, {createSecret, importDeleted}}},
	{Name: "run", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Records: 3, Steps: []Step{{createRun(3, ``), runFinished}}},
	{Name: "batches", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Records: 4, Steps: []Step{{createRun(4, `"batchSize":2`), runFinished}}},
	{Name: "keyed", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Records: 2, Steps: []Step{{createRun(2, `"idempotencyKey":"monday","responseSecretName":"answers"`), runFinished}}},
	{Name: "expired", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Records: 1, Steps: []Step{{createRun(1, `"ttlSecondsAfterFinished":1`), runDeleted}}},
	{Name: "refused", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Records: 1, Phase: v1alpha1.RunFailed, Steps: []Step{{createRefusedRun, runFinished}}},
	{Name: "repeated", Repeats: true, Unrepeated: true, Prelude: []Step{CreateAccount, createImport}, Creates: 1, Records: 1, Phase: v1alpha1.RunFailed, Steps: []Step{
		{createKeyedRun, runFinished}, {deleteRun, runDeleted}, {createKeyedRun, runFinished},
	}},
	{Name: "rollout", Replicas: true, Races: true, Unrepeated: true, Prelude: []Step{CreateAccount, createImport}, Creates: 2, Records: 4, Steps: []Step{
		{createLongRun, callUnderWay}, {rollOut, othersServed}, {answerCall, runFinished}, {Until: oldProcessEnded},
	}},
	{Name: "lease-lost", Replicas: true, Races: true, Unrepeated: true, Prelude: []Step{CreateAccount, createImport}, Creates: 2, Records: 4, Steps: []Step{
		{createLongRun, callUnderWay}, {silenceKubernetes, othersServed}, {answerCall, nil}, {endSilence, runFinished},
	}},
	{Name: "relabelled", Shards: true, Races: true, Unrepeated: true, Prelude: []Step{CreateAccount}, Creates: 1, Records: 4, Steps: []Step{
		{createSlowly, creationUnderWay}, {relabelImport, otherGoesOn}, {endCreation, importReady},
		{createLongRun, runUnderWay}, {relabelRun, nil}, {answerCall, runFinished},
	}},
	{Name: "forged", Prelude: []Step{CreateAccount, createImport}, Creates: 1, Phase: v1alpha1.RunUnknown, Steps: []Step{{createForgedRun, runFinished}}},
}

var createImport = Step{declare(`{"definition": ` + Definition + `}`), importReady}
