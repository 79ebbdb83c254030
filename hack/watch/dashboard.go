// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// panelHeight is in units of Grafana's grid.
const panelHeight = 8

// board is a dashboard.
type board struct {
	uid, title, description string
	// jobs and namespaces are the queries for the choices of the variables of these names; none for "".
	jobs, namespaces string
	rows             []row
}

// boards are the dashboards, by the names of their files.
var boards = map[string]board{
	"integrator-operator.json": {
		uid: "integrator-operator", title: "integrator-operator",
		description: "Accounts, Imports and runs of the integrator-operator, its calls to integrator.io, and the manager.",
		jobs:        "label_values(integrator_leader, job)",
		namespaces:  `label_values(integrator_account_status{job=~"$job"}, namespace)`,
		rows:        rows,
	},
	"integrator-operator-objects.json": {
		uid: "integrator-operator-objects", title: "integrator-operator: objects",
		description: "Single Accounts, Imports and ImportRuns of the integrator-operator. It needs the metrics of kube-state-metrics: see docs/operating.md.",
		namespaces:  "label_values(kube_integrator_account_created, namespace)",
		rows:        objectRows,
	},
}

// json returns the dashboard as Grafana imports it: in the first version of the format, which every
// Grafana reads.
func (b board) json() ([]byte, error) {
	source := common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}
	all := []string{"$__all"}
	everything := dashboard.VariableOption{
		Text: dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}}, Value: dashboard.StringOrArrayOfString{ArrayOfString: all},
	}
	variable := func(name, label, query string) *dashboard.QueryVariableBuilder {
		return dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(source).
			Query(dashboard.StringOrMap{String: &query}).Definition(query).
			Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).
			Multi(true).IncludeAll(true).AllValue(".*").Current(everything)
	}
	builder := dashboard.NewDashboardBuilder(b.title). //nolint:staticcheck // the second version is for the newest Grafana alone
								Uid(b.uid).
								Description(b.description).
								Tags([]string{"integrator-operator"}).
								Refresh("1m").Time("now-6h", "now").Timezone("browser").
								Tooltip(dashboard.DashboardCursorSyncCrosshair).
								WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"))
	if b.jobs != "" {
		builder = builder.WithVariable(variable("job", "Job", b.jobs))
	}
	builder = builder.WithVariable(variable("namespace", "Namespace", b.namespaces))
	id := uint32(0)
	for _, row := range b.rows {
		id++
		builder = builder.WithRow(dashboard.NewRowBuilder(row.title).Id(id))
		for _, panel := range row.panels {
			id++
			builder = builder.WithPanel(panel.build(id, source))
		}
	}
	made, err := builder.Build()
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(made, "", "  ")
	return append(text, '\n'), err
}

// build makes a panel of Grafana.
func (p panel) build(id uint32, source common.DataSourceRef) cog.Builder[dashboard.Panel] {
	var targets []cog.Builder[variants.Dataquery]
	for i, q := range p.queries {
		target := prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend).RefId(string(rune('A' + i)))
		if p.kind == list {
			target = target.Instant().Format(prometheus.PromQueryFormatTable)
		}
		targets = append(targets, target)
	}
	switch p.kind {
	case single:
		return stat.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source).
			Unit(p.unit).Span(p.width).Height(panelHeight).Targets(targets)
	case list:
		// The time says nothing, nor does a value that is always 1.
		places := map[string]int{}
		for i, column := range p.columns {
			places[column] = i
		}
		organize := dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]bool{"Time": true, "Value": !p.counted},
			"indexByName":   places,
		}}
		return table.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source).
			Unit(cmp.Or(p.unit, "short")).Span(p.width).Height(panelHeight).Targets(targets).WithTransformation(organize)
	case timeSeries:
	}
	made := timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source).
		Unit(p.unit).Min(0).Span(p.width).Height(panelHeight).Targets(targets)
	if p.stacked {
		made = made.FillOpacity(40).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
	}
	return made
}
