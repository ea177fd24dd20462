package render

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"klaviyo-export/report"
)

var sampleStart = time.Date(2026, 11, 23, 9, 28, 41, 250e6, time.UTC)

// sampleRun describes a run to make up.
type sampleRun struct {
	start    time.Time
	length   time.Duration
	every    time.Duration // between samples of its timeline
	rows     int64
	rejected float64 // share of the rows
	skipped  float64 // share of the rows
	wait     bool
	random   *rand.Rand
}

// report makes up the run. It starts fast and is throttled in between.
func (s sampleRun) report() *report.Report {
	line := report.Timeline{Start: s.start}
	var reasons []report.Reason
	codes := []string{
		"email_invalid", "phone_invalid", "email_missing", "type_wrong", "json_invalid", "profile_too_large",
		"name_reserved", "invalid",
	}
	steps := int64(s.length / s.every)
	var now report.Sample
	var latency []report.Latency
	for i := range steps {
		share := float64(s.rows) / float64(steps)
		if i*7/steps == 3 {
			now.Throttled += time.Duration(s.random.IntN(int(s.every)))
			share *= 0.4
		} else if i < steps/8 {
			share *= 1.6
		}
		// The inner conversion keeps processors from fusing the operations.
		n := int64(share * (0.85 + float64(0.3*s.random.Float64())))
		if i == steps-1 {
			n = s.rows - now.Rows.Read
		}
		n = min(n, s.rows-now.Rows.Read)
		bad := int64(float64(n) * s.rejected * (0.5 + s.random.Float64()))
		twice := int64(float64(n) * s.skipped * (0.5 + s.random.Float64()))
		bad = min(bad, n)
		twice = min(twice, n-bad)
		now.Rows.Read += n
		now.Rows.Rejected += bad
		now.Rows.Skipped += twice
		now.Rows.Accepted += n - bad - twice
		for c := 0; bad > 0; c = (c + 1) % len(codes) {
			some := max(bad*int64(len(codes)-c)/20, 1)
			first := now.Rows.Read - int64(s.random.IntN(100))
			reasons = merged(reasons, report.Reason{
				Code: codes[c], Stage: []string{"validate", "import"}[c/7], Rows: some, FirstRow: first,
			})
			bad -= some
		}
		now.Requests += n/10_000 + 1
		now.OpenJobs = int64(s.random.IntN(12)) + i%40
		if s.wait {
			latency = report.Took(latency, time.Duration(s.random.ExpFloat64()*float64(20*time.Second)))
		}
		line.Add(time.Duration(i)*s.every, now)
	}
	exit := 0
	if now.Rows.Rejected > 0 {
		exit = 1
	}
	r := &report.Report{
		Type: "report", Status: report.StatusOf(exit), ExitCode: exit, Operation: "add", List: newsletter(),
		Rows: now.Rows, Reasons: reasons, Version: "v0.4.0", Timeline: line.Buckets(),
		Jobs: report.Jobs{Submitted: now.Requests},
		Requests: report.Requests{
			Sent: now.Requests + 14, Retried: 12, Throttled: 3, Bytes: now.Rows.Accepted * 281, Resent: 2,
		},
	}
	if s.wait {
		r.Rows.Applied, r.Rows.Accepted = r.Rows.Accepted, 0
		for i := range r.Timeline {
			rows := &r.Timeline[i].Rows
			rows.Applied, rows.Accepted = rows.Accepted, 0
		}
		r.Jobs.Complete, r.Jobs.Latency = now.Requests, latency
	} else {
		for i := range min(now.Requests, 30) {
			r.Jobs.Open = append(r.Jobs.Open, fmt.Sprintf("01ARZ3NDEKTSV4RRFFQ69G5F%02d", i))
		}
	}
	if now.Rows.Skipped > 0 {
		r.Reasons = merged(r.Reasons, report.Reason{Code: "duplicate", Rows: now.Rows.Skipped, FirstRow: 312})
	}
	r.Span(s.start, s.start.Add(s.length))
	return r
}

// merged adds a reason to others.
func merged(reasons []report.Reason, more report.Reason) []report.Reason {
	return report.Merge(&report.Report{Reasons: reasons}, &report.Report{Reasons: []report.Reason{more}}).Reasons
}

func newsletter() *report.List { return &report.List{ID: "XyZ123", Name: "Newsletter"} }

// samples returns reports of all kinds by name.
func samples() map[string]*report.Report {
	random := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	all := map[string]*report.Report{
		"big": sampleRun{
			sampleStart, 7*time.Minute + 12*time.Second, time.Second, 10_000_000, 0.021, 0.008, true, random(),
		}.report(),
		"day": sampleRun{
			sampleStart, 25 * time.Hour, time.Minute, 8_400_000, 0.001, 0.002, false, random(),
		}.report(),
		"short": sampleRun{
			sampleStart, 6 * time.Second, 500 * time.Millisecond, 200_000, 0, 0, true, random(),
		}.report(),
		"second": sampleRun{sampleStart, time.Second, time.Second, 970, 0.02, 0.01, false, random()}.report(),
		"zero": {
			Type: "report", Status: "succeeded", Operation: "add", List: &report.List{Name: "Newsletter"},
			Version: "v0.4.0",
		},
		"refused": {
			Type: "report", Status: "failed", ExitCode: 1, Operation: "remove", List: newsletter(), Version: "v0.4.0",
			Rows:    report.Rows{Read: 50_000, Rejected: 50_000},
			Reasons: []report.Reason{{Code: "profile_id_missing", Stage: "validate", Rows: 50_000, FirstRow: 1}},
			Timeline: []report.Bucket{{
				At: sampleStart.Truncate(time.Second), Seconds: 1, Rows: report.Rows{Read: 50_000, Rejected: 50_000},
			}},
		},
		"killed": {
			Type: "report", Status: "interrupted", ExitCode: 143, List: &report.List{},
			Rows: report.Rows{Read: 1203, Accepted: 1000, Skipped: 3, Unknown: 200},
			Reasons: []report.Reason{
				{Code: "answer_lost", Rows: 200, FirstRow: 800}, {Code: "duplicate", Rows: 3, FirstRow: 17},
			},
		},
		"outage":  outageReport(),
		"hostile": hostileReport(),
	}
	all["simulated"] = sampleRun{
		sampleStart, 2 * time.Second, time.Second, 1000, 0.02, 0.01, true, random(),
	}.report()
	all["simulated"].Simulated, all["simulated"].BaseURL = true, "http://127.0.0.1:41873"
	all["simulated"].Account = &report.Account{ID: "AbC123", Name: "Simulated Tea Co."}
	all["simulated"].Columns = []report.Column{
		{Column: "email", As: "email", Rows: 970}, {Column: "FIRST_NAME", As: "first_name", Rows: 961},
		{Column: "town", As: "location.city", Rows: 703},
		{Column: "loyalty_points", As: "properties.loyalty_points", Rows: 958, Cleared: 12},
		{Column: "internal_id", As: "dropped", Rows: 970},
	}
	all["simulated"].Dropped = map[string]int64{"phone_number": 566}
	mirrors(all)
	estimate := int64(961)
	all["sent"] = &report.Report{
		Type: "report", Status: "succeeded", Operation: "add", List: newsletter(), Version: "v0.4.0",
		Rows:     report.Rows{Read: 1000, Applied: 990, Skipped: 10},
		Campaign: &report.Campaign{ID: "01JSALE", Status: "Sending", EstimatedRecipients: &estimate},
	}
	all["sent"].Span(sampleStart, sampleStart.Add(12*time.Second))
	all["refused"].Span(sampleStart, sampleStart.Add(180*time.Millisecond))
	all["zero"].Span(sampleStart, sampleStart.Add(2*time.Millisecond))
	for i := range 8 {
		part := sampleRun{
			sampleStart.Add(time.Duration(i*5) * time.Second), 3*time.Minute + time.Duration(i*11)*time.Second,
			time.Second, 1_250_000, 0.004 * float64(i), 0, i%2 == 0, random(),
		}.report()
		if i == 5 {
			part.ExitCode, part.Status, part.Error = 3, "timed_out", "2 import jobs did not finish within 1h0m0s"
		}
		part.SetFile(fmt.Sprintf("part-%d.ndjson", i))
		all["merged"] = report.Merge(all["merged"], part)
	}
	return all
}

// mirrors adds reports of mirrors.
func mirrors(all map[string]*report.Report) {
	of := func(exit int, rows report.Rows, m report.Mirrored) *report.Report {
		r := &report.Report{
			Type: "report", Status: report.StatusOf(exit), ExitCode: exit, Operation: "mirror", List: newsletter(),
			Rows: rows, Members: &report.Members{Mirrored: &m}, Version: "v0.4.0",
		}
		r.Span(sampleStart, sampleStart.Add(80*time.Second))
		return r
	}
	all["mirror"] = of(0, report.Rows{Read: 1_000_000, Applied: 1_000_000},
		report.Mirrored{Read: 1_000_412, Matched: 1_000_000, Added: 12_345, JoinedLater: 3, Extras: 409, Removed: 409})
	all["plan"] = of(0, report.Rows{Read: 1_000_000, Valid: 1_000_000},
		report.Mirrored{Read: 988_064, Matched: 987_655, Added: 12_345, Extras: 409})
	all["unchanged"] = of(0, report.Rows{Read: 10_000_000, Applied: 99_990, Skipped: 9_900_010},
		report.Mirrored{Read: 10_000_000, Matched: 10_000_000, Added: 57})
	all["unchanged"].Reasons = []report.Reason{
		{Code: "unchanged", Rows: 9_900_000, FirstRow: 1}, {Code: "duplicate", Rows: 10, FirstRow: 312},
	}
	all["stopped"] = of(1, report.Rows{Read: 100, Applied: 100},
		report.Mirrored{Read: 5000, Matched: 98, Added: 3, Extras: 4902, Unmatched: 2})
	all["stopped"].Error = "mirror: 4,902 members would be removed, more than --max-removals 100 allows"
	all["mirrors"] = report.Merge(all["mirror"], all["stopped"])
}

func outageReport() *report.Report {
	start := sampleStart.Truncate(8 * time.Second)
	r := &report.Report{
		Type: "report", Status: "outage", ExitCode: 4, Operation: "add", Version: "v0.4.0",
		List: &report.List{ID: "XyZ123", Name: "日本のお客様 — ニュースレター", Created: true},
		Rows: report.Rows{Read: 120_000, Accepted: 70_000, Unknown: 10_000, Unsent: 40_000},
		Reasons: []report.Reason{
			{Code: "outage", Rows: 40_000, FirstRow: 80_001}, {Code: "answer_lost", Rows: 10_000, FirstRow: 70_001},
		},
		Jobs:     report.Jobs{Submitted: 7, Open: []string{"01A", "01B", "01C", "01D", "01E", "01F", "01G"}},
		Requests: report.Requests{Sent: 31, Retried: 22, Bytes: 42_000_000, Resent: 3},
		Timeline: []report.Bucket{
			{At: start, Seconds: 8, Rows: report.Rows{Read: 70_000, Accepted: 70_000}, Requests: 9, OpenJobs: 7},
			{
				At: start.Add(600 * time.Second), Seconds: 8, Requests: 22, OpenJobs: 7,
				Rows: report.Rows{Read: 50_000, Unknown: 10_000, Unsent: 40_000},
			},
		},
		Error: "bulk import: no request succeeded for 10m0s, last: " +
			`Post "https://a.klaviyo.com/api/profile-bulk-import-jobs/": ` +
			"read tcp 10.0.0.5:51234->104.18.41.55:443: connection reset by peer",
	}
	r.Span(sampleStart, sampleStart.Add(611*time.Second))
	return r
}

// hostileText is a text that an attacker could put into a name, an error or a code.
const hostileText = "\"><script>alert(1)</script></style></title><img src=x onerror=alert(1)>" +
	"'`{{.}}\\\u202egnp.exe\u2066\x1b[31m\n\r\x00 \xff& ＜"

func hostileReport() *report.Report {
	r := sampleRun{
		sampleStart, 10 * time.Second, time.Second, 1000, 0.5, 0, true, rand.New(rand.NewPCG(1, 2)),
	}.report()
	r.List = &report.List{ID: hostileText, Name: hostileText, Created: true}
	r.Operation, r.Version, r.Error = hostileText, hostileText, strings.Repeat(hostileText, 3)
	r.ExitCode, r.Status = 2, "error"
	r.Reasons = []report.Reason{
		{Code: hostileText, Stage: hostileText, Rows: 300, FirstRow: 1},
		{Code: strings.Repeat("語", 3000), Stage: strings.Repeat("語", 300), Rows: 200, FirstRow: 2},
		{Code: strings.Repeat("x", 3000), Rows: 1, FirstRow: 3},
		{Code: "\x1b[2J\u202e", Stage: "\n", Rows: 1, FirstRow: 4, FirstFile: hostileText},
	}
	r.Account, r.BaseURL, r.Simulated = &report.Account{ID: hostileText, Name: hostileText}, hostileText, true
	r.Dropped = map[string]int64{hostileText: 1, "phone_number": 2}
	for i := range 22 {
		r.Columns = append(r.Columns, report.Column{
			Column: fmt.Sprint(i, hostileText), As: hostileText, Rows: 1000 - int64(i),
		})
	}
	r.Jobs.Open = []string{hostileText, strings.Repeat("x", 3000), "c", "d", "e", "f"}
	return r
}
