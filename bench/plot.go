package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// colours of the lines, told apart by people who see few colours too; klaviyo-export has the first.
var colours = []string{"#0072b2", "#56b4e9", "#009e73", "#e69f00", "#8c6d1f", "#d55e00", "#cc79a7", "#555555", "#000000"}

// panel is one plot with logarithmic axes.
type panel struct {
	title                    string
	left, top, width, height float64
	fromX, toX, fromY, toY   float64 // powers of ten
	value                    func(*series) float64
}

// plot draws rows a second and peak memory against rows, as SVG.
func (c *comparison) plot() []byte {
	const width, height, legend = 1080, 400, 190
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Helvetica,Arial,sans-serif" font-size="12" fill="#222">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<title>klaviyo-export beside what people use instead</title><rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	side := float64(width-legend)/2 - 75
	c.panel(&b, &panel{title: "rows a second", left: 62, top: 40, width: side, height: height - 95, value: func(s *series) float64 { return s.n() / s.median(wall) }})
	c.panel(&b, &panel{title: "peak resident memory, MB", left: 62 + side + 75, top: 40, width: side, height: height - 95, value: func(s *series) float64 { return s.median(memMB) }})
	for i, p := range c.peers {
		y := 52 + 24*i
		x := width - legend
		fmt.Fprintf(&b, `<path d="M%d %dh22" stroke="%s" stroke-width="%s"/>%s<text x="%d" y="%d">%s</text>`+"\n", x, y, colours[i%len(colours)], weight(i), dot(float64(x+11), float64(y), i), x+30, y+4, html.EscapeString(p.name))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// panel draws one plot.
func (c *comparison) panel(b *strings.Builder, p *panel) {
	p.fromX, p.fromY, p.toX, p.toY = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, s := range c.series {
		p.fromX, p.toX = math.Min(p.fromX, math.Log10(s.n())), math.Max(p.toX, math.Log10(s.n()))
		y := math.Log10(p.value(s))
		p.fromY, p.toY = math.Min(p.fromY, math.Floor(y)), math.Max(p.toY, math.Ceil(y))
	}
	p.toX, p.toY = math.Max(p.toX, p.fromX+1), math.Max(p.toY, p.fromY+1)
	p.axes(b)
	for i, peer := range c.peers {
		var path, dots strings.Builder
		for j, s := range c.by(peer) {
			x, y := p.x(s.n()), p.y(p.value(s))
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(j, 1)], x, y)
			dots.WriteString(dot(x, y, i))
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="%s"/>%s`+"\n", path.String(), colours[i%len(colours)], weight(i), dots.String())
	}
}

func (p *panel) x(value float64) float64 {
	return p.left + (math.Log10(value)-p.fromX)/(p.toX-p.fromX)*p.width
}

func (p *panel) y(value float64) float64 {
	return p.top + p.height - (math.Log10(value)-p.fromY)/(p.toY-p.fromY)*p.height
}

// axes draws frame, grid, title and labels.
func (p *panel) axes(b *strings.Builder) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-size="14" font-weight="bold">%s</text>`+"\n", p.left, p.top-16, p.title)
	for e := math.Ceil(p.fromY); e <= p.toY; e++ {
		y := p.y(math.Pow(10, e))
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`+"\n", p.left, y, p.width, p.left-7, y+4, power(e))
	}
	for e := math.Ceil(p.fromX); e <= p.toX; e++ {
		x := p.x(math.Pow(10, e))
		fmt.Fprintf(b, `<path d="M%.1f %.1fv%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", x, p.top, p.height, x, p.top+p.height+17, power(e))
	}
	fmt.Fprintf(b, `<path d="M%.1f %.1fv%.1fh%.1f" fill="none" stroke="#444"/>`, p.left, p.top, p.height, p.width)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">rows</text>`+"\n", p.left+p.width/2, p.top+p.height+36)
}

// power writes a power of ten as people read it.
func power(e float64) string {
	switch {
	case e >= 6:
		return fmt.Sprintf("%.0fM", math.Pow(10, e-6))
	case e >= 3:
		return fmt.Sprintf("%.0fk", math.Pow(10, e-3))
	}
	return fmt.Sprintf("%.0f", math.Pow(10, e))
}

func weight(i int) string {
	if i == 0 {
		return "3"
	}
	return "1.5"
}

func dot(x, y float64, i int) string {
	return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x, y, colours[i%len(colours)])
}
