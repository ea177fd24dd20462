package render

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"klaviyo-export/report"
)

// promReasons bounds the series of reasons, promLabel the columns of a label's value.
const promReasons, promLabel = 50, 200

// Prometheus writes r as metrics for a textfile collector, with the labels list and operation. All metrics are
// gauges: each describes the last run, and none adds up from run to run. Texts from outside have their control
// characters escaped, and are cut. Reasons that have the same labels after that are added up.
func Prometheus(w io.Writer, r *report.Report) error {
	p := &exposition{labels: labels("list", listName(r.List), "operation", r.Operation)}
	p.metric("exit_code", "Exit status of the last run, or the worst one of merged runs.")
	p.value("", float64(r.ExitCode))
	p.metric("runs", "Number of runs in these metrics.")
	p.value("", float64(max(r.Runs, 1)))
	if end, err := time.Parse(time.RFC3339, r.FinishedAt); err == nil {
		p.metric("last_run_timestamp_seconds", "End of the last run, in seconds since 1970.")
		p.value("", float64(end.UnixMilli())/1000)
		p.metric("duration_seconds", "Length of the last run.")
		p.value("", r.Seconds)
	}
	p.metric("rows", "Rows of the last run by status.")
	for status, n := range r.Rows.ByStatus() {
		p.value(labels("status", report.Status(status).String()), float64(n))
	}
	p.metric("rows_unchanged", "Skipped rows of the last run that are the same as in an earlier run.")
	p.value("", float64(unchanged(r)))
	p.reasons(r.Reasons)
	p.lists(r.Lists)
	p.members(r.Members)
	p.mirror(mirrored(r))
	p.consent(r.Consent)
	p.campaign(r.Campaign)
	p.metric("jobs_submitted", "Import jobs that Klaviyo accepted.")
	p.value("", float64(r.Jobs.Submitted))
	p.metric("jobs", "Import jobs by state; an open job is not known to have ended.")
	p.value(labels("state", "complete"), float64(r.Jobs.Complete))
	p.value(labels("state", "cancelled"), float64(r.Jobs.Cancelled))
	p.value(labels("state", "open"), float64(len(r.Jobs.Open)))
	p.latency(r.Jobs.Latency)
	for _, m := range []struct {
		name, help string
		value      float64
	}{
		{"requests", "HTTP requests sent.", float64(r.Requests.Sent)},
		{"requests_retried", "HTTP requests that repeated a failed one.", float64(r.Requests.Retried)},
		{"requests_resent", "HTTP requests that repeated one whose answer was lost.", float64(r.Requests.Resent)},
		{"requests_throttled", "HTTP requests that Klaviyo answered with 429.", float64(r.Requests.Throttled)},
		{"request_bytes", "Bytes in the bodies of HTTP requests.", float64(r.Requests.Bytes)},
		{"throttled_seconds", "Seconds for which Klaviyo throttled the run.", throttled(r.Timeline)},
	} {
		p.metric(m.name, m.help)
		p.value("", m.value)
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// listName returns the list's name, or its id when the name is unknown.
func listName(l *report.List) string {
	if l == nil {
		return ""
	}
	return cmp.Or(l.Name, l.ID)
}

// exposition is a text in Prometheus's format.
type exposition struct {
	text   strings.Builder
	labels string // common to all values
	name   string // of the current metric
}

// metric begins the next metric. The help must not contain a backslash or a newline.
func (p *exposition) metric(name, help string) {
	p.name = "klaviyo_export_" + name
	p.text.WriteString("# HELP " + p.name + " " + help + "\n# TYPE " + p.name + " gauge\n")
}

// value writes a value of the current metric. The further labels may be empty.
func (p *exposition) value(more string, n float64) {
	if more != "" {
		more = "," + more
	}
	p.text.WriteString(p.name + "{" + p.labels + more + "} " + strconv.FormatFloat(n, 'f', -1, 64) + "\n")
}

// members are the rows that were read back.
func (p *exposition) members(m *report.Members) {
	if m == nil || m.ReadBackCounts == nil {
		return
	}
	p.metric("members", "Rows of the last run by what reading them back on the list showed.")
	p.value(labels("state", "verified"), float64(m.Verified))
	p.value(labels("state", "new"), float64(m.New))
	p.value(labels("state", "unmailable"), float64(m.Unmailable))
	p.value(labels("state", "missing"), float64(m.Missing))
	p.value(labels("state", "unverified"), float64(m.Unverified))
}

// mirror are the members of the list that mirror read, and the rows that it did not find there.
func (p *exposition) mirror(m *report.Mirrored) {
	if m == nil {
		return
	}
	p.metric("mirror_members", "Members of the list by what mirror found and did; a plan counts who would be added.")
	p.value(labels("state", "read"), float64(m.Read))
	p.value(labels("state", "matched"), float64(m.Matched))
	p.value(labels("state", "added"), float64(m.Added))
	p.value(labels("state", "joined_later"), float64(m.JoinedLater))
	p.value(labels("state", "extras"), float64(m.Extras))
	p.value(labels("state", "removed"), float64(m.Removed))
	p.metric("mirror_unmatched_rows", "Rows that mirror did not find on the list.")
	p.value("", float64(m.Unmatched))
}

// consent are the rows whose consent was read back.
func (p *exposition) consent(c *report.Consents) {
	if c == nil {
		return
	}
	p.metric("consent_rows", "Rows of the last run by what reading their consent back showed.")
	p.value(labels("state", "already"), float64(c.Already))
	p.value(labels("state", "unmailable"), float64(c.Unmailable))
	p.value(labels("state", "unsubscribed_from_list"), float64(c.ScopeList))
	p.value(labels("state", "unsubscribed_everywhere"), float64(c.ScopeGlobal))
}

func (p *exposition) reasons(reasons []report.Reason) {
	if len(reasons) == 0 {
		return
	}
	p.metric("reason_rows",
		"Rows of the last run by code and stage, for the "+strconv.Itoa(promReasons)+" most frequent reasons.")
	var all sums
	for _, reason := range reasons {
		all.add(labels("code", reason.Code, "stage", reason.Stage), reason.Rows)
	}
	p.sums(&all, promReasons)
}

// sums are numbers of rows by labels.
type sums struct {
	rows   map[string]int64
	series []string // the labels, in the order of first meeting
}

// add adds rows to those with the same labels.
func (s *sums) add(labels string, rows int64) {
	if s.rows == nil {
		s.rows = map[string]int64{}
	}
	if _, known := s.rows[labels]; !known {
		s.series = append(s.series, labels)
	}
	s.rows[labels] += rows
}

// sums writes the series with most rows.
func (p *exposition) sums(s *sums, most int) {
	slices.SortStableFunc(s.series, func(a, b string) int { return cmp.Compare(s.rows[b], s.rows[a]) })
	for _, of := range s.series[:min(len(s.series), most)] {
		p.value(of, float64(s.rows[of]))
	}
}

// latency writes cumulative classes like those of a histogram. A real histogram would need the sum of all times.
func (p *exposition) latency(classes []report.Latency) {
	if len(classes) == 0 {
		return
	}
	p.metric("jobs_ended", "Import jobs that ended within this many seconds, cumulative.")
	sum := int64(0)
	for i, l := range classes {
		if i > 0 {
			for within := classes[i-1].Seconds * 2; within < l.Seconds; within *= 2 {
				p.value(labels("within_seconds", strconv.FormatInt(within, 10)), float64(sum))
			}
		}
		sum += l.Jobs
		p.value(labels("within_seconds", strconv.FormatInt(l.Seconds, 10)), float64(sum))
	}
	p.value(labels("within_seconds", "+Inf"), float64(sum))
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// labels writes pairs of a name and a value.
func labels(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pairs[i] + `="` + escapeLabel.Replace(clipped(visible(pairs[i+1]), promLabel)) + `"`)
	}
	return b.String()
}
