package report

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// promReasons bounds the series of reasons.
const promReasons = 50

// WritePrometheus writes r as metrics for a textfile collector, with the labels list and operation. All of them are
// gauges: each tells of the last run, and none goes on counting from one run to the next. What others than this program
// have put into the report has its control characters escaped.
func WritePrometheus(w io.Writer, r *Report) error {
	p := &exposition{labels: labels("list", r.listName(), "operation", r.Operation)}
	p.metric("exit_code", "Exit status of the last run, the worst where several were merged.")
	p.value("", float64(r.ExitCode))
	p.metric("runs", "Runs that these metrics tell of.")
	p.value("", float64(max(r.Runs, 1)))
	if end, err := time.Parse(timeForm, r.FinishedAt); err == nil {
		p.metric("last_run_timestamp_seconds", "When the last run finished, in seconds since 1970.")
		p.value("", float64(end.UnixMilli())/1000)
		p.metric("duration_seconds", "How long the last run took.")
		p.value("", r.Seconds)
	}
	p.metric("rows", "Rows of the last run by what became of them.")
	for status, n := range r.Rows.byStatus() {
		p.value(labels("status", Status(status).String()), float64(n))
	}
	p.reasons(r)
	p.metric("jobs_submitted", "Import jobs that Klaviyo took.")
	p.value("", float64(r.Jobs.Submitted))
	p.metric("jobs", "Import jobs by what is known of their end.")
	p.value(labels("state", "complete"), float64(r.Jobs.Complete))
	p.value(labels("state", "cancelled"), float64(r.Jobs.Cancelled))
	p.value(labels("state", "open"), float64(len(r.Jobs.Open)))
	p.latency(r)
	for _, m := range []struct {
		name, help string
		value      float64
	}{
		{"requests", "HTTP requests sent.", float64(r.Requests.Sent)},
		{"requests_retried", "HTTP requests that repeated a failed one.", float64(r.Requests.Retried)},
		{"requests_resent", "HTTP requests that repeated one which may have arrived.", float64(r.Requests.Resent)},
		{"requests_throttled", "HTTP requests that Klaviyo answered with 429.", float64(r.Requests.Throttled)},
		{"request_bytes", "Bytes of the bodies of HTTP requests.", float64(r.Requests.Bytes)},
		{"throttled_seconds", "Seconds for which requests were held back after a 429, summed up over all that waited.", r.throttled()},
	} {
		p.metric(m.name, m.help)
		p.value("", m.value)
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// listName is the list's name, or its id where the name is not known.
func (r *Report) listName() string {
	switch {
	case r.List == nil:
		return ""
	case r.List.Name == "":
		return r.List.ID
	}
	return r.List.Name
}

// exposition is a text in the format that Prometheus reads.
type exposition struct {
	text   strings.Builder
	labels string // of all values
	name   string // of the metric
}

// metric begins the next metric. Its help has neither backslash nor newline.
func (p *exposition) metric(name, help string) {
	p.name = "klaviyo_export_" + name
	p.text.WriteString("# HELP " + p.name + " " + help + "\n# TYPE " + p.name + " gauge\n")
}

// value writes a value of the metric, with more labels or none.
func (p *exposition) value(more string, n float64) {
	if more != "" {
		more = "," + more
	}
	p.text.WriteString(p.name + "{" + p.labels + more + "} " + strconv.FormatFloat(n, 'f', -1, 64) + "\n")
}

func (p *exposition) reasons(r *Report) {
	if len(r.Reasons) == 0 {
		return
	}
	p.metric("reason_rows", "Rows of the last run by code and stage, the "+strconv.Itoa(promReasons)+" most frequent ones.")
	for _, reason := range r.Reasons[:min(len(r.Reasons), promReasons)] {
		p.value(labels("code", reason.Code, "stage", reason.Stage), float64(reason.Rows))
	}
}

// latency writes classes that add up, as those of a histogram do. It is none for want of a sum.
func (p *exposition) latency(r *Report) {
	if len(r.Jobs.Latency) == 0 {
		return
	}
	p.metric("jobs_ended", "Import jobs that ended within so many seconds of waiting, each class with those before it.")
	sum := int64(0)
	for i, l := range r.Jobs.Latency {
		if i > 0 {
			for within := r.Jobs.Latency[i-1].Seconds * 2; within < l.Seconds; within *= 2 {
				p.value(labels("within_seconds", strconv.FormatInt(within, 10)), float64(sum))
			}
		}
		sum += l.Jobs
		p.value(labels("within_seconds", strconv.FormatInt(l.Seconds, 10)), float64(sum))
	}
	p.value(labels("within_seconds", "+Inf"), float64(sum))
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// labels writes names and values in turn.
func labels(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pairs[i] + `="` + escapeLabel.Replace(visible(pairs[i+1])) + `"`)
	}
	return b.String()
}
