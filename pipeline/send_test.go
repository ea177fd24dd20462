package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

const (
	annApplied = `{"type":"row","row":1,"status":"applied","key":"ann@example.com","job":"01J"}` + "\n"
	boApplied  = `{"type":"row","row":2,"status":"applied","key":"bo@example.com","job":"01J"}` + "\n"
	boAgain    = `{"type":"row","row":2,"status":"skipped","key":"bo@example.com","code":"duplicate","of":1}` + "\n"
	boSame     = `{"type":"row","row":2,"status":"skipped","key":"bo@example.com","code":"unchanged"}` + "\n"
	boRejected = `{"type":"row","row":2,"status":"rejected","key":"bo@","stage":"validate","code":"email_invalid"}` + "\n"
	boUnknown  = `{"type":"row","row":2,"status":"unknown","key":"bo@example.com","code":"answer_lost"}` + "\n"
	boAccepted = `{"type":"row","row":2,"status":"accepted","key":"bo@example.com","job":"01J"}` + "\n"
	boOrders   = `{"type":"row","row":2,"status":"applied","key":"+49151","channels":["sms-transactional"]}` + "\n"
	boValid    = `{"type":"row","row":2,"status":"valid","key":"bo@example.com"}` + "\n"
	saleSent   = `{"type":"campaign","id":"01JSALE","status":"sending"}` + "\n"
)

// stage is a simulated Klaviyo with a list of two members and a campaign for it.
type stage struct {
	*simulator.Simulator
	url     string
	list    string
	options *SendOptions
	told    []string
}

func newStage(t testing.TB, o simulator.Options, campaigns ...simulator.Campaign) *stage {
	t.Helper()
	o.JobTime = 10 * time.Millisecond
	url, sim := contract.Serve(t, o)
	return newStageAt(t, url, sim, campaigns)
}

// newBareStage is newStage without the check of the API's description, for many stages at once.
func newBareStage(t testing.TB, o simulator.Options, campaigns ...simulator.Campaign) *stage {
	t.Helper()
	o.JobTime = 10 * time.Millisecond
	sim := simulator.New(o)
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	s := newStageAt(t, url, sim, campaigns)
	s.options.Client = newClient(t, &sink.Options{BaseURL: url, Concurrency: 1}) // retries nothing
	return s
}

func newStageAt(t testing.TB, url string, sim *simulator.Simulator, campaigns []simulator.Campaign) *stage {
	t.Helper()
	s := &stage{Simulator: sim, url: url, list: sim.AddList("News", "single_opt_in")}
	for _, email := range []string{"ann@example.com", "bo@example.com"} {
		sim.Add(simulator.Profile{Email: email, Lists: []string{"News"}})
	}
	wait := 20 * time.Second
	for _, c := range campaigns {
		if c.Lists == nil {
			c.Lists = []string{"News"}
		}
		sim.AddCampaign(c)
		if c.NoEstimate {
			wait = time.Second
		}
	}
	s.options = &SendOptions{
		Client:  newClient(t, &sink.Options{BaseURL: url, Concurrency: 1, RetryFor: 10 * time.Millisecond}),
		BaseURL: "http://klaviyo.test", Campaign: "01JSALE", MinRecipients: 1, MaxRecipients: 10,
		WaitTimeout: wait, Notice: func(text string) { s.told = append(s.told, text) },
	}
	return s
}

// aReport is a report of a run at a stage. edits are pairs of a text in it and what replaces that.
func (s *stage) aReport(rows int, edits ...string) string {
	text := fmt.Sprintf(`{"type":"report","status":"succeeded","exit_code":0,"operation":"add",`+
		`"list":{"id":"%s","name":"News","created":false},`+
		`"rows":{"read":%d,"applied":%[2]d,"accepted":0,"skipped":0,"rejected":0,"unknown":0,"unsent":0},"reasons":[],`+
		`"jobs":{"submitted":1,"complete":1,"cancelled":0,"open":[]},`+
		`"requests":{"sent":4,"retried":0,"throttled":0,"bytes":266,"resent":0},`+
		`"account":{"id":"SiMuL8","name":"Simulator"},"base_url":"http://klaviyo.test","simulated":true,`+
		`"columns":[{"column":"email","as":"email","rows":2}],`+
		`"started_at":"2026-11-28T13:07:09.685Z","finished_at":"2026-11-28T13:07:10.695Z","seconds":1.01,"version":"v1",`+
		`"timeline":[]}`+"\n", s.list, rows)
	return strings.NewReplacer(edits...).Replace(text)
}

// send runs Send and returns what it passed on, with its exit status and error.
func (s *stage) send(t testing.TB, results string) (out string, exit int, err error) {
	t.Helper()
	var b bytes.Buffer
	exit, err = Send(t.Context(), t.Context(), s.options, strings.NewReader(results), &b)
	return b.String(), exit, err
}

// campaignOf returns the report's campaign in an output, and the output without it.
func campaignOf(t testing.TB, out string) (c *report.Campaign, rest string) {
	t.Helper()
	at := strings.LastIndex(out, `,"campaign":{`)
	if at < 0 {
		return nil, out
	}
	end := at + strings.IndexByte(out[at:], '}') + 1
	if err := json.Unmarshal([]byte(out[at+len(`,"campaign":`):end]), &c); err != nil {
		t.Fatal(err)
	}
	return c, out[:at] + out[end:]
}

var sale = simulator.Campaign{ID: "01JSALE", Name: "Sale"}

// A campaign is sent once after results that prove every row, its line comes before, and every line is passed on as it
// is. The report has the campaign, and is otherwise the same.
func TestSend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rows, operation string }{
		{"applied", annApplied + boApplied, "add"}, {"a duplicate", annApplied + boAgain, "add"},
		{"unchanged", annApplied + boSame, "mirror"}, {"consent", annApplied + boApplied, "subscribe"},
		{"a removed member", annApplied + boApplied +
			`{"type":"member","status":"removed","key":"old@example.com","profile_id":"01H"}` + "\n", "mirror"},
		{"in another form", `{ "status": "applied", "row": 1, "type":"row", "more": [1,  2] }` + "\n" + boApplied, "add"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, simulator.Options{}, sale)
			in := c.rows + s.aReport(2, `"operation":"add"`, `"operation":"`+c.operation+`"`)
			out, exit, err := s.send(t, in)
			if exit != 0 || err != nil {
				t.Fatal(exit, err)
			}
			got, rest := campaignOf(t, out)
			two := int64(2)
			if want := (&report.Campaign{ID: "01JSALE", Status: "Sending", EstimatedRecipients: &two}); !cmp.Equal(got, want) &&
				got.Status != "Sent" {
				t.Errorf("got %+v", got)
			}
			if want := strings.Replace(in, `{"type":"report"`, saleSent+`{"type":"report"`, 1); rest != want {
				t.Error(cmp.Diff(want, rest))
			}
			state := s.Campaigns()[0]
			if state.Sends != 1 || state.Posts != 1 || len(state.Recipients) != 2 {
				t.Errorf("%+v", state)
			}
			if len(s.told) != 1 || !strings.HasPrefix(s.told[0], `campaign "Sale" (01JSALE): Sen`) ||
				!strings.HasSuffix(s.told[0], ", estimated 2 recipients") {
				t.Errorf("told %q", s.told)
			}
		})
	}
}

// Results that do not prove every row to be on the list of one finished run send nothing. All lines are passed on, and
// the report keeps its status.
func TestSendNeedsProof(t *testing.T) {
	t.Parallel()
	s := newStage(t, simulator.Options{}, sale)
	good := annApplied + boApplied
	cut := annApplied + boApplied[:20]
	for _, c := range []struct {
		name, in, want string
		exit           int
		passed         string // "" for all
	}{
		{"nothing", "", "the results have no rows", 1, ""},
		{"no row", s.aReport(0), "the results have no rows", 1, ""},
		{"a rejected row", annApplied + boRejected + s.aReport(2),
			"1 of 2 rows is not proved: row 2 is rejected (email_invalid)", 1, ""},
		{"an unknown row", annApplied + boUnknown + s.aReport(2), "row 2 is unknown (answer_lost)", 1, ""},
		{"an accepted row", annApplied + boAccepted + s.aReport(2), "row 2 is accepted", 1, ""},
		{"consent to transactional messages alone", annApplied + boOrders + s.aReport(2),
			"row 2 is applied for transactional SMS, which puts nobody on a list", 1, ""},
		{"a checked row", annApplied + boValid + s.aReport(2), "row 2 is valid", 1, ""},
		{"a row that left", annApplied + strings.Replace(boAgain, "duplicate", "not_on_list", 1) + s.aReport(2),
			"row 2 is skipped (not_on_list)", 1, ""},
		{"no report", good, "they do not end with a report", 1, ""},
		{"a row after the report", annApplied + s.aReport(1) + boApplied, "they do not end with a report", 1, ""},
		{"cut in a row", cut, "they do not end with a report", 1, annApplied},
		{"cut after the report", good + s.aReport(2) + boApplied[:20], "they do not end with a report", 1,
			good + s.aReport(2)},
		{"cut in the report", good + s.aReport(2)[:200], "they do not end with a report", 1, good},
		{"a missing row", annApplied + s.aReport(2), "the report counts 2 rows, the results have 1", 1, ""},
		{"a missing first row", boApplied + s.aReport(1), "the report counts 1 row, the results have 1", 1, ""},
		{"rows that an earlier run finished", annApplied + s.aReport(2, `"unsent":0`, `"unsent":0,"resumed":1`),
			"the report counts 2 rows, the results have 1", 1, ""},
		{"failed", good + s.aReport(2, `"status":"succeeded","exit_code":0`, `"status":"failed","exit_code":1`,
			`"timeline":[]`, `"timeline":[],"error":"too few"`), `the report's status is "failed": too few`, 1, ""},
		{"timed out", good + s.aReport(2, `"status":"succeeded","exit_code":0`, `"status":"timed_out","exit_code":3`),
			`the report's status is "timed_out"`, 1, ""},
		{"an exit status without its status", good + s.aReport(2, `"succeeded"`, `"failed"`),
			`the report's status is "failed"`, 1, ""},
		{"a status without its exit status", good + s.aReport(2, `"exit_code":0`, `"exit_code":1`),
			`the report's status is "succeeded"`, 1, ""},
		{"a removal", good + s.aReport(2, `"add"`, `"remove"`), `the results are of "remove"`, 1, ""},
		{"an unsubscription", good + s.aReport(2, `"add"`, `"unsubscribe"`), `the results are of "unsubscribe"`, 1, ""},
		{"no list", good + s.aReport(2, `"list":{"id":"`+s.list+`","name":"News","created":false},`, ""),
			"the report names no list", 1, ""},
		{"lists of a column", good + s.aReport(2, `"rows":{`,
			`"lists":[{"id":"`+s.list+`","name":"News","created":false,"rows":2}],"rows":{`),
			"the rows name their lists themselves", 1, ""},
		{"a list without an id", good + s.aReport(2, `"id":"`+s.list+`"`, `"id":""`), "the report names no list", 1, ""},
		{"another list", good + s.aReport(2, s.list, "Other1"), "], the rows are on list Other1", 1, ""},
		{"two runs", good + s.aReport(2) + good + s.aReport(2), "they have 2 reports", 1, ""},
		{"a merged report", good + s.aReport(2, `"timeline":[]`, `"timeline":[],"runs":2`), "their report is merged", 1, ""},
		{"two lists", annApplied + s.aReport(1, s.list, "Other1") + boApplied +
			s.aReport(2, `"unsent":0`, `"unsent":0,"resumed":1`), "they are of the lists Other1 and " + s.list, 1, ""},
		{"another Klaviyo", good + s.aReport(2, "klaviyo.test", "elsewhere.test"),
			"send: the results are of a run at http://elsewhere.test, this one asks http://klaviyo.test", 2, ""},
		{"a simulator that is gone", good + s.aReport(2, `"base_url":"http://klaviyo.test",`, ""),
			"send: the results are of a run with --simulate", 2, ""},
		{"another account", good + s.aReport(2, "SiMuL8", "Other1"),
			`send: the results are of account Other1 "Simulator"`, 2, ""},
		{"a line that is no result", "note\n" + good + s.aReport(2), "line 1 is not a result", 2, good + s.aReport(2)},
		{"a line that is no result at last", good + s.aReport(2) + "note\n", "line 4 is not a result", 2,
			good + s.aReport(2)},
		{"a wrong report", good + s.aReport(2, `"rows":{"read":2`, `"rows":{"read":"2"`), "line 3 is not a result", 2, ""},
		{"rows without an end", `{"email":"ann@example.com"}`, "line 1 is not a result", 2, "no lines"},
		{"sent before", good + saleSent + s.aReport(2), "the results say that campaign 01JSALE was sent before", 1, ""},
		{"another one sent before", good + strings.Replace(saleSent, "SALE", "MORE", 1) + s.aReport(2),
			"the results say that campaign 01JMORE was sent before", 1, ""},
		{"sent before as the report says", good + s.aReport(2, `"account"`,
			`"campaign":{"id":"01JSALE","status":"Sending"},"account"`), "campaign 01JSALE was sent before", 1, ""},
	} {
		out, exit, err := s.send(t, c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) || exit != c.exit || Hint(err) == "" {
			t.Errorf("%s: exit %d, %v, want %d, %s", c.name, exit, err, c.exit, c.want)
		}
		campaign, rest := campaignOf(t, out)
		want := c.in
		switch {
		case c.passed == "no lines":
			want = ""
		case c.passed != "":
			want = c.passed
		case strings.HasPrefix(c.name, "sent before as"):
			_, want = campaignOf(t, c.in)
			if campaign == nil || campaign.Status != "Sending" {
				t.Errorf("%s: campaign %+v", c.name, campaign)
			}
		}
		if rest != want {
			t.Errorf("%s: %s", c.name, cmp.Diff(want, rest))
		}
		if campaign != nil && campaign.Status != "not_sent" && !strings.HasPrefix(c.name, "sent before as") {
			t.Errorf("%s: campaign %+v", c.name, campaign)
		}
	}
	if state := s.Campaigns()[0]; state.Posts != 0 {
		t.Errorf("%+v", state)
	}
}

// TestSendKnowsItsAccount: results that name an account send nothing while Klaviyo does not say whose the key is. A key
// that may not read the account sends, and results without an account need none.
func TestSendKnowsItsAccount(t *testing.T) {
	t.Parallel()
	down := &simulator.Plan{Faults: []simulator.Fault{{On: "GET /api/accounts", Do: "status", Status: 503, Times: -1}}}
	for _, c := range []struct {
		name  string
		plan  *simulator.Plan
		key   string
		edits []string
		exit  int
	}{
		{"no answer", down, "", nil, 4},
		{"no answer, another account", down, "", []string{"SiMuL8", "Other1"}, 4},
		{"no answer, results without an account", down, "", []string{`"account":{"id":"SiMuL8","name":"Simulator"},`, ""}, 0},
		{"a key without the scope", nil, "no-accounts:read", nil, 0},
	} {
		s := newStage(t, simulator.Options{Plan: c.plan}, sale)
		if c.key != "" {
			s.options.Client = newClient(t, &sink.Options{BaseURL: s.url, Key: c.key, Concurrency: 1})
		}
		_, exit, err := s.send(t, annApplied+s.aReport(1, c.edits...))
		sent := 0
		if c.exit == 0 {
			sent = 1
		}
		if state := s.Campaigns()[0]; exit != c.exit || (err == nil) != (exit == 0) || state.Sends != sent {
			t.Errorf("%s: exit %d, %v, sent %d times", c.name, exit, err, state.Sends)
		}
	}
}

// Results of a run that was resumed prove its rows as far as all of them are there.
func TestSendAfterAResumedRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, simulator.Options{}, sale)
	boUnsent := `{"type":"row","row":2,"status":"unsent","key":"bo@example.com","code":"outage"}` + "\n"
	first := s.aReport(2, `"status":"succeeded","exit_code":0`, `"status":"outage","exit_code":4`)
	in := annApplied + boUnsent + first + boApplied + s.aReport(2, `"unsent":0`, `"unsent":0,"resumed":1`)
	out, exit, err := s.send(t, in)
	if exit != 0 || err != nil {
		t.Fatal(exit, err)
	}
	_, rest := campaignOf(t, out)
	at := strings.LastIndex(in, `{"type":"report"`)
	if want := in[:at] + saleSent + in[at:]; rest != want {
		t.Error(cmp.Diff(want, rest))
	}
}

// A campaign that is not one whole email draft for exactly this list is not sent, and an estimate has to be within the
// bounds.
func TestSendNeedsTheRightCampaign(t *testing.T) {
	t.Parallel()
	nobody, many := 0, 11
	for _, c := range []struct {
		campaign simulator.Campaign
		want     string
	}{
		{simulator.Campaign{Status: "Sent"}, `is no draft: its status is "Sent"`},
		{simulator.Campaign{Status: "Scheduled"}, `is no draft: its status is "Scheduled"`},
		{simulator.Campaign{Archived: true}, "is archived"},
		{simulator.Campaign{Lists: []string{}}, "goes to [], the rows are on list"},
		{simulator.Campaign{Lists: []string{"News", "VIP"}}, "the rows are on list"},
		{simulator.Campaign{Lists: []string{"VIP"}}, "the rows are on list"},
		{simulator.Campaign{Strategy: "ab_test_campaign"}, "is an A/B test"},
		{simulator.Campaign{Strategy: "unsupported"}, `is sent by the method "unsupported"`},
		{simulator.Campaign{Strategy: "smart_send_time"}, `is sent by the method "smart_send_time"`},
		{simulator.Campaign{Strategy: "throttled", SendIn: time.Hour}, `is sent by the method "throttled"`},
		{simulator.Campaign{Strategy: "static", SendIn: -time.Hour}, "has a time that is over"},
		{simulator.Campaign{IgnoreUnsubscribes: true}, "goes to people who have unsubscribed too"},
		{simulator.Campaign{Messages: 2}, "has 2 messages, expected one"},
		{simulator.Campaign{Channel: "sms"}, `has a message of the channel "sms"`},
		{simulator.Campaign{Lacks: []string{"subject"}}, "has no subject"},
		{simulator.Campaign{Lacks: []string{"from_email"}}, "has no sender's address"},
		{simulator.Campaign{Lacks: []string{"template"}}, "has no template"},
		{simulator.Campaign{Recipients: &nobody}, "would go to about 0 recipients, fewer than --min-recipients 1"},
		{simulator.Campaign{Recipients: &many}, "would go to about 11 recipients, more than --max-recipients 10"},
		{simulator.Campaign{NoEstimate: true}, "no estimate of the recipients from Klaviyo, within 1s"},
	} {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			c.campaign.ID, c.campaign.Name = "01JSALE", "Sale"
			s := newStage(t, simulator.Options{}, c.campaign)
			in := annApplied + boApplied + s.aReport(2)
			out, exit, err := s.send(t, in)
			if exit != 1 || err == nil || !strings.Contains(err.Error(), c.want) || Hint(err) == "" {
				t.Errorf("exit %d, %v", exit, err)
			}
			campaign, rest := campaignOf(t, out)
			if campaign == nil || campaign.Status != "not_sent" || rest != in {
				t.Errorf("campaign %+v, %s", campaign, cmp.Diff(in, rest))
			}
			if state := s.Campaigns()[0]; state.Posts != 0 {
				t.Errorf("%+v", state)
			}
		})
	}
}

// Lists whose members a campaign leaves out do not matter, an estimate that does not come is waived by --no-estimate
// alone, and one that comes counts all the same.
func TestSendWithout(t *testing.T) {
	t.Parallel()
	many := 11
	for _, c := range []struct {
		name       string
		campaign   simulator.Campaign
		noEstimate bool
		exit       int
		estimate   string
	}{
		{"excluded lists", simulator.Campaign{Excluded: []string{"Staff"}}, false, 0, "2"},
		{"no estimate", simulator.Campaign{NoEstimate: true}, true, 0, ""},
		{"too many", simulator.Campaign{Recipients: &many}, true, 1, "11"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.campaign.ID, c.campaign.Name = "01JSALE", "Sale"
			s := newStage(t, simulator.Options{}, c.campaign)
			s.options.NoEstimate = c.noEstimate
			out, exit, err := s.send(t, annApplied+boApplied+s.aReport(2))
			if exit != c.exit || (err != nil) != (exit != 0) {
				t.Errorf("exit %d, %v", exit, err)
			}
			got, _ := campaignOf(t, out)
			estimate := ""
			if got.EstimatedRecipients != nil {
				estimate = fmt.Sprint(*got.EstimatedRecipients)
			}
			if estimate != c.estimate || s.Campaigns()[0].Sends != 1-c.exit {
				t.Errorf("estimate %q, %+v", estimate, s.Campaigns()[0])
			}
		})
	}
}

// A dry run says what would be sent, and changes nothing.
func TestSendDryRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, simulator.Options{}, sale)
	s.options.DryRun = true
	in := annApplied + boApplied + s.aReport(2)
	out, exit, err := s.send(t, in)
	campaign, rest := campaignOf(t, out)
	if exit != 0 || err != nil || rest != in || campaign.Status != "not_sent" || *campaign.EstimatedRecipients != 2 {
		t.Errorf("exit %d, %v, %+v, %s", exit, err, campaign, cmp.Diff(in, rest))
	}
	s.options.Clone = "Copy"
	if _, exit, err := s.send(t, out); exit != 0 || err != nil {
		t.Errorf("exit %d, %v", exit, err)
	}
	want := []string{
		`would send campaign "Sale" (01JSALE), estimated 2 recipients; nothing was sent`,
		`would clone campaign "Sale" (01JSALE) as "Copy" and send the clone to list ` + s.list,
	}
	if diff := cmp.Diff(want, s.told); diff != "" {
		t.Error(diff)
	}
	if all := s.Campaigns(); len(all) != 1 || all[0].Posts != 0 {
		t.Errorf("%+v", all)
	}
}

// A clone is sent in place of the campaign, to the list alone, and its id is told even when it is not sent. A name that
// is taken, and a campaign of which no clone could be sent, leave no clone behind.
func TestSendAClone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		campaign simulator.Campaign
		clones   int
		want     string // of the error
	}{
		{"a draft for another list", simulator.Campaign{Lists: []string{"VIP"}, Excluded: []string{"Staff"}}, 1, ""},
		{"a campaign that was sent", simulator.Campaign{Status: "Sent"}, 1, ""},
		{"too late an estimate", simulator.Campaign{NoEstimate: true}, 1, "no estimate"},
		{"a set time", simulator.Campaign{Strategy: "static", SendIn: time.Hour}, 0, "could not be sent at its time"},
		{"no template", simulator.Campaign{Lacks: []string{"template"}}, 0, "has no template"},
		{"a name that is taken", simulator.Campaign{Name: "Copy"}, 0, `has the name "Copy" already: 01JSALE (Draft)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.campaign.ID = "01JSALE"
			if c.campaign.Name == "" {
				c.campaign.Name = "Sale"
			}
			s := newStage(t, simulator.Options{}, c.campaign)
			s.options.Clone = "Copy"
			out, exit, err := s.send(t, annApplied+boApplied+s.aReport(2))
			all := s.Campaigns()
			campaign, _ := campaignOf(t, out)
			if len(all) != 1+c.clones || all[0].Posts != 0 || campaign.ID != all[len(all)-1].ID {
				t.Fatalf("%+v, campaign %+v", all, campaign)
			}
			if c.want != "" {
				if exit != 1 || err == nil || !strings.Contains(err.Error(), c.want) || all[len(all)-1].Posts != 0 {
					t.Errorf("exit %d, %v, %+v", exit, err, all)
				}
			} else if exit != 0 || all[1].Sends != 1 || !cmp.Equal(all[1].Included, []string{s.list}) ||
				!cmp.Equal(all[1].Excluded, all[0].Excluded) || len(all[1].Recipients) != 2 {
				t.Errorf("exit %d, %v, %+v", exit, err, all)
			}
			told := fmt.Sprintf(`cloned campaign "Sale" (01JSALE) as "Copy" (%s)`, all[len(all)-1].ID)
			if c.clones == 1 && (len(s.told) == 0 || s.told[0] != told) {
				t.Errorf("told %q", s.told)
			}
		})
	}
}

// postFaults puts a fault on the one request that sends a campaign.
func postFaults(f simulator.Fault) simulator.Options {
	f.On, f.Times = "POST /api/campaign-send-jobs", -1
	return simulator.Options{Plan: &simulator.Plan{Faults: []simulator.Fault{f}}}
}

// After a lost answer the job and the campaign decide what is said: that it is sent, or that nobody knows. Klaviyo's
// refusal is told in its words. Nothing is ever posted twice, also when the results are sent again.
func TestSendOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, status, want string
		fault              simulator.Fault
		exit, sends        int
		again              int // exit status with --again
	}{
		{name: "lost after the effect", status: "Sent", fault: simulator.Fault{Do: "lose"}, sends: 1, again: 1},
		{name: "cut off after the effect", status: "Sent", fault: simulator.Fault{Do: "reset", Processed: true}, sends: 1,
			again: 1},
		{name: "lost before the effect", status: "unknown", fault: simulator.Fault{Do: "reset"}, exit: 4, again: 4,
			want: "the campaign is a draft without a send job, but it may still be sent"},
		{name: "an outage", status: "unknown", fault: simulator.Fault{Do: "status", Status: 503}, exit: 4, again: 4,
			want: "HTTP 503"},
		{name: "throttled", status: "not_sent", fault: simulator.Fault{Do: "throttle"}, exit: 4, again: 4,
			want: "throttled by Klaviyo"},
		{name: "a firewall", status: "not_sent", fault: simulator.Fault{Do: "challenge"}, exit: 4, again: 4,
			want: "a firewall stopped the request"},
		{name: "refused", status: "not_sent", fault: simulator.Fault{Do: "status", Status: 400, Detail: "No sender."},
			exit: 1, again: 1, want: "Klaviyo did not accept the campaign: send campaign \"01JSALE\": HTTP 400: No sender."},
		{name: "a key without the scope", status: "not_sent", fault: simulator.Fault{Do: "status", Status: 403},
			exit: 1, again: 1, want: "Klaviyo did not accept the campaign"},
		{name: "redirected", status: "not_sent", fault: simulator.Fault{Do: "redirect", To: "http://127.0.0.1:1/"},
			exit: 2, again: 2, want: "redirects are not followed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, postFaults(c.fault), sale)
			s.options.WaitTimeout = 6 * time.Second // a slow machine has half of it for the last look-up
			in := annApplied + boApplied + s.aReport(2)
			out, exit, err := s.send(t, in)
			campaign, _ := campaignOf(t, out)
			status := strings.Replace(campaign.Status, "Sending", "Sent", 1)
			if exit != c.exit || status != c.status || err != nil && !strings.Contains(err.Error(), c.want) ||
				(err == nil) != (c.want == "") || err != nil && Hint(err) == "" {
				t.Errorf("exit %d, status %s, %v", exit, campaign.Status, err)
			}
			if strings.Count(out, saleSent) != 1 {
				t.Errorf("output %s", out)
			}
			posts := func() (n int) {
				for name, times := range s.Requests() {
					if strings.HasPrefix(name, "POST /api/campaign-send-jobs") {
						n += times
					}
				}
				return n
			}
			if _, exit, _ := s.send(t, out); exit != 1 || posts() != 1 {
				t.Errorf("sent again: exit %d, %d posts", exit, posts())
			}
			s.options.Again = true
			_, exit, _ = s.send(t, out)
			if state := s.Campaigns()[0]; exit != c.again || state.Sends != c.sends || posts() != 2-c.sends {
				t.Errorf("with --again: exit %d, %+v, %d posts", exit, state, posts())
			}
		})
	}
}

// A campaign that Klaviyo cancels, and one of which it does not say how it goes, are no success.
func TestSendEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		becomes    []string
		exit       int
		want, hint string
	}{
		{[]string{"Preparing to send", "Cancelled: No Recipients"}, 1, `its status is "Cancelled: No Recipients"`, "look at"},
		{[]string{"Preparing to send"}, 3, `within 3s, Klaviyo did not say how campaign "Sale" (01JSALE) goes`,
			"do not send"},
	} {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, simulator.Options{}, simulator.Campaign{ID: "01JSALE", Name: "Sale", Becomes: c.becomes})
			if c.exit == 3 {
				s.options.WaitTimeout = 3 * time.Second
			}
			out, exit, err := s.send(t, annApplied+boApplied+s.aReport(2))
			campaign, _ := campaignOf(t, out)
			if exit != c.exit || err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(Hint(err), c.hint) ||
				campaign.Status != c.becomes[len(c.becomes)-1] {
				t.Errorf("exit %d, %v, %+v", exit, err, campaign)
			}
		})
	}
}

// brokenAt is an output that fails from the line with a text on.
type brokenAt struct {
	text  string
	wrote bytes.Buffer
}

func (b *brokenAt) Write(p []byte) (int, error) {
	if at := bytes.Index(p, []byte(b.text)); at >= 0 {
		b.wrote.Write(p[:at])
		return at, io.ErrClosedPipe
	}
	return b.wrote.Write(p)
}

// When the campaign's line cannot be written, nothing is sent. When only the report cannot be written, the error says
// that the campaign was sent.
func TestSendNeedsItsOutput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, want string
		sends      int
	}{
		{`"row":2`, "nothing was sent", 0}, {`"type":"campaign"`, "nothing was sent", 0},
		{`"type":"report"`, "campaign 01JSALE: Sen", 1},
	} {
		s := newStage(t, simulator.Options{}, sale)
		out := &brokenAt{text: c.text}
		exit, err := Send(t.Context(), t.Context(), s.options, strings.NewReader(annApplied+boApplied+s.aReport(2)), out)
		if exit != 2 || err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: exit %d, %v", c.text, exit, err)
		}
		if n := s.Campaigns()[0].Posts; n != c.sends {
			t.Errorf("%s: %d posts", c.text, n)
		}
	}
}

// A file is read and written as a pipe is.
func TestSendWithFiles(t *testing.T) {
	t.Parallel()
	s := newStage(t, simulator.Options{}, sale)
	name := filepath.Join(t.TempDir(), "results")
	text := annApplied + boApplied + s.aReport(2)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(name + ".out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if exit, err := Send(t.Context(), t.Context(), s.options, in, out); exit != 0 || err != nil {
		t.Error(exit, err)
	}
	got, _ := os.ReadFile(name + ".out")
	if !strings.HasPrefix(string(got), annApplied+boApplied+saleSent+`{"type":"report"`) {
		t.Errorf("%s", got)
	}
}

// A bad key sends nothing, and no line is lost.
func TestSendWithABadKey(t *testing.T) {
	t.Parallel()
	s := newStage(t, simulator.Options{}, sale)
	s.options.BadKey = errors.New("no API key")
	in := annApplied + boApplied + s.aReport(2)
	out, exit, err := s.send(t, in)
	if _, rest := campaignOf(t, out); exit != 2 || err == nil || rest != in || len(s.Requests()) != 0 {
		t.Errorf("exit %d, %v, %v, %s", exit, err, s.Requests(), cmp.Diff(in, rest))
	}
}

// A first signal keeps the campaign from being sent, but all results that still come are passed on. A second one ends
// the reading.
func TestSendIsInterrupted(t *testing.T) {
	t.Parallel()
	s := newStage(t, simulator.Options{}, sale)
	signal := &Interrupted{Signal: "SIGINT", ExitCode: 130}
	ctx, cancel := context.WithCancelCause(t.Context())
	in, results := io.Pipe()
	rep := s.aReport(2)
	go func() { // ends with the results
		_, _ = io.WriteString(results, annApplied)
		cancel(signal)
		_, _ = io.WriteString(results, boApplied+rep)
		_ = results.Close()
	}()
	var out bytes.Buffer
	exit, err := Send(ctx, t.Context(), s.options, in, &out)
	campaign, rest := campaignOf(t, out.String())
	if exit != 130 || err == nil || rest != annApplied+boApplied+rep || campaign.Status != "not_sent" {
		t.Errorf("exit %d, %v, %s", exit, err, out.String())
	}

	quit, abandon := context.WithCancel(t.Context())
	in, results = io.Pipe()
	defer results.Close()
	go func() { _, _ = io.WriteString(results, annApplied) }() // ends when its line is read
	out.Reset()
	passed := writer(func(p []byte) (int, error) {
		defer abandon()
		return out.Write(p)
	})
	exit, err = Send(ctx, quit, s.options, in, passed)
	if exit != 130 || err == nil || out.String() != annApplied {
		t.Errorf("exit %d, %v, %s", exit, err, out.String())
	}
	if n := s.Campaigns()[0].Posts; n != 0 {
		t.Errorf("%d posts", n)
	}
}

// A draft that has a send job may be on its way, so it is not sent.
func TestSendNeedsNoSendJob(t *testing.T) {
	t.Parallel()
	s := newStage(t, simulator.Options{}, simulator.Campaign{ID: "01JSALE", Name: "Sale", Becomes: []string{"Draft"}})
	if err := s.options.Client.SendCampaign(t.Context(), "01JSALE"); err != nil {
		t.Fatal(err)
	}
	_, exit, err := s.send(t, annApplied+boApplied+s.aReport(2))
	if exit != 1 || err == nil || !strings.Contains(err.Error(), "has a send job already (complete)") {
		t.Errorf("exit %d, %v", exit, err)
	}
	if state := s.Campaigns()[0]; state.Posts != 1 {
		t.Errorf("%+v", state)
	}
}

// A campaign that changes while its recipients are estimated is not sent.
func TestSendLooksAgain(t *testing.T) {
	t.Parallel()
	var s *stage
	var changed atomic.Bool
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if strings.HasPrefix(r.URL.Path, "/api/campaign-recipient-estimations/") && !changed.Swap(true) {
				_ = newClient(t, &sink.Options{BaseURL: "http://" + r.Host, Concurrency: 1}).SendCampaign(t.Context(), "01JSALE")
			}
		})
	}
	// The estimate comes at once, so that the change is after it.
	s = newStage(t, simulator.Options{Wrap: wrap}, simulator.Campaign{ID: "01JSALE", Name: "Sale",
		EstimateAfter: time.Nanosecond})
	_, exit, err := s.send(t, annApplied+boApplied+s.aReport(2))
	if state := s.Campaigns()[0]; exit != 1 || err == nil || state.Posts != 1 {
		t.Errorf("exit %d, %v, %+v", exit, err, state)
	}
}
