// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
)

// Sizes of the picture.
const (
	pictureWidth = 1248
	unitWidth    = pictureWidth / 24
	panelPixels  = 190
	rowPixels    = 30
	gap          = 4
	legendLine   = 13
	legendMost   = 4
)

var colors = []string{"#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#e02f44", "#b877d9", "#8ab8ff", "#fade2a", "#96d98d", "#ffb357"}

// line is the result of a query for one series: a value for each scrape, NaN where there is none.
type line struct {
	name   string
	labels map[string]string
	values []float64
}

// draw draws the dashboard as it shows these samples.
func draw(text []byte) ([]byte, error) {
	s, err := parseSamples(text)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "watch-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := s.open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()

	drawn, engine := &bytes.Buffer{}, newEngine()
	y := 0
	for _, row := range rows {
		fmt.Fprintf(drawn, `<text x="8" y="%d" class="row">%s</text>`+"\n", y+20, html.EscapeString(row.title))
		y += rowPixels
		x := 0
		for i, panel := range row.panels {
			if x+int(panel.width) > 24 {
				x = 0
				y += panelPixels
			}
			lines, err := panel.results(engine, db, s)
			if err != nil {
				return nil, err
			}
			panel.draw(drawn, x*unitWidth, y, lines, s)
			if x += int(panel.width); i == len(row.panels)-1 {
				y += panelPixels
			}
		}
	}
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif">
<!-- Made by hack/watch: see main.go there. -->
<style>text{fill:#ccccdc;font-size:10px}.row{font-size:15px;font-weight:bold}.title{font-size:12px;font-weight:bold}.axis{fill:#8e8e9a;font-size:9px}.big{font-size:44px;fill:#73bf69}</style>
<rect width="100%%" height="100%%" fill="#111217"/>
`, pictureWidth, y+gap)
	return []byte(head + drawn.String() + "</svg>\n"), nil
}

// results runs the queries of a panel over all samples.
func (p panel) results(engine *promql.Engine, from storage.Queryable, s samples) ([]line, error) {
	start, step := time.UnixMilli(s.start), interval*time.Millisecond
	end := start.Add(time.Duration(s.scrapes()-1) * step)
	var lines []line
	for _, q := range p.queries {
		query, err := engine.NewRangeQuery(context.Background(), from, nil, chosen(q.expr), start, end, step)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.expr, err)
		}
		result := query.Exec(context.Background())
		matrix, err := result.Matrix()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.expr, err)
		}
		var found []line
		for _, series := range matrix {
			values := slices.Repeat([]float64{math.NaN()}, s.scrapes())
			for _, point := range series.Floats {
				values[(point.T-s.start)/interval] = point.F
			}
			found = append(found, line{name: legend(q.legend, series.Metric.Map()), labels: series.Metric.Map(), values: values})
		}
		query.Close()
		slices.SortFunc(found, func(a, b line) int { return cmp.Compare(a.name+fmt.Sprint(a.labels), b.name+fmt.Sprint(b.labels)) })
		lines = append(lines, found...)
	}
	return lines, nil
}

var placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)

// legend names a series as Grafana does.
func legend(format string, labels map[string]string) string {
	return placeholder.ReplaceAllStringFunc(format, func(found string) string { return labels[strings.Trim(found, "{}")] })
}

// draw draws a panel with its upper left corner at x, y.
func (p panel) draw(to *bytes.Buffer, x, y int, lines []line, s samples) {
	width := int(p.width)*unitWidth - 2*gap
	fmt.Fprintf(to, `<g transform="translate(%d,%d)"><rect width="%d" height="%d" rx="2" fill="#181b1f" stroke="#2c3035"/><text x="8" y="17" class="title">%s</text>`+"\n",
		x+gap, y+gap, width, panelPixels-2*gap, html.EscapeString(p.title))
	switch {
	case len(lines) == 0:
		fmt.Fprintf(to, `<text x="%d" y="%d" text-anchor="middle" class="axis">No data</text>`, width/2, panelPixels/2)
	case p.kind == single:
		fmt.Fprintf(to, `<text x="%d" y="%d" text-anchor="middle" class="big">%s</text>`, width/2, panelPixels/2+15, p.text(lines[0].values[s.scrapes()-1]))
	case p.kind == list:
		drawTable(to, width, p.columns, lines)
	default:
		p.drawLines(to, width, lines, s)
	}
	to.WriteString("</g>\n")
}

// drawTable lists the series that there are at the end.
func drawTable(to *bytes.Buffer, width int, columns []string, lines []line) {
	write := func(row int, class string, of func(string) string) {
		for i, column := range columns {
			fmt.Fprintf(to, `<text x="%d" y="%d" class="%s">%s</text>`, 8+i*(width-8)/len(columns), 40+16*row, class, html.EscapeString(of(column)))
		}
	}
	write(0, "axis", func(column string) string { return column })
	row := 1
	for _, l := range lines {
		if !math.IsNaN(l.values[len(l.values)-1]) {
			write(row, "cell", func(column string) string { return l.labels[column] })
			row++
		}
	}
}

// drawLines draws a line for each series, or areas on top of each other, with axes and a legend.
func (p panel) drawLines(to *bytes.Buffer, width int, lines []line, s samples) {
	const left, top = 42, 28
	legendRows := min(len(lines), legendMost)
	w, h := width-left-10, panelPixels-2*gap-top-18-legendRows*legendLine
	curves, highest := p.curves(lines)
	at := func(i int, v float64) string {
		return fmt.Sprintf("%.1f,%.1f", float64(left)+float64(w)*float64(i)/float64(max(1, s.scrapes()-1)), float64(top)+float64(h)*(1-v/highest))
	}
	for i := range 3 {
		v := highest * float64(i) / 2
		fmt.Fprintf(to, `<path d="M%s L%s" stroke="#2c3035"/><text x="%d" y="%.1f" text-anchor="end" class="axis">%s</text>`,
			at(0, v), at(s.scrapes()-1, v), left-4, float64(top)+float64(h)*(1-float64(i)/2)+3, p.text(v))
	}
	fmt.Fprintf(to, `<text x="%d" y="%d" class="axis">0 s</text><text x="%d" y="%d" text-anchor="end" class="axis">%d s</text>`+"\n",
		left, top+h+11, left+w, top+h+11, (s.scrapes()-1)*interval/1000)
	for n := len(curves) - 1; n >= 0; n-- {
		color := colors[n%len(colors)]
		for _, part := range parts(curves[n]) {
			var points []string
			for i := part[0]; i <= part[1]; i++ {
				points = append(points, at(i, curves[n][i]))
			}
			if p.stacked {
				fmt.Fprintf(to, `<path d="M%s L%s L%s Z" fill="%s" fill-opacity="0.4"/>`, at(part[0], 0), strings.Join(points, " L"), at(part[1], 0), color)
			}
			if len(points) == 1 {
				points = append(points, points[0]) // a point is a line without length
			}
			fmt.Fprintf(to, `<path d="M%s" fill="none" stroke="%s" stroke-width="1.5" stroke-linecap="round"/>`+"\n", strings.Join(points, " L"), color)
		}
	}
	for n := range legendRows {
		name := lines[n].name
		if v := lines[n].values[s.scrapes()-1]; !math.IsNaN(v) {
			name += ": " + p.text(v)
		}
		if n == legendMost-1 && len(lines) > legendMost {
			name = fmt.Sprintf("and %d more", len(lines)-legendMost+1)
		}
		y := top + h + 24 + n*legendLine
		fmt.Fprintf(to, `<rect x="8" y="%d" width="10" height="3" fill="%s"/><text x="22" y="%d">%s</text>`, y-4, colors[n%len(colors)], y, html.EscapeString(name))
	}
}

// curves are the values to draw, and the end of the axis. Of areas, each lies on those before.
func (p panel) curves(lines []line) (curves [][]float64, highest float64) {
	for n, l := range lines {
		curve := slices.Clone(l.values)
		for i := range curve {
			if p.stacked && math.IsNaN(curve[i]) {
				curve[i] = 0
			}
			if p.stacked && n > 0 {
				curve[i] += curves[n-1][i]
			}
			if curve[i] > highest {
				highest = curve[i]
			}
		}
		curves = append(curves, curve)
	}
	if highest == 0 {
		return curves, 1
	}
	// The next of 1, 2, 5, 10 and so on.
	for unit := math.Pow(10, math.Floor(math.Log10(highest))); ; unit *= 10 {
		for _, factor := range []float64{1, 2, 5} {
			if factor*unit >= highest {
				return curves, factor * unit
			}
		}
	}
}

// parts are the first and the last place of each stretch of a curve without a gap.
func parts(curve []float64) (found [][2]int) {
	for i, v := range curve {
		switch {
		case math.IsNaN(v):
		case i > 0 && !math.IsNaN(curve[i-1]):
			found[len(found)-1][1] = i
		default:
			found = append(found, [2]int{i, i})
		}
	}
	return found
}

// text writes a value with its unit.
func (p panel) text(v float64) string {
	short := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	switch {
	case math.IsNaN(v):
		return "none"
	case p.unit == "bytes":
		return fmt.Sprintf("%.0f MiB", v/(1<<20))
	case p.unit == "percentunit":
		return short(100*v) + "%"
	case p.unit == "s" && v < 1 && v > 0:
		return short(1000*v) + " ms"
	case p.unit == "s":
		return short(v) + " s"
	case p.unit == "reqps":
		return short(v) + "/s"
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	default:
		return short(v)
	}
}
