package render

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

	"klaviyo-export/report"
)

const (
	pageReasons = 20
	pageOpen    = 100
	pageCode    = 120 // columns of a code or an id
	pageExample = 400 // columns of an example
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	pageForm  = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("page").Parse(pageText))
	})
)

// page holds what the template shows.
type page struct {
	Style    template.CSS
	Policy   string // allows that style and nothing else
	Title    string
	Above    string // that the run is simulated
	Class    string // good or bad
	Status   string
	People   string // the first sentence on the people of the rows
	Further  string // more on that
	Meaning  string
	Error    string
	Facts    []fact
	Tiles    []fact
	Rows     []rowsOf
	Bar      []box
	BarText  string
	Reasons  []reasonBar // those that need work, then the others
	Waiting  []reasonBar
	Fine     []reasonBar
	Steps    []step
	Stands   string // what stands for another name in the commands
	Runs     []Run
	MoreRuns string
	More     string // on the reasons that are left out

	MoreLists string // on the lists that are left out

	Lists   []rowsOfList
	Became  []columnOf
	Cleared bool // some rows clear a column
	Charts  []chart
	Open    []string
	OpenSum string
	Columns []string // the statuses in Table
	Table   [][]string
	Ended   []ended
}

// rowsOf counts the rows of one status.
type rowsOf struct{ Class, Name, Rows, Share, Meaning string }

type reasonBar struct {
	Code, Stage, Width, Rows, Share, First string
	told
}

// HTML writes a page that shows r. The page has no script and loads nothing. It shows texts from outside as text,
// with control characters escaped. The same report always gives the same page.
// Runs are the files that the report was read from, none where it has no file. The commands name a single one. Of two
// or more the page has a table.
func HTML(w io.Writer, r *report.Report, runs ...Run) error {
	sum := sha256.Sum256([]byte(pageStyle))
	status, meaning := headline(r)
	p := &page{
		Style: template.CSS(pageStyle), Class: "bad", Status: status, Meaning: capital(meaning),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'",
		Tiles: tiles(r), Charts: charts(r), Steps: next(r, runs...),
	}
	p.Stands = standsFor(p.Steps)
	if says := people(r); len(says) > 0 {
		p.People, p.Further = capital(says[0]), sentences(says[1:])
	}
	if r.ExitCode == 0 {
		p.Class = "good"
	}
	p.Title = strings.TrimPrefix(shown(target(r))+": "+status, ": ") + " – klaviyo-export"
	if r.Simulated {
		p.Above = simulated(r)
		p.Title = "Simulated – " + p.Title
	}
	for _, f := range append(facts(r), sending(r)...) {
		switch f.Name = strings.TrimSpace(f.Name); f.Name {
		case "error":
			p.Error = f.Value
		case "took", "open": // have a tile and a section
		default:
			p.Facts = append(p.Facts, f)
		}
	}
	if len(runs) > 1 {
		p.Runs, p.MoreRuns = runs[:min(len(runs), shownRuns)], moreRuns(runs)
	}
	p.rows(r)
	p.reasons(r)
	p.lists(r)
	p.columns(r.Columns)
	p.open(r.Jobs.Open)
	p.table(r)
	if len(r.Jobs.Latency) >= leastColumns {
		p.Ended = endings(r.Jobs.Latency)
	}
	var b bytes.Buffer
	if err := pageForm().Execute(&b, p); err != nil {
		return fmt.Errorf("fill in the page: %v", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func shown(text string) string { return clipped(visible(text), pageCode) }

// inOrder holds the statuses in the order in which a bar stacks them, the bad ones last.
var inOrder = append([]report.Status{
	report.Applied, report.Accepted, report.Valid, report.Resumed, report.Skipped,
}, bad...)

// tiles holds the figures at the top. Applied, accepted and valid rows have separate ones: accepted is not done.
func tiles(r *report.Report) []fact {
	rows := &r.Rows
	list := []fact{{"rows", grouped(rows.Read)}}
	counts := rows.ByStatus()
	for _, status := range []report.Status{report.Applied, report.Accepted, report.Valid} {
		if n := counts[status]; n > 0 {
			list = append(list, fact{status.String(), share(n, rows.Read)})
		}
	}
	if n := unchanged(r); n > 0 {
		list = append(list, fact{report.Unchanged, share(n, rows.Read)})
	}
	if n, names := count(rows, bad...); n > 0 {
		list = append(list, fact{oneOf(names), grouped(n)})
	}
	if r.StartedAt != "" {
		list = append(list, fact{"took", duration(r.Seconds)})
	}
	if r.Seconds >= 1 && timed(r) > 0 {
		list = append(list, fact{"rows per second", rowsPerSecond(r)})
	}
	if r.Requests.Sent > 0 {
		list = append(list, fact{"requests", grouped(r.Requests.Sent)})
	}
	if r.Requests.Bytes > 0 {
		list = append(list, fact{"sent", size(r.Requests.Bytes)})
	}
	return list
}

func (p *page) rows(r *report.Report) {
	rows := &r.Rows
	counts := rows.ByStatus()
	at := int64(0)
	for _, status := range inOrder {
		n := counts[status]
		if n == 0 {
			continue
		}
		part := rowsOf{status.String(), status.String(), grouped(n), share(n, rows.Read), meaning(r, status)}
		p.Rows = append(p.Rows, part)
		p.Bar = append(p.Bar, box{
			X: percent(float64(at), rows.Read), Width: percent(float64(n), rows.Read), Class: part.Class,
		})
		p.BarText += part.Name + " " + part.Share + ", "
		at += n
	}
	p.BarText = strings.TrimSuffix(p.BarText, ", ")
}

func (p *page) reasons(r *report.Report) {
	top := r.Reasons[:min(len(r.Reasons), pageReasons)]
	for i := range top {
		reason := &top[i]
		bar := reasonBar{
			shown(reason.Code), shown(reason.Stage), percent(float64(reason.Rows), max(top[0].Rows, 1)),
			grouped(reason.Rows), share(reason.Rows, r.Rows.Read), example(reason), tell(r, reason),
		}
		if needed(r, reason) {
			p.Reasons = append(p.Reasons, bar)
		} else if waits(reason) {
			p.Waiting = append(p.Waiting, bar)
		} else {
			p.Fine = append(p.Fine, bar)
		}
	}
	p.More = rest(r.Reasons[len(top):])
}

func (p *page) open(jobs []string) {
	n := len(jobs)
	if n == 0 {
		return
	}
	p.OpenSum = numbered(int64(n), "open import job")
	for _, id := range jobs[:min(n, pageOpen)] {
		p.Open = append(p.Open, shown(id))
	}
	if n > pageOpen {
		p.Open = append(p.Open, "and "+grouped(int64(n-pageOpen))+" more")
	}
}

// table writes a line for each bucket: its time, rows by status, requests, seconds throttled and open jobs.
func (p *page) table(r *report.Report) {
	counts := r.Rows.ByStatus()
	present := slices.DeleteFunc(slices.Clone(inOrder), func(s report.Status) bool { return counts[s] == 0 })
	for _, status := range present {
		p.Columns = append(p.Columns, status.String())
	}
	for i := range r.Timeline {
		b := &r.Timeline[i]
		cells := []string{b.At.Format(time.DateTime)}
		for _, status := range present {
			cells = append(cells, grouped(b.Rows.ByStatus()[status]))
		}
		seconds := strconv.FormatFloat(b.ThrottledSeconds, 'f', -1, 64)
		p.Table = append(p.Table, append(cells, grouped(b.Requests), seconds, grouped(b.OpenJobs)))
	}
}
