package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// writeGrowth writes how the cost grows with the number of rows.
func (c *comparison) writeGrowth(b *strings.Builder) {
	b.WriteString("\n### How cost grows\n\n")
	b.WriteString("| rows | wall s | wall s, min–max | thousand rows/s | CPU s | CPU s per 1M rows | peak RSS MB |\n")
	b.WriteString("|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range c.by(c.peers[0]) {
		walls := s.values(wall)
		fmt.Fprintf(b, "| %s | %.3f | %.3f–%.3f | %s | %.3f | %.2f | %s |\n",
			grouped(s.rows.count), s.median(wall), slices.Min(walls), slices.Max(walls),
			thousands(s), s.median(cpu), s.median(cpu)/s.n()*1e6, resided(s))
	}
	b.WriteString("\nLines through the medians, fitted so that each size counts alike: start + rows × slope.\n\n")
	b.WriteString("| what | sizes | wall: start ms | wall: µs a row | CPU: start ms | CPU: µs a row ")
	b.WriteString("| RSS MB, first and last size |\n|---|---|---:|---:|---:|---:|---:|\n")
	for _, p := range c.peers {
		all := c.by(p)
		if len(all) < 2 {
			continue
		}
		first, last := all[0], all[len(all)-1]
		w0, w := fit(all, wall)
		c0, c1 := fit(all, cpu)
		fmt.Fprintf(b, "| %s | %s–%s | %.0f | %.3f | %.0f | %.3f | %s, %s |\n",
			strings.ReplaceAll(p.name, "|", `\|`), grouped(first.rows.count), grouped(last.rows.count),
			w0*1e3, w*1e6, c0*1e3, c1*1e6, resided(first), resided(last))
	}
}

// fit returns the line start + slope × rows with the least sum of squared relative errors.
func fit(all []*series, of func(took) float64) (start, slope float64) {
	var s, sx, sxx, sy, sxy float64
	for _, one := range all {
		x, y := one.n(), one.median(of)
		w := 1 / math.Max(y*y, 1e-12)
		s, sx, sxx, sy, sxy = s+w, sx+w*x, sxx+w*x*x, sy+w*y, sxy+w*x*y
	}
	slope = (s*sxy - sx*sy) / (s*sxx - sx*sx)
	return (sy - slope*sx) / s, slope
}
