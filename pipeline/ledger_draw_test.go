package pipeline

import (
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/sink/simulator"
)

// The kinds of rows. A twin repeats the person of the first good row.
var rowKinds = []string{"good", "good", "good", "good", "refused", "failed", "failed", "bad", "twin", "nope"}

const (
	importing = "POST /api/profile-bulk-import-jobs"
	watching  = "GET /api/profile-bulk-import-jobs/{id}"
	listing   = "GET /api/profile-bulk-import-jobs"
	reading   = "GET /api/profile-bulk-import-jobs/{id}/import-errors"
	removing  = "DELETE /api/lists/{id}/relationships/profiles"
)

// answerFaults are faults of one answer.
var answerFaults = []simulator.Fault{
	{Do: "status", Status: 500}, {Do: "status", Status: 502, As: "page"}, {Do: "status", Status: 503},
	{Do: "status", Status: 524, As: "page"}, {Do: "challenge"}, {Do: "throttle"}, {Do: "reset"},
	{Do: "reset", Processed: true}, {Do: "lose", Status: 504}, {Do: "lose", Status: 200, As: "empty"},
	{Do: "lose", As: "no_id", Status: 202}, {Do: "truncate"}, {Do: "delay", Before: 300 * time.Millisecond},
	{Do: "delay", After: 300 * time.Millisecond}, {Do: "relink", To: "http://127.0.0.1:9"},
}

// drawCase draws a run.
func drawCase(rt *rapid.T) *ledgerCase {
	c := &ledgerCase{
		kinds:   rapid.SliceOfN(rapid.SampledFrom(rowKinds), 0, 40).Draw(rt, "rows"),
		batch:   rapid.IntRange(3, 15).Draw(rt, "batch"),
		senders: rapid.IntRange(1, 5).Draw(rt, "senders"),
		wait:    rapid.Bool().Draw(rt, "wait"),
		later:   rapid.Bool().Draw(rt, "later"),
		read:    rapid.Bool().Draw(rt, "read back"),
		remove:  rapid.IntRange(0, 3).Draw(rt, "remove") == 0,
		clear:   rapid.Bool().Draw(rt, "clear"),
		retry:   time.Minute,
		proof:   map[string]bool{},
	}
	c.plan = &simulator.Plan{Seed: 1, Faults: c.drawFaults(rt)}
	for i, kind := range c.kinds {
		if !c.remove && c.clear && kind != "twin" {
			c.plan.Profiles = append(c.plan.Profiles,
				simulator.Profile{Email: c.person(i), Properties: map[string]string{"plan": "x"}})
		}
	}
	return c
}

// drawFaults draws the faults of answers, and for imports those of rows and import jobs.
func (c *ledgerCase) drawFaults(rt *rapid.T) []simulator.Fault {
	ons := []string{
		importing, importing, watching, listing, reading, lookingUp, ofProfiles, "GET /api/lists", "POST /api/lists",
	}
	if c.remove {
		ons = []string{removing, "GET /api/lists"}
	}
	var faults []simulator.Fault
	for range rapid.IntRange(0, 2).Draw(rt, "faults") {
		f := rapid.SampledFrom(answerFaults).Draw(rt, "fault")
		f.On = rapid.SampledFrom(ons).Draw(rt, "on")
		f.Skip = rapid.IntRange(0, 4).Draw(rt, "skip")
		f.Times = rapid.IntRange(1, 2).Draw(rt, "times")
		faults = append(faults, f)
	}
	if rapid.IntRange(0, 2).Draw(rt, "impatient") == 0 {
		c.retry = 0
		c.proof["answer_lost"] = true
	}
	if c.remove {
		return faults
	}
	if n := rapid.IntRange(1, 30).Draw(rt, "too large from"); n <= 12 {
		faults = append(faults, simulator.Fault{Do: "too_large", Times: -1, Profiles: n})
	}
	refuse := simulator.Fault{
		Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid.",
	}
	refuse.Naming = rapid.SampledFrom([]string{"all", "rounds", "unnamed"}).Draw(rt, "naming")
	return append(append(faults, refuse), c.drawJobFaults(rt)...)
}

// drawJobFaults draws the faults of import jobs.
func (c *ledgerCase) drawJobFaults(rt *rapid.T) []simulator.Fault {
	fail := simulator.Fault{
		Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "duplicate_profile", Detail: "Taken.",
		Payload:   rapid.SampledFrom([]string{"full", "none", "attributes"}).Draw(rt, "payload"),
		Pointer:   rapid.SampledFrom([]string{"index", "data"}).Draw(rt, "pointer"),
		Uppercase: rapid.Bool().Draw(rt, "uppercase"),
	}
	if rapid.IntRange(0, 3).Draw(rt, "few") == 0 {
		n := rapid.IntRange(0, 3).Draw(rt, "report")
		fail.Report = &n
		c.proof["errors_incomplete"] = true
	}
	if fail.Payload == "none" && fail.Pointer == "data" {
		c.proof["error_unmatched"], c.proof["errors_incomplete"] = true, true
	}
	faults := []simulator.Fault{fail}
	if c.clear && rapid.Bool().Draw(rt, "keep") {
		faults = append(faults, simulator.Fault{Do: "keep_properties", Times: -1, Addresses: []string{"good1*", "failed2*"}})
		c.proof["not_cleared"] = true
	}
	switch rapid.IntRange(0, 8).Draw(rt, "job") {
	case 0:
		faults = append(faults, simulator.Fault{Do: "cancel", Skip: 1})
		c.proof["job_cancelled"] = true
	case 1:
		faults = append(faults, simulator.Fault{Do: "stuck"})
		c.stuck = true
	}
	return faults
}
