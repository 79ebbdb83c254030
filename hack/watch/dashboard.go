// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
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

// dashboardJSON returns the dashboard as Grafana imports it.
func dashboardJSON() ([]byte, error) {
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
	builder := dashboard.NewDashboardBuilder("integrator-operator").
		Uid("integrator-operator").
		Description("Accounts, Imports and runs of the integrator-operator, its calls to integrator.io, and the manager.").
		Tags([]string{"integrator-operator"}).
		Refresh("1m").Time("now-6h", "now").Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus")).
		WithVariable(variable("job", "Job", "label_values(integrator_leader, job)")).
		WithVariable(variable("namespace", "Namespace", "label_values(integrator_account_status{job=~\"$job\"}, namespace)"))
	id := uint32(0)
	for _, row := range rows {
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
		// The time and the value, which is always 1, say nothing.
		organize := dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]bool{"Time": true, "Value": true},
			"indexByName":   map[string]int{"namespace": 0, "name": 1, "state": 2, "reason": 3},
		}}
		return table.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source).
			Span(p.width).Height(panelHeight).Targets(targets).WithTransformation(organize)
	default:
		made := timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source).
			Unit(p.unit).Min(0).Span(p.width).Height(panelHeight).Targets(targets)
		if p.stacked {
			made = made.FillOpacity(40).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
		}
		return made
	}
}
