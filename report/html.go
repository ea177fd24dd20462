package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	pageReasons = 20
	pageOpen    = 100
	pageCode    = 120 // columns of a code or an id
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	pageForm  = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })
)

// page is what the template shows.
type page struct {
	Style   template.CSS
	Policy  string // which allows that style and nothing else
	Title   string
	Class   string // good or bad
	Status  string
	Meaning string
	Error   string
	Facts   []fact
	Tiles   []fact
	Rows    []rowsOf
	Bar     []box
	BarText string
	Reasons []reasonBar
	More    string // reasons that are left out
	Charts  []chart
	Open    []string
	OpenSum string
	Columns []string // of Table, those of statuses
	Table   [][]string
}

// rowsOf counts the rows of one status.
type rowsOf struct{ Class, Name, Rows, Share, Meaning string }

type reasonBar struct{ Code, Stage, Width, Rows, Share, First string }

// WriteHTML writes a page that shows r and needs nothing else: no script, and nothing is loaded from anywhere. What others
// than this program have put into the report is shown as text, with its control characters escaped. The same report
// gives the same page.
func WriteHTML(w io.Writer, r *Report) error {
	sum := sha256.Sum256([]byte(pageStyle))
	status, meaning := r.headline()
	p := &page{
		Style: template.CSS(pageStyle), Class: "bad", Status: status, Meaning: meaning,
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Tiles:  r.tiles(), Charts: r.charts(),
	}
	if r.ExitCode == 0 {
		p.Class = "good"
	}
	p.Title = strings.TrimPrefix(shown(r.target())+": "+status, ": ") + " – klaviyo-export"
	for _, f := range r.facts() {
		switch f.Name {
		case "error":
			p.Error = f.Value
		case "took": // is a tile
		default:
			p.Facts = append(p.Facts, f)
		}
	}
	p.rows(r)
	p.reasons(r)
	p.table(r)
	if n := len(r.Jobs.Open); n > 0 {
		p.OpenSum = numbered(int64(n), "import job") + " not known to have ended"
		for _, id := range r.Jobs.Open[:min(n, pageOpen)] {
			p.Open = append(p.Open, shown(id))
		}
		if n > pageOpen {
			p.Open = append(p.Open, "and "+grouped(int64(n-pageOpen))+" more")
		}
	}
	var b bytes.Buffer
	if err := pageForm().Execute(&b, p); err != nil {
		return fmt.Errorf("fill in the page: %v", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func shown(text string) string { return clipped(visible(text), pageCode) }

// inOrder are the statuses as they are stacked, those that did not get there last.
var inOrder = []Status{Applied, Accepted, Valid, Resumed, Skipped, Rejected, Unknown, Unsent}

func (r *Report) tiles() []fact {
	counts := r.Rows.byStatus()
	astray := counts[Rejected] + counts[Unknown] + counts[Unsent]
	list := []fact{{"rows", grouped(r.Rows.Read)}}
	if r.Rows.Read > 0 {
		list = append(list, fact{"got there", share(r.Rows.Read-astray, r.Rows.Read)}, fact{"did not", grouped(astray)})
	}
	if r.StartedAt != "" {
		list = append(list, fact{"took", duration(r.Seconds)})
	}
	if r.Seconds >= 1 && r.timed() > 0 {
		list = append(list, fact{"rows a second", r.pace()})
	}
	if r.Requests.Sent > 0 {
		list = append(list, fact{"requests", grouped(r.Requests.Sent)}, fact{"sent", size(r.Requests.Bytes)})
	}
	return list
}

func (p *page) rows(r *Report) {
	counts := r.Rows.byStatus()
	at := int64(0)
	for _, status := range inOrder {
		n := counts[status]
		if n == 0 {
			continue
		}
		part := rowsOf{status.String(), status.String(), grouped(n), share(n, r.Rows.Read), meanings[status]}
		p.Rows = append(p.Rows, part)
		p.Bar = append(p.Bar, box{X: percent(float64(at), r.Rows.Read), Width: percent(float64(n), r.Rows.Read), Class: part.Class})
		p.BarText += part.Name + " " + part.Share + ", "
		at += n
	}
	p.BarText = strings.TrimSuffix(p.BarText, ", ")
}

func (p *page) reasons(r *Report) {
	top := r.Reasons[:min(len(r.Reasons), pageReasons)]
	for _, reason := range top {
		p.Reasons = append(p.Reasons, reasonBar{
			shown(reason.Code), shown(reason.Stage), percent(float64(reason.Rows), max(top[0].Rows, 1)),
			grouped(reason.Rows), share(reason.Rows, r.Rows.Read), grouped(reason.FirstRow),
		})
	}
	if rest := r.Reasons[len(top):]; len(rest) > 0 {
		rows := int64(0)
		for _, reason := range rest {
			rows += reason.Rows
		}
		p.More = "and " + numbered(int64(len(rest)), "more reason") + " with " + numbered(rows, "row")
	}
}

func (r *Report) charts() []chart {
	count := func(n float64) string { return grouped(int64(n)) }
	var byStatus []series
	for _, status := range inOrder {
		name := status.String()
		byStatus = append(byStatus, series{mark: mark{name, name}, of: func(b *Bucket) float64 { return float64(b.Rows.byStatus()[status]) }})
	}
	one := func(class, name string, of func(*Bucket) float64) []series {
		return []series{{mark: mark{class, name}, of: of}}
	}
	throttled := ""
	if seconds := r.throttled(); seconds > 0 {
		throttled = duration(seconds) + " in all"
	}
	none := func(text string) string {
		if r.StartedAt == "" {
			return "Not known: the run left no report."
		}
		return text
	}
	return []chart{
		chart{least: 1, ID: "rows-over-time", Title: "Rows", Empty: none("There were no rows.")}.overTime(r.Timeline, byStatus, count),
		chart{least: 1, ID: "requests", Title: "Requests", Sum: r.requests(), Empty: none("No requests were sent.")}.
			overTime(r.Timeline, one("requests", "requests", func(b *Bucket) float64 { return float64(b.Requests) }), count),
		chart{ID: "throttled", Title: "Seconds throttled", Sum: throttled, Empty: none("No request was held back.")}.
			overTime(r.Timeline, one("throttled", "seconds throttled", func(b *Bucket) float64 { return b.ThrottledSeconds }), duration),
		chart{least: 1, ID: "open-jobs", Title: "Most open import jobs", Sum: r.jobs(), Empty: none("No import jobs were open.")}.
			overTime(r.Timeline, one("jobs", "open jobs", func(b *Bucket) float64 { return float64(b.OpenJobs) }), count),
		chart{ID: "latency", Title: "Import jobs that ended within …", Sum: r.latency(), Empty: none("No import job was waited for.")}.latencies(r.Jobs.Latency),
	}
}

// table has a line for each bucket: its time, rows by status, requests, seconds throttled and open jobs.
func (p *page) table(r *Report) {
	counts := r.Rows.byStatus()
	present := slices.DeleteFunc(slices.Clone(inOrder), func(s Status) bool { return counts[s] == 0 })
	for _, status := range present {
		p.Columns = append(p.Columns, status.String())
	}
	for i := range r.Timeline {
		b := &r.Timeline[i]
		cells := []string{b.At.Format(time.DateTime)}
		for _, status := range present {
			cells = append(cells, grouped(b.Rows.byStatus()[status]))
		}
		seconds := strconv.FormatFloat(b.ThrottledSeconds, 'f', -1, 64)
		p.Table = append(p.Table, append(cells, grouped(b.Requests), seconds, grouped(b.OpenJobs)))
	}
}
