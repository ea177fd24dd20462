package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// colours are the colours of the lines; klaviyo-export has the first one. Colour-blind people can tell them apart.
var colours = []string{
	"#0072b2", "#56b4e9", "#009e73", "#e69f00", "#8c6d1f", "#d55e00", "#cc79a7", "#555555", "#000000",
}

// panel is one plot with logarithmic axes.
type panel struct {
	title                    string
	left, top, width, height float64
	fromX, toX, fromY, toY   float64 // powers of ten
	value                    func(*series) float64
}

// plot draws rows per second and peak memory against the number of rows, as SVG.
func (c *comparison) plot() []byte {
	const width, height, legend = 1080, 400, 190
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" `,
		width, height, width, height)
	b.WriteString(`font-family="Helvetica,Arial,sans-serif" font-size="12" fill="#222">` + "\n")
	b.WriteString(`<title>klaviyo-export beside what people use instead</title>`)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	side := float64(width-legend)/2 - 75
	c.panel(&b, &panel{
		title: "rows a second", left: 62, top: 40, width: side, height: height - 95,
		value: func(s *series) float64 { return s.n() / s.median(wall) },
	})
	c.panel(&b, &panel{
		title: "peak resident memory, MB", left: 62 + side + 75, top: 40, width: side, height: height - 95,
		value: func(s *series) float64 { return s.median(memMB) },
	})
	for i, p := range c.peers {
		y := 52 + 24*i
		x := width - legend
		fmt.Fprintf(&b, `<path d="M%d %dh22" %s/>%s`, x, y, stroke(i), dot(float64(x+11), float64(y), i))
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`+"\n", x+30, y+4, html.EscapeString(p.name))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// panel draws one panel.
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
		fmt.Fprintf(b, `<path d="%s" fill="none" %s/>%s`+"\n", path.String(), stroke(i), dots.String())
	}
}

// x returns where a number of rows lies on the horizontal axis.
func (p *panel) x(value float64) float64 {
	return p.left + (math.Log10(value)-p.fromX)/(p.toX-p.fromX)*p.width
}

// y returns where a value lies on the vertical axis.
func (p *panel) y(value float64) float64 {
	return p.top + p.height - (math.Log10(value)-p.fromY)/(p.toY-p.fromY)*p.height
}

// axes draws the frame, the grid, the title and the labels.
func (p *panel) axes(b *strings.Builder) {
	label := func(x, y float64, anchor, text string) {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, text)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-size="14" font-weight="bold">%s</text>`+"\n",
		p.left, p.top-16, p.title)
	for e := math.Ceil(p.fromY); e <= p.toY; e++ {
		y := p.y(math.Pow(10, e))
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="#ddd"/>`, p.left, y, p.width)
		label(p.left-7, y+4, "end", power(e))
	}
	for e := math.Ceil(p.fromX); e <= p.toX; e++ {
		x := p.x(math.Pow(10, e))
		fmt.Fprintf(b, `<path d="M%.1f %.1fv%.1f" stroke="#ddd"/>`, x, p.top, p.height)
		label(x, p.top+p.height+17, "middle", power(e))
	}
	fmt.Fprintf(b, `<path d="M%.1f %.1fv%.1fh%.1f" fill="none" stroke="#444"/>`, p.left, p.top, p.height, p.width)
	label(p.left+p.width/2, p.top+p.height+36, "middle", "rows")
}

// power writes 10 to the power of e: 1, 10, 100, 1k and so on up to M.
func power(e float64) string {
	switch {
	case e >= 6:
		return fmt.Sprintf("%.0fM", math.Pow(10, e-6))
	case e >= 3:
		return fmt.Sprintf("%.0fk", math.Pow(10, e-3))
	}
	return fmt.Sprintf("%.0f", math.Pow(10, e))
}

// stroke returns the attributes of a peer's line.
func stroke(i int) string {
	weight := "1.5"
	if i == 0 {
		weight = "3"
	}
	return fmt.Sprintf(`stroke="%s" stroke-width="%s"`, colours[i%len(colours)], weight)
}

// dot returns the point of a peer's line.

func dot(x, y float64, i int) string {
	return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x, y, colours[i%len(colours)])
}
