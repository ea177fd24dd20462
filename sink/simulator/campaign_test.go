package simulator_test

import (
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

const (
	sendJobs   = "/api/campaign-send-jobs"
	estimating = "/api/campaign-recipient-estimation-jobs"
	estimates  = "/api/campaign-recipient-estimations"
)

// about is the body that names a campaign alone.
func about(kind, id string) string { return `{"data":{"type":"` + kind + `","id":"` + id + `"}}` }

// A campaign goes through its statuses after one send job, and a second send job is refused. Whoever cannot be sent
// mail or is on an excluded list is no recipient, and nobody is one twice.
func TestCampaignIsSentOnce(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	for _, p := range []simulator.Profile{
		{Email: "ann@example.org", Lists: []string{"News", "VIP"}}, {Email: "bob@example.org", Lists: []string{"VIP"}},
		{Email: "cy@example.org", Lists: []string{"News"}, Consent: "UNSUBSCRIBED"},
		{Email: "dee@example.org", Lists: []string{"News"}, Suppression: "HARD_BOUNCE"},
		{Email: "eve@example.org", Lists: []string{"News", "Staff"}}, {Phone: "+4915112345678", Lists: []string{"News"}},
	} {
		c.Add(p)
	}
	id := c.AddCampaign(simulator.Campaign{Name: "Sale", Lists: []string{"News", "VIP"}, Excluded: []string{"Staff"}})
	c.want(404, "GET", sendJobs+"/"+id, "")
	same(t, "send job", c.want(202, "POST", sendJobs, about("campaign-send-job", id)).each("status"), []any{"queued"})
	for _, want := range []struct{ campaign, job string }{
		{"Preparing to send", "queued"}, {"Sending", "processing"}, {"Sent", "complete"}, {"Sent", "complete"},
	} {
		same(t, "campaign", c.want(200, "GET", "/api/campaigns/"+id, "").each("status"), []any{want.campaign})
		same(t, "send job", c.want(200, "GET", sendJobs+"/"+id, "").each("status"), []any{want.job})
		now.pass(time.Second)
	}
	c.want(400, "POST", sendJobs, about("campaign-send-job", id))
	state := c.Campaigns()[0]
	same(t, "recipients", state.Recipients, []string{"ann@example.org", "bob@example.org"})
	same(t, "sends and posts", []int{state.Sends, state.Posts}, []int{1, 2})
	text := c.do("GET", "/simulator/campaigns", "", "Authorization", "").body
	if !strings.HasPrefix(text, "[\n"+`{"id":"`+id+`","name":"Sale","status":"Sent","included":["`) ||
		!strings.Contains(text, `"sends":1,"posts":2,"recipients":["ann@example.org","bob@example.org"]}`) {
		t.Errorf("/simulator/campaigns: %s", text)
	}
}

// A send job ends as the campaign's time, its recipients and its plan say.
func TestCampaignEnds(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	c.Add(simulator.Profile{Email: "ann@example.org", Lists: []string{"News"}})
	news := []string{"News"}
	for _, test := range []struct {
		campaign      simulator.Campaign
		status, ended string
	}{
		{simulator.Campaign{Name: "later", Lists: news, Strategy: "static", SendIn: time.Hour}, "Scheduled", "complete"},
		{simulator.Campaign{Name: "past", Lists: news, Strategy: "static", SendIn: -time.Hour}, "Sent", "complete"},
		{simulator.Campaign{Name: "nobody", Lists: []string{"Empty"}}, "Cancelled: No Recipients", "cancelled"},
		{simulator.Campaign{Name: "smart", Lists: news, Becomes: []string{"Sending", "Cancelled: Smart Sending"}},
			"Cancelled: Smart Sending", "cancelled"},
	} {
		id := c.AddCampaign(test.campaign)
		c.want(202, "POST", sendJobs, about("campaign-send-job", id))
		now.pass(3 * time.Second)
		same(t, test.campaign.Name, c.want(200, "GET", "/api/campaigns/"+id, "").each("status"), []any{test.status})
		same(t, test.campaign.Name, c.want(200, "GET", sendJobs+"/"+id, "").each("status"), []any{test.ended})
	}
}

// A send job for a campaign that cannot be sent is refused with a pointer to its id, and an unknown id has its own
// words.
func TestSendJobRefused(t *testing.T) {
	c := start(t, simulator.Options{})
	for _, campaign := range []simulator.Campaign{
		{Name: "Sent", Lists: []string{"News"}, Status: "Sent"},
		{Name: "No template", Lists: []string{"News"}, Lacks: []string{"template"}}, {Name: "No audience"},
	} {
		id := c.AddCampaign(campaign)
		r := c.do("POST", sendJobs, about("campaign-send-job", id))
		if r.status != 400 || !strings.Contains(r.body, `"code":"invalid"`) ||
			!strings.Contains(r.body, `"source":{"pointer":"/data/id"}`) {
			t.Errorf("%s: %d %s", campaign.Name, r.status, r.body)
		}
	}
	r := c.do("POST", sendJobs, about("campaign-send-job", "NOPE01"))
	if r.status != 404 || !strings.Contains(r.body, `"detail":"A campaign with id 'NOPE01' does not exist."`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, state := range c.Campaigns() {
		same(t, state.Name, []int{state.Sends, state.Posts}, []int{0, 1})
	}
	same(t, "template", string(c.want(200, "GET", "/api/campaign-messages/"+message(c, 1)+"/template", "").Data), "null")
}

// message returns the id of the first message of one of the campaigns.
func message(c *client, n int) string {
	text := c.do("GET", "/api/campaigns/"+c.Campaigns()[n].ID, "").body
	_, rest, _ := strings.Cut(text, `"type":"campaign-message","id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// A clone is a draft of its own, with the source's audiences and new messages. PATCH changes the audience of a draft
// alone. Campaigns are found by a part of their name and their channel, which Klaviyo asks for.
func TestCampaignClones(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	source := c.AddCampaign(simulator.Campaign{Name: "Sale", Status: "Sent", Lists: []string{"News"}, Strategy: "static",
		SendIn: -time.Hour})
	c.AddCampaign(simulator.Campaign{Name: "Sale by SMS", Channel: "sms", Lists: []string{"News"}})
	news, vip := c.Campaigns()[0].Included[0], c.AddList("VIP", "single_opt_in")
	now.pass(time.Hour)
	clone := c.want(201, "POST", "/api/campaign-clone", `{"data":{"type":"campaign","id":"`+source+
		`","attributes":{"new_name":"Winter sale"}}}`)
	id := clone.resources[0].ID
	same(t, "status", clone.each("status"), []any{"Draft"})
	same(t, "audiences", clone.each("audiences"), []any{map[string]any{"included": []any{news}, "excluded": []any{}}})
	same(t, "strategy", clone.each("send_strategy"), []any{map[string]any{
		"method": "static", "datetime": "2026-09-04T14:40:00+00:00", "options": map[string]any{"is_local": false},
	}})
	if message(c, 0) == message(c, 2) {
		t.Error("the clone has the source's message")
	}
	patch := func(id string) string {
		return `{"data":{"type":"campaign","id":"` + id + `","attributes":{"audiences":{"included":["` + vip + `"]}}}}`
	}
	same(t, "audiences", c.want(200, "PATCH", "/api/campaigns/"+id, patch(id)).each("audiences"),
		[]any{map[string]any{"included": []any{vip}, "excluded": []any{}}})
	c.want(400, "PATCH", "/api/campaigns/"+source, patch(source))
	c.want(400, "PATCH", "/api/campaigns/"+id, strings.Replace(patch(id), vip, "NOPE01", 1))
	c.want(404, "PATCH", "/api/campaigns/NOPE01", patch("NOPE01"))
	c.want(404, "POST", "/api/campaign-clone", `{"data":{"type":"campaign","id":"NOPE01","attributes":{}}}`)

	found := func(filter string) []any {
		return c.want(200, "GET", "/api/campaigns"+query("filter", filter), "").each("name")
	}
	same(t, "by name", found(`and(equals(messages.channel,"email"),contains(name,"sale"))`), []any{"Sale", "Winter sale"})
	same(t, "by channel", found(`equals(messages.channel,"sms")`), []any{"Sale by SMS"})
	c.want(400, "GET", "/api/campaigns", "")
	c.want(400, "GET", "/api/campaigns"+query("filter", `contains(name,"sale")`), "")
}

// An estimation comes late: first neither the job nor the count is known, then the job is complete, then the count is
// there. A new one takes as long again, and some never end.
func TestEstimationIsLate(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	c.Add(simulator.Profile{Email: "ann@example.org", Lists: []string{"News"}})
	id := c.AddCampaign(simulator.Campaign{Name: "Sale", Lists: []string{"News"}, EstimateAfter: 3 * time.Second})
	never := c.AddCampaign(simulator.Campaign{Name: "Never", Lists: []string{"News"}, NoEstimate: true})
	many := 7000
	fixed := c.AddCampaign(simulator.Campaign{Name: "Fixed", Lists: []string{"News"}, Recipients: &many})
	c.want(404, "GET", estimates+"/"+id, "")
	for range 2 {
		for _, id := range []string{id, never, fixed} {
			same(t, "asked", c.want(202, "POST", estimating, about("campaign-recipient-estimation-job", id)).each("status"),
				[]any{"processing"})
		}
		r := c.do("GET", estimating+"/"+id, "")
		if !strings.Contains(r.body, "No results or results were out of date. Schedule a new estimation.") {
			t.Error(r.body)
		}
		now.pass(time.Second)
		same(t, "after a second", c.want(200, "GET", estimating+"/"+id, "").each("status"), []any{"processing"})
		now.pass(time.Second)
		same(t, "after two seconds", c.want(200, "GET", estimating+"/"+id, "").each("status"), []any{"complete"})
		c.want(404, "GET", estimates+"/"+id, "")
		now.pass(time.Second)
		same(t, "count", c.want(200, "GET", estimates+"/"+id, "").each("estimated_recipient_count"), []any{1.})
		same(t, "count", c.want(200, "GET", estimates+"/"+fixed, "").each("estimated_recipient_count"), []any{7000.})
		c.want(404, "GET", estimates+"/"+never, "")
		c.want(404, "GET", estimating+"/"+never, "")
	}
	for _, path := range []string{estimates, estimating, "/api/campaigns"} {
		c.want(404, "GET", path+"/NOPE01", "")
	}
	c.want(404, "POST", estimating, about("campaign-recipient-estimation-job", "NOPE01"))
	c.want(404, "GET", "/api/campaign-messages/NOPE01/template", "")
}

// A wrong body changes nothing, whatever is wrong with it.
func TestCampaignBodies(t *testing.T) {
	c := startBare(t, simulator.Options{})
	id := c.AddCampaign(simulator.Campaign{ID: "SALE", Name: "Sale", Lists: []string{"News"}})
	before := c.do("GET", "/api/campaigns/"+id, "").body
	for _, test := range []struct{ method, path, body string }{
		{"POST", sendJobs, ``}, {"POST", sendJobs, `[]`}, {"POST", sendJobs, `{"data":5}`}, {"POST", sendJobs, `{"date":{}}`},
		{"POST", sendJobs, `{}`}, {"POST", sendJobs, `{"data":{"type":"campaign-send-job","id":5}}`},
		{"POST", sendJobs, about("campaign", id)}, {"POST", estimating, about("campaign-send-job", id)},
		{"POST", sendJobs, `{"data":{"type":"campaign-send-job","id":"SALE","attributes":{}}}`},
		{"POST", "/api/campaign-clone", `{"data":{"type":"campaign","id":"SALE","attributes":{"name":"x"}}}`},
		{"POST", "/api/campaign-clone", `{"data":{"type":"campaign","id":"SALE","attributes":{"new_name":" "}}}`},
		{"POST", "/api/campaign-clone", `{"data":{"type":"campaign","attributes":{}}}`},
		{"PATCH", "/api/campaigns/SALE", `{"data":{"type":"campaign","id":"X","attributes":{"name":"x"}}}`},
		{"PATCH", "/api/campaigns/SALE", `{"data":{"type":"campaign","id":"SALE","attributes":{"name":""}}}`},
		{"PATCH", "/api/campaigns/SALE", `{"data":{"type":"campaign","id":"SALE","attributes":{"title":"x"}}}`},
		{"PATCH", "/api/campaigns/SALE", `{"data":{"type":"campaign","id":"SALE","attributes":{"send_options":{}}}}`},
		{"PATCH", "/api/campaigns/SALE", `{"data":{"type":"campaign","id":"SALE","attributes":{"audiences":[]}}}`},
		{"PATCH", "/api/campaigns/SALE", `{"data":{"type":"campaign","id":"SALE","attributes":{"audiences":{"all":[]}}}}`},
		{"PATCH", "/api/campaigns/SALE",
			`{"data":{"type":"campaign","id":"SALE","attributes":{"audiences":{"included":[5]}}}}`},
	} {
		if r := c.do(test.method, test.path, test.body); r.status != 400 && r.status != 415 {
			t.Errorf("%s %s %s: %d %s", test.method, test.path, test.body, r.status, r.body)
		}
	}
	same(t, "campaign", c.do("GET", "/api/campaigns/"+id, "").body, before)
	same(t, "campaigns", len(c.Campaigns()), 1)
}

// Campaigns of other channels and strategies have answers that agree with the description.
func TestCampaignForms(t *testing.T) {
	c := start(t, simulator.Options{})
	for _, p := range []simulator.Campaign{
		{Name: "a", Channel: "sms"}, {Name: "b", Channel: "mobile_push"}, {Name: "c", Strategy: "throttled"},
		{Name: "d", Strategy: "smart_send_time"}, {Name: "e", Strategy: "ab_test_campaign"},
		{Name: "f", Strategy: "unsupported"}, {Name: "g", Lacks: []string{"subject", "from_email"}},
		{Name: "h", IgnoreUnsubscribes: true}, {Name: "i", Messages: 3}, {Name: "j", Status: "Cancelled: Billing Limit"},
	} {
		c.want(200, "GET", "/api/campaigns/"+c.AddCampaign(p)+"?include=campaign-messages", "")
	}
	sparse := c.do("GET", "/api/campaigns/"+c.Campaigns()[7].ID+"?include=campaign-messages"+
		"&fields[campaign]=audiences.included&fields[campaign-message]=definition.content.subject", "").body
	for _, want := range []string{
		`"attributes":{"audiences":{"included":[]}}`, `"attributes":{"definition":{"content":{"subject":"About h"}}}`,
	} {
		if !strings.Contains(sparse, want) {
			t.Errorf("no %s in %s", want, sparse)
		}
	}
}
