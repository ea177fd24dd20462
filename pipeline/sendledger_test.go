package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
	"pgregory.net/rapid"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
)

// sendCase is a campaign, results, and a few calls of Send with them.
type sendCase struct {
	rows     []string // lines
	read     int      // rows that the report counts
	edits    []string // of the report
	tail     string   // after the report
	noReport bool
	campaign simulator.Campaign
	faults   []simulator.Fault
	options  SendOptions
	dryRun   bool
	calls    int  // of Send, each with the output of the one before
	fresh    bool // instead each with the first results
	wrong    bool // something is against the campaign
}

// drawSendCase draws a case with at most one thing that is against the campaign, and faults on any request.
func drawSendCase(t *rapid.T) *sendCase {
	c := &sendCase{campaign: sale}
	for i := range rapid.IntRange(1, 4).Draw(t, "rows") {
		line := fmt.Sprintf(`{"type":"row","row":%d,"status":"applied","key":"p%d@example.com","job":"01J"}`, i+1, i)
		if i > 0 && rapid.IntRange(0, 3).Draw(t, "skipped") == 0 {
			line = fmt.Sprintf(`{"type":"row","row":%d,"status":"skipped","code":"%s"}`, i+1,
				rapid.SampledFrom([]string{"duplicate", "unchanged"}).Draw(t, "code"))
		}
		c.rows = append(c.rows, line+"\n")
	}
	c.read = len(c.rows)
	at := rapid.IntRange(0, len(c.rows)-1).Draw(t, "row")
	bad := func(status string) {
		c.rows[at] = fmt.Sprintf(`{"type":"row","row":%d,%s,"key":"p@example.com"}`+"\n", at+1, status)
	}
	few, many := 0, 11
	against := []func(){
		func() { bad(`"status":"rejected","code":"email_invalid"`) },
		func() { bad(`"status":"unknown","code":"answer_lost"`) },
		func() { bad(`"status":"accepted","job":"01J"`) },
		func() { bad(`"status":"unsent","code":"outage"`) },
		func() { bad(`"status":"skipped","code":"not_on_list"`) },
		func() { c.rows = slices.Delete(c.rows, at, at+1) },
		func() { c.noReport = true },
		func() { c.tail = c.rows[at] },
		func() { c.edits = []string{`"succeeded","exit_code":0`, `"failed","exit_code":1`} },
		func() { c.edits = []string{`"operation":"add"`, `"operation":"remove"`} },
		func() { c.edits = []string{"klaviyo.test", "elsewhere.test"} },
		func() { c.edits = []string{"SiMuL8", "Other1"} },
		func() { c.campaign.Status = "Sent" },
		func() { c.campaign.Status = "Scheduled" },
		func() { c.campaign.Lists = []string{"News", "VIP"} },
		func() { c.campaign.Lists = []string{"VIP"} },
		func() { c.campaign.Lacks = []string{"template"} },
		func() { c.campaign.Strategy = "ab_test_campaign" },
		func() { c.campaign.Channel = "sms" },
		func() { c.campaign.Messages = 2 },
		func() { c.campaign.IgnoreUnsubscribes = true },
		func() { c.campaign.Recipients = &few },
		func() { c.campaign.Recipients = &many },
		func() { c.campaign.NoEstimate = true },
	}
	if c.wrong = rapid.Bool().Draw(t, "wrong"); c.wrong {
		rapid.SampledFrom(against).Draw(t, "against")()
	}
	for range rapid.IntRange(0, 2).Draw(t, "faults") {
		on := rapid.SampledFrom([]string{
			"POST /api/campaign-send-jobs", "POST /api/campaign-send-jobs", "GET /api/campaign-send-jobs/{id}",
			"GET /api/campaigns/{id}", "POST /api/campaign-recipient-estimation-jobs", "POST /api/campaign-clone",
			"PATCH /api/campaigns/{id}", "GET /api/accounts", "*",
		}).Draw(t, "on")
		f := simulator.Fault{On: on, Times: rapid.SampledFrom([]int{1, 1, 2, -1}).Draw(t, "times"),
			Skip: rapid.IntRange(0, 2).Draw(t, "skip")}
		f.Do = rapid.SampledFrom([]string{"lose", "lose", "reset", "status", "throttle", "twice"}).Draw(t, "do")
		switch f.Do {
		case "reset":
			f.Processed = rapid.Bool().Draw(t, "processed")
		case "status":
			f.Status = rapid.SampledFrom([]int{400, 404, 500, 503}).Draw(t, "status")
		}
		switch f.Do {
		case "twice": // must not ask Klaviyo itself to send twice
			f.On = "GET /api/campaigns/{id}"
		case "throttle": // other requests wait for a second or more
			f.On = "POST /api/campaign-send-jobs"
		}
		c.faults = append(c.faults, f)
	}
	c.options.Again = rapid.Bool().Draw(t, "again")
	if !c.options.Again && rapid.IntRange(0, 3).Draw(t, "clone") == 0 {
		c.options.Clone = "Copy"
	}
	c.dryRun = rapid.IntRange(0, 9).Draw(t, "dry run") == 0
	c.calls, c.fresh = rapid.IntRange(1, 3).Draw(t, "calls"), rapid.Bool().Draw(t, "fresh")
	return c
}

// run runs a case and says what is wrong with the result, "" if nothing is.
func (c *sendCase) run(t *testing.T) string {
	s := newBareStage(t, simulator.Options{Plan: &simulator.Plan{Faults: c.faults}}, c.campaign)
	o := s.options
	o.Again, o.Clone, o.DryRun = c.options.Again, c.options.Clone, c.dryRun
	if o.WaitTimeout = 2 * time.Second; c.campaign.NoEstimate {
		o.WaitTimeout = 100 * time.Millisecond
	}
	o.Notice = nil
	results := strings.Join(c.rows, "")
	if !c.noReport {
		results += s.aReport(c.read, c.edits...) + c.tail
	}
	first := results
	for call := range c.calls {
		before := allSends(s)
		var out bytes.Buffer
		exit, err := Send(t.Context(), t.Context(), o, strings.NewReader(results), &out)
		if wrong := c.check(s, before, exit, err, results, out.String()); wrong != "" {
			return fmt.Sprintf("call %d: %s", call, wrong)
		}
		if call == 0 && !c.wrong && c.faults == nil && !c.dryRun && allSends(s) != 1 && !errors.Is(err, sink.ErrNoEstimate) {
			return fmt.Sprintf("nothing is against it, but it was not sent: %v", err)
		}
		if results = out.String(); c.fresh {
			results = first
		}
	}
	return ""
}

// check says what is wrong with a call of Send, before which so many campaigns were sent.
func (c *sendCase) check(s *stage, before, exit int, err error, results, out string) string {
	sent, said := allSends(s)-before, "nothing"
	if at := strings.LastIndex(out, `{"type":"report"`); at >= 0 {
		var rep report.Report
		if json.Unmarshal([]byte(out[at:]), &rep) == nil && rep.Campaign != nil {
			said = rep.Campaign.Status
		}
	}
	for _, state := range s.Campaigns() {
		if state.Posts != state.Sends {
			return fmt.Sprintf("campaign %s was sent %d times and asked for %d times", state.Name, state.Sends, state.Posts)
		}
	}
	switch {
	case allSends(s) > 1:
		return fmt.Sprintf("sent %d times", allSends(s))
	case sent > 0 && (c.against() || c.dryRun):
		return "sent although something is against it"
	case sent > 0 && said == report.CampaignNotSent:
		return "sent, but the report says that it was not"
	case exit == 0 && sent == 0 && !c.dryRun:
		return "exit 0 without sending, the report says " + said
	case (exit == 0) != (err == nil):
		return fmt.Sprintf("exit %d with error %v", exit, err)
	case !passedOn(results, out):
		return fmt.Sprintf("got\n%s\nfor\n%s", out, results)
	}
	return ""
}

// against reports whether what is wrong forbids to send. A clone may be made of a campaign that was sent or has another
// audience.
func (c *sendCase) against() bool {
	return c.wrong && (c.options.Clone == "" || c.campaign.Status == "" && c.campaign.Lists == nil)
}

// allSends counts the campaigns that were sent.
func allSends(s *stage) (n int) {
	for _, state := range s.Campaigns() {
		n += state.Sends
	}
	return n
}

// passedOn reports whether all lines of results are in out, in order, but for the campaign of the last report.
func passedOn(results, out string) bool {
	got := strings.SplitAfter(out, "\n")
	for line := range strings.Lines(results) {
		line, _, _ = strings.Cut(line, `,"campaign":`)
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "}")
		if i := strings.Index(line, `,"account"`); i >= 0 {
			line = line[:i]
		}
		at := slices.IndexFunc(got, func(other string) bool { return strings.HasPrefix(other, line) })
		if at < 0 {
			return false
		}
		got = got[at+1:]
	}
	return true
}

// Whatever the results, the campaign, the faults and the calls: no campaign is sent twice, none is sent unless every
// row is proved and the campaign is right, no report says that a campaign was not sent that was, and no line is lost.
func TestSendLedger(t *testing.T) {
	t.Parallel()
	const cases = 80
	checkRounds(t, max(*ledgerRounds, 1), func(rt *rapid.T) {
		drawn := make([]*sendCase, cases)
		wrong := make([]string, cases)
		var wait sync.WaitGroup
		for i := range drawn {
			c := drawSendCase(rt)
			drawn[i] = c
			wait.Go(func() { wrong[i] = c.run(t) })
		}
		wait.Wait()
		for i, w := range wrong {
			if w != "" {
				c := drawn[i]
				rt.Fatalf("%s\nrows %q, report edits %q, no report %v\ncampaign %+v\nfaults %+v\nagain %v, clone %q, dry run %v, "+
					"%d calls, fresh %v, wrong %v", w, c.rows, c.edits, c.noReport, c.campaign, c.faults,
					c.options.Again, c.options.Clone, c.dryRun, c.calls, c.fresh, c.wrong)
			}
		}
	})
}
