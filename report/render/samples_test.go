package render

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sampleStart = time.Date(2026, 11, 23, 9, 28, 41, 250e6, time.UTC)

// sample is a run to be drawn.
type sampleRun struct {
	start    time.Time
	length   time.Duration
	every    time.Duration // between samples of its timeline
	rows     int64
	rejected float64 // share of the rows
	skipped  float64
	wait     bool
	random   *rand.Rand
}

// report draws the run: it sends what Klaviyo takes, in bursts at first, and is throttled at times.
func (s sampleRun) report() *Report {
	line := Timeline{Start: s.start}
	var reasons []Reason
	codes := []string{"email_invalid", "phone_invalid", "email_missing", "type_wrong", "json_invalid", "profile_too_large", "name_reserved", "invalid"}
	steps := int64(s.length / s.every)
	var now Sample
	var latency []Latency
	for i := range steps {
		share := float64(s.rows) / float64(steps)
		if i*7/steps == 3 {
			now.Throttled += time.Duration(s.random.IntN(int(s.every)))
			share *= 0.4
		} else if i < steps/8 {
			share *= 1.6
		}
		n := int64(share * (0.85 + float64(0.3*s.random.Float64()))) // float64: not fused on any processor
		if i == steps-1 {
			n = s.rows - now.Rows.Read
		}
		n = min(n, s.rows-now.Rows.Read)
		bad := int64(float64(n) * s.rejected * (0.5 + s.random.Float64()))
		twice := int64(float64(n) * s.skipped * (0.5 + s.random.Float64()))
		bad = min(bad, n)
		now.Rows.add(Rows{Read: n, Rejected: bad, Skipped: min(twice, n-bad), Accepted: n - bad - min(twice, n-bad)})
		for c := 0; bad > 0; c = (c + 1) % len(codes) {
			some := max(bad*int64(len(codes)-c)/20, 1)
			reasons = mergeReasons(reasons, []Reason{{codes[c], []string{"validate", "import"}[c/7], some, now.Rows.Read - int64(s.random.IntN(100))}})
			bad -= some
		}
		now.Requests += n/10_000 + 1
		now.OpenJobs = int64(s.random.IntN(12)) + i%40
		if s.wait {
			latency = Took(latency, time.Duration(s.random.ExpFloat64()*float64(20*time.Second)))
		}
		line.Add(time.Duration(i)*s.every, now)
	}
	exit := 0
	if now.Rows.Rejected > 0 {
		exit = 1
	}
	r := &Report{
		Type: "report", Status: StatusOf(exit), ExitCode: exit, Operation: "add", List: &List{ID: "XyZ123", Name: "Newsletter"},
		Rows: now.Rows, Reasons: reasons, Version: "v0.4.0", Timeline: line.Buckets(),
		Jobs:     Jobs{Submitted: now.Requests},
		Requests: Requests{Sent: now.Requests + 14, Retried: 12, Throttled: 3, Bytes: now.Rows.Accepted * 281, Resent: 2},
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
		r.Reasons = mergeReasons(r.Reasons, []Reason{{Code: "duplicate", Rows: now.Rows.Skipped, FirstRow: 312}})
	}
	r.Span(s.start, s.start.Add(s.length))
	return r
}

// samples are reports of all kinds, by name.
func samples() map[string]*Report {
	random := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	all := map[string]*Report{
		"big":    sampleRun{sampleStart, 7*time.Minute + 12*time.Second, time.Second, 10_000_000, 0.021, 0.008, true, random()}.report(),
		"day":    sampleRun{sampleStart, 25 * time.Hour, time.Minute, 8_400_000, 0.001, 0.002, false, random()}.report(),
		"short":  sampleRun{sampleStart, 6 * time.Second, 500 * time.Millisecond, 200_000, 0, 0, true, random()}.report(),
		"second": sampleRun{sampleStart, time.Second, time.Second, 970, 0.02, 0.01, false, random()}.report(),
		"zero":   {Type: "report", Status: "succeeded", Operation: "add", List: &List{Name: "Newsletter"}, Version: "v0.4.0"},
		"refused": {
			Type: "report", Status: "failed", ExitCode: 1, Operation: "remove", List: &List{ID: "XyZ123", Name: "Newsletter"}, Version: "v0.4.0",
			Rows: Rows{Read: 50_000, Rejected: 50_000}, Reasons: []Reason{{"profile_id_missing", "validate", 50_000, 1}},
			Timeline: []Bucket{{At: sampleStart.Truncate(time.Second), Seconds: 1, Rows: Rows{Read: 50_000, Rejected: 50_000}}},
		},
		"killed": {
			Type: "report", Status: "interrupted", ExitCode: 143, List: &List{},
			Rows: Rows{Read: 1203, Accepted: 1000, Skipped: 3, Unknown: 200}, Reasons: []Reason{{"answer_lost", "", 200, 800}, {"duplicate", "", 3, 17}},
		},
		"outage": {
			Type: "report", Status: "outage", ExitCode: 4, Operation: "add", List: &List{ID: "XyZ123", Name: "日本のお客様 — ニュースレター", Created: true}, Version: "v0.4.0",
			Rows: Rows{Read: 120_000, Accepted: 70_000, Unknown: 10_000, Unsent: 40_000}, Reasons: []Reason{{"outage", "", 40_000, 80_001}, {"answer_lost", "", 10_000, 70_001}},
			Jobs:     Jobs{Submitted: 7, Open: []string{"01A", "01B", "01C", "01D", "01E", "01F", "01G"}},
			Requests: Requests{Sent: 31, Retried: 22, Bytes: 42_000_000, Resent: 3},
			Timeline: []Bucket{
				{At: sampleStart.Truncate(8 * time.Second), Seconds: 8, Rows: Rows{Read: 70_000, Accepted: 70_000}, Requests: 9, OpenJobs: 7},
				{At: sampleStart.Truncate(8 * time.Second).Add(600 * time.Second), Seconds: 8, Rows: Rows{Read: 50_000, Unknown: 10_000, Unsent: 40_000}, Requests: 22, OpenJobs: 7},
			},
			Error: "Klaviyo or the network gave up: bulk import: nothing has got through for 10m0s, last: Post \"https://a.klaviyo.com/api/profile-bulk-import-jobs/\": read tcp 10.0.0.5:51234->104.18.41.55:443: connection reset by peer",
		},
		"hostile": hostileReport(),
	}
	all["outage"].Span(sampleStart, sampleStart.Add(611*time.Second))
	all["refused"].Span(sampleStart, sampleStart.Add(180*time.Millisecond))
	all["zero"].Span(sampleStart, sampleStart.Add(2*time.Millisecond))
	for i := range 8 {
		part := sampleRun{sampleStart.Add(time.Duration(i*5) * time.Second), 3*time.Minute + time.Duration(i*11)*time.Second, time.Second, 1_250_000, 0.004 * float64(i), 0, i%2 == 0, random()}.report()
		if i == 5 {
			part.ExitCode, part.Status, part.Error = 3, "timed_out", "2 import jobs were not done within 1h0m0s"
		}
		all["merged"] = Merge(all["merged"], part)
	}
	return all
}

// hostileText is what somebody else might write into a name, an error or a code.
const hostileText = "\"><script>alert(1)</script></style></title><img src=x onerror=alert(1)>'`{{.}}\\\u202egnp.exe\u2066\x1b[31m\n\r\x00 \xff& ＜"

func hostileReport() *Report {
	r := sampleRun{sampleStart, 10 * time.Second, time.Second, 1000, 0.5, 0, true, rand.New(rand.NewPCG(1, 2))}.report()
	r.List = &List{ID: hostileText, Name: hostileText, Created: true}
	r.Operation, r.Version, r.Error = hostileText, hostileText, strings.Repeat(hostileText, 3)
	r.ExitCode, r.Status = 2, "error"
	r.Reasons = []Reason{{hostileText, hostileText, 300, 1}, {strings.Repeat("語", 3000), strings.Repeat("語", 300), 200, 2}, {strings.Repeat("x", 3000), "", 1, 3}, {"\x1b[2J\u202e", "\n", 1, 4}}
	r.Jobs.Open = []string{hostileText, strings.Repeat("x", 3000), "c", "d", "e", "f"}
	return r
}

// golden compares what a report is rendered to with the file of that name, which UPDATE_GOLDEN=1 rewrites.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}
