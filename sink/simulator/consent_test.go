package simulator_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

const (
	subscribePath   = "/api/profile-subscription-bulk-create-jobs"
	unsubscribePath = "/api/profile-subscription-bulk-delete-jobs"
	consentPointer  = "/data/attributes/profiles/data/"
)

// leaves are the consents of channels as a request has them.
func leaves(word, at string, channels ...string) string {
	if at != "" {
		at = fmt.Sprintf(`,"consented_at":%q`, at)
	}
	media := map[string][]string{}
	for _, channel := range channels {
		medium, kind, _ := strings.Cut(channel, "/")
		media[medium] = append(media[medium], fmt.Sprintf(`%q:{"consent":%q%s}`, kind, word, at))
	}
	var all []string
	for _, medium := range slices.Sorted(maps.Keys(media)) {
		all = append(all, fmt.Sprintf(`%q:{%s}`, medium, strings.Join(media[medium], ",")))
	}
	return `"subscriptions":{` + strings.Join(all, ",") + `}`
}

// the consents of one channel
var (
	mail    = leaves("SUBSCRIBED", "", "email/marketing")
	texts   = leaves("SUBSCRIBED", "", "sms/marketing")
	notices = leaves("SUBSCRIBED", "", "sms/transactional")
	noMail  = leaves("UNSUBSCRIBED", "", "email/marketing")
	noTexts = leaves("UNSUBSCRIBED", "", "sms/marketing")
)

// consentBody is a request for rows of attributes. list is "" for none, and more are attributes of the request.
func consentBody(path, list, more string, rows ...string) string {
	kind := strings.TrimSuffix(strings.TrimPrefix(path, "/api/"), "s")
	for i, row := range rows {
		rows[i] = `{"type":"profile","attributes":{` + row + `}}`
	}
	if list != "" {
		list = `,"relationships":{"list":{"data":{"type":"list","id":"` + list + `"}}}`
	}
	return `{"data":{"type":"` + kind + `","attributes":{"profiles":{"data":[` + strings.Join(rows, ",") + `]}` + more +
		`}` + list + `}}`
}

// consent sends a request that is accepted.
func (c *client) consent(path, list, more string, rows ...string) reply {
	c.t.Helper()
	r := c.do("POST", path, consentBody(path, list, more, rows...))
	if r.status != 202 || r.body != "" || r.header.Get("Content-Type") != "" {
		c.t.Fatalf("%d %q %s", r.status, r.header.Get("Content-Type"), r.body)
	}
	return r
}

// shown returns what the API shows of the consent of each profile that a filter finds, in few words.
func (c *client) shown(filter string) (all []string) {
	c.t.Helper()
	path := "/api/profiles" + query("filter", filter, "additional-fields[profile]", "subscriptions")
	for _, r := range c.want(200, "GET", path, "").resources {
		all = append(all, consentText(r.Attributes["subscriptions"].(map[string]any)))
	}
	return all
}

func (c *client) shownOf(email string) string {
	c.t.Helper()
	return strings.Join(c.shown(`equals(email,"`+email+`")`), "; ")
}

// consentText writes the channels that are not as at first, with their times as seconds after the clock's start.
func consentText(subscriptions map[string]any) string {
	var parts []string
	for _, path := range []string{"email/marketing", "sms/marketing", "sms/transactional"} {
		medium, kind, _ := strings.Cut(path, "/")
		one := subscriptions[medium].(map[string]any)[kind].(map[string]any)
		text := path
		if state := one["consent"].(string); state != "NEVER_SUBSCRIBED" {
			text += " " + state
		}
		for _, name := range []string{"consent_timestamp", "last_updated"} {
			if at, ok := one[name].(string); ok {
				text += " " + since(at)
			}
		}
		for _, name := range []string{"custom_method_detail", "double_optin"} {
			if v := one[name]; v != nil {
				text += fmt.Sprint(" ", v)
			}
		}
		for _, name := range []string{"suppression", "list_suppressions"} {
			all, _ := one[name].([]any)
			for _, s := range all {
				m := s.(map[string]any)
				text += fmt.Sprint(" ", name, " ", m["reason"], " ", since(m["timestamp"].(string)))
			}
		}
		for name, v := range one {
			if strings.HasPrefix(name, "can_receive") && v == true {
				text += " receives"
			}
		}
		if text != path && text != path+" receives" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}

// since writes a time as seconds after the clock's start, or as a date.
func since(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	if d := at.Sub(newClock().now()); d >= 0 {
		return fmt.Sprint(d)
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}

// A consent shows after its time, with the times and the source of the request, and puts the person on the list. A
// request for somebody unknown creates the profile.
func TestSubscribe(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Ledger: true, Consent: simulator.Consent{Time: 2 * time.Second}})
	list := c.AddList("News", "single_opt_in")
	c.AddProfile("a@example.org")
	now.pass(time.Second)
	c.consent(subscribePath, list, `,"custom_source":"Shop"`, `"email":"a@example.org",`+mail,
		`"email":"b@example.org","phone_number":"+4915112345678",`+
			leaves("SUBSCRIBED", "", "email/marketing", "sms/marketing", "sms/transactional"),
		`"email":"c@example.org","phone_number":"+4915112345679",`+texts,
		`"phone_number":"+4915112345670",`+notices)
	now.pass(2*time.Second - time.Nanosecond)
	same(t, "too early", c.shown(`any(email,["a@example.org","b@example.org"])`), []string{""})
	now.pass(time.Nanosecond)
	same(t, "a", c.shownOf("a@example.org"), "email/marketing SUBSCRIBED 1s 3s Shop false receives")
	same(t, "b", c.shownOf("b@example.org"), "email/marketing SUBSCRIBED 1s 3s Shop false receives, "+
		"sms/marketing SUBSCRIBED 1s 3s receives, sms/transactional SUBSCRIBED 1s 3s receives")
	same(t, "an email without a channel is only written", c.shownOf("c@example.org"),
		"sms/marketing SUBSCRIBED 1s 3s receives")
	same(t, "transactional messages", c.shown(`equals(phone_number,"+4915112345670")`),
		[]string{"sms/transactional SUBSCRIBED 1s 3s receives"})
	same(t, "members", c.Members(list), []string{"a@example.org", "b@example.org", "c@example.org"})
	members := c.want(200, "GET", "/api/lists/"+list+"/profiles"+query("additional-fields[profile]", "subscriptions"), "")
	same(t, "as a member", consentText(members.resources[0].Attributes["subscriptions"].(map[string]any)),
		"email/marketing SUBSCRIBED 1s 3s Shop false receives")
	var entries []string
	for _, e := range c.Ledger() {
		same(t, "call", e.Call, 1)
		same(t, "time", e.At, now.now())
		entries = append(entries, fmt.Sprint(e.Row, " ", e.Change, " ", e.Email, " ", e.List == list))
	}
	same(t, "ledger", entries, []string{
		"1 subscribed email a@example.org true", "1 joined a@example.org true",
		"2 created b@example.org false", "2 subscribed email b@example.org true", "2 subscribed sms b@example.org true",
		"2 subscribed sms-transactional b@example.org true", "2 joined b@example.org true",
		"3 created c@example.org false", "3 subscribed sms c@example.org true", "3 joined c@example.org true",
		"4 created  false", "4 subscribed sms-transactional  true",
	})

	now.pass(time.Hour)
	c.consent(subscribePath, "", `,"custom_source":"Other","historical_import":true`,
		`"email":"a@example.org",`+leaves("SUBSCRIBED", "2020-01-01T00:00:00Z", "email/marketing"))
	now.pass(time.Hour)
	same(t, "who is subscribed keeps the consent", c.shownOf("a@example.org"),
		"email/marketing SUBSCRIBED 1s 3s Shop false receives")
}

// A historical consent has its own time, not before 1990, and nobody has to confirm it.
func TestSubscribeHistorical(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("News", "double_opt_in")
	c.consent(subscribePath, list, `,"historical_import":true`,
		`"email":"a@example.org",`+leaves("SUBSCRIBED", "2020-05-01T12:00:00+02:00", "email/marketing"),
		`"email":"b@example.org",`+leaves("SUBSCRIBED", "1970-01-01T00:00:00Z", "email/marketing"))
	now.pass(time.Second)
	same(t, "a", c.shownOf("a@example.org"), "email/marketing SUBSCRIBED 2020-05-01T10:00:00Z 1s false receives")
	same(t, "b", c.shownOf("b@example.org"), "email/marketing SUBSCRIBED 1990-01-01T00:00:00Z 1s false receives")
	same(t, "members", c.Members(list), []string{"a@example.org", "b@example.org"})
}

// Double opt-in shows nothing until the person confirms, which is possible for 72 hours. Transactional messages need no
// confirmation.
func TestDoubleOptIn(t *testing.T) {
	for _, onList := range []bool{true, false} {
		now := newClock()
		c := start(t, simulator.Options{Now: now.now})
		list, named := c.AddList("News", "double_opt_in"), ""
		if onList {
			named = list
		}
		c.consent(subscribePath, named, `,"custom_source":"Shop"`, `"email":"a@example.org",`+mail,
			`"email":"b@example.org","phone_number":"+4915112345678",`+
				leaves("SUBSCRIBED", "", "email/marketing", "sms/transactional"),
			`"email":"late@example.org",`+mail)
		now.pass(time.Hour)
		same(t, "nobody", c.shown(`any(email,["a@example.org","late@example.org"])`), []string(nil))
		same(t, "transactional", c.shownOf("b@example.org"), "sms/transactional SUBSCRIBED 0s 1s receives")
		same(t, "members", c.Members(list), []string(nil))
		same(t, "over HTTP", c.do("POST", "/simulator/confirm?identifier=a@example.org", "", "Authorization", "").body,
			`{"confirmed":1}`+"\n")
		same(t, "somebody else", c.Confirm("x@example.org")+c.Confirm(""), 0)
		same(t, "b", c.Confirm("+4915112345678"), 1)
		same(t, "again", c.Confirm("b@example.org"), 0)
		same(t, "a", c.shownOf("a@example.org"), "email/marketing SUBSCRIBED 0s 1h0m0s Shop true receives")
		same(t, "b", c.shownOf("b@example.org"), "email/marketing SUBSCRIBED 0s 1h0m0s Shop true receives, "+
			"sms/transactional SUBSCRIBED 0s 1s receives")
		want := []string(nil)
		if onList {
			want = []string{"a@example.org", "b@example.org"}
		}
		same(t, "members", c.Members(list), want)
		now.pass(72 * time.Hour)
		same(t, "too late", c.Confirm("late@example.org"), 0)
	}
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Consent: simulator.Consent{SingleOptIn: true}})
	c.consent(subscribePath, "", "", `"email":"a@example.org",`+mail)
	now.pass(time.Second)
	same(t, "the account's default", c.shownOf("a@example.org"), "email/marketing SUBSCRIBED 0s 1s false receives")
}

// A member who unsubscribes from a list leaves it, and is unsubscribed everywhere by the account's default. Otherwise
// the list alone is suppressed. Who is no member is unsubscribed everywhere in any case.
func TestUnsubscribe(t *testing.T) {
	for _, listAlone := range []bool{false, true} {
		now := newClock()
		c := start(t, simulator.Options{Now: now.now, Ledger: true, Consent: simulator.Consent{ListUnsubscribe: listAlone}})
		list, other := c.AddList("News", "single_opt_in"), c.AddList("Other", "single_opt_in")
		for _, l := range []string{list, other} {
			c.consent(subscribePath, l, "", `"email":"a@example.org",`+mail)
		}
		c.consent(subscribePath, other, "", `"email":"b@example.org",`+mail,
			`"email":"c@example.org","phone_number":"+4915112345678",`+
				leaves("SUBSCRIBED", "", "email/marketing", "sms/marketing", "sms/transactional"))
		now.pass(time.Second)
		before := len(c.Ledger())
		c.consent(unsubscribePath, list, "", `"email":"a@example.org",`+noMail, `"email":"b@example.org",`+noMail,
			`"phone_number":"+4915112345678",`+noTexts, `"email":"new@example.org",`+noMail)
		now.pass(time.Second)
		everywhere := "email/marketing UNSUBSCRIBED 0s 2s false suppression UNSUBSCRIBE 2s"
		a, change := everywhere, "unsubscribed"
		if listAlone {
			a, change = "email/marketing SUBSCRIBED 0s 2s false list_suppressions UNSUBSCRIBE 2s receives", "left_list"
		}
		same(t, "a", c.shownOf("a@example.org"), a)
		same(t, "b", c.shownOf("b@example.org"), everywhere)
		same(t, "c", c.shownOf("c@example.org"), "email/marketing SUBSCRIBED 0s 1s false receives, "+
			"sms/marketing UNSUBSCRIBED 0s 2s, sms/transactional UNSUBSCRIBED 0s 2s")
		same(t, "new", c.shownOf("new@example.org"), "email/marketing UNSUBSCRIBED 2s suppression UNSUBSCRIBE 2s")
		same(t, "members", c.Members(list), []string(nil))
		same(t, "other members", c.Members(other), []string{"a@example.org", "b@example.org", "c@example.org"})
		var entries []string
		for _, e := range c.Ledger()[before:] {
			entries = append(entries, fmt.Sprint(e.Call, " ", e.Row, " ", e.Change, " ", e.Email, " ", e.List == list))
		}
		same(t, "ledger", entries, []string{
			"4 1 " + change + " email a@example.org true", "4 1 left a@example.org true",
			"4 2 unsubscribed email b@example.org true",
			"4 3 unsubscribed sms c@example.org true", "4 3 unsubscribed sms-transactional c@example.org true",
			"4 4 created new@example.org false", "4 4 unsubscribed email new@example.org true",
		})
		c.consent(subscribePath, list, "", `"email":"a@example.org",`+mail)
		now.pass(time.Second)
		a = "email/marketing SUBSCRIBED 2s 3s false receives"
		if listAlone {
			a = "email/marketing SUBSCRIBED 0s 2s false receives"
		}
		same(t, "subscribed again", c.shownOf("a@example.org"), a)

		c.consent(unsubscribePath, "", "", `"email":"a@example.org",`+noMail)
		now.pass(time.Second)
		same(t, "off every list", append(c.Members(list), c.Members(other)...), []string{"b@example.org", "c@example.org"})
	}
}

// A subscribe lifts the suppressions that a person can lift. Who bounced is subscribed and cannot be mailed.
func TestSuppressionsLifted(t *testing.T) {
	now := newClock()
	plan := "consent: {single_opt_in: true}\nprofiles:"
	reasons := map[string]bool{
		"HARD_BOUNCE": false, "INVALID_EMAIL": false, "SPAM_COMPLAINT": true, "UNSUBSCRIBE": true, "USER_SUPPRESSED": true,
	}
	for reason := range reasons {
		plan += fmt.Sprintf("\n- {email: %s@example.org, suppression: %s}", strings.ToLower(reason), reason)
	}
	c := start(t, simulator.Options{Now: now.now, Plan: readPlan(t, plan)})
	for reason, lifted := range reasons {
		email := strings.ToLower(reason) + "@example.org"
		c.consent(unsubscribePath, "", "", `"email":"`+email+`",`+noMail)
		now.pass(time.Second)
		if got := strings.Count(c.shownOf(email), "suppression UNSUBSCRIBE"); got != 1 {
			t.Errorf("%s: %d suppressions by an unsubscribe", reason, got)
		}
		c.consent(subscribePath, "", "", `"email":"`+email+`",`+mail)
		now.pass(time.Second)
		want := " suppression " + reason + " 0s"
		if lifted {
			want = " receives"
		}
		if got := c.shownOf(email); !strings.HasSuffix(got, " false"+want) || !strings.Contains(got, " SUBSCRIBED ") {
			t.Errorf("%s: %s", reason, got)
		}
	}
}

// One bad profile refuses a whole request, and every bad one is named.
func TestConsentRefused(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Consent: simulator.Consent{NoSender: []string{"+44"}}})
	noSMS := start(t, simulator.Options{Now: now.now, Consent: simulator.Consent{NoSMS: true}})
	list := c.AddList("News", "single_opt_in")
	c.consent(unsubscribePath, "", "", `"email":"out@example.org",`+noMail)
	now.pass(time.Second)
	const history = `,"historical_import":true`
	at := func(at string) string { return leaves("SUBSCRIBED", at, "email/marketing") }
	tooMany := slices.Repeat([]string{`"email":"a@example.org",` + mail}, 1001)
	for _, test := range []struct {
		name string
		c    *client
		path string
		body string
		want []string
	}{
		{"bad emails", c, subscribePath, consentBody(subscribePath, list, "", `"email":"a@example.org",`+mail,
			`"email":"nope",`+mail, `"email":"b@",`+mail), []string{
			"invalid " + consentPointer + "1/attributes/email Invalid email address",
			"invalid " + consentPointer + "2/attributes/email Invalid email address",
		}},
		{"an attribute of imports", c, subscribePath, consentBody(subscribePath, list, "",
			`"email":"a@example.org","first_name":"Ann",`+mail), []string{"invalid " + consentPointer + "0/attributes/" +
			"first_name 'first_name' is not a valid field for the resource 'profile'."}},
		{"no subscriptions", c, subscribePath, consentBody(subscribePath, "", "", `"email":"a@example.org"`), []string{
			"invalid " + consentPointer + "0/attributes/subscriptions The subscriptions of a profile are required."}},
		{"no identifier", c, subscribePath, consentBody(subscribePath, "", "", mail), []string{
			"invalid " + consentPointer + "0/attributes At least one identifier is required: id, email or phone_number."}},
		{"no email", c, subscribePath, consentBody(subscribePath, "", "", `"phone_number":"+4915112345678",`+mail), []string{
			"invalid " + consentPointer + "0/attributes/email Email is required for a subscription to email."}},
		{"no phone number", c, subscribePath, consentBody(subscribePath, "", "", `"email":"a@example.org",`+texts), []string{
			"invalid " + consentPointer + "0/attributes/phone_number A phone number is required for a subscription to SMS."}},
		{"a malformed number alone", c, subscribePath, consentBody(subscribePath, "", "", `"phone_number":"+1234",`+texts),
			[]string{"invalid " + consentPointer + "0/attributes/phone_number Invalid phone number format " +
				"(Example of a valid format: +12345678901)"}},
		{"a time without history", c, subscribePath, consentBody(subscribePath, "", "",
			`"email":"a@example.org",`+at("2020-01-01T00:00:00Z")), []string{"invalid " + consentPointer +
			"0/attributes/subscriptions/email/marketing/consented_at consented_at needs historical_import."}},
		{"history without a time, in the future, before an unsubscribe", c, subscribePath,
			consentBody(subscribePath, "", history, `"email":"a@example.org",`+mail,
				`"email":"a@example.org",`+at("2026-09-04T13:40:02Z"), `"email":"OUT@example.org",`+at("2026-09-04T13:40:00Z")),
			[]string{
				"invalid " + consentPointer + "0/attributes/subscriptions/email/marketing/consented_at " +
					"Historical email subscription does not have a valid consented_at timestamp.",
				"invalid " + consentPointer + "1/attributes/subscriptions/email/marketing/consented_at " +
					"Historical email subscription does not have a valid consented_at timestamp.",
				"invalid " + consentPointer + "2/attributes/subscriptions/email/marketing/consented_at " +
					"The profile has unsubscribed after this consented_at timestamp.",
			}},
		{"an unknown list", c, subscribePath, consentBody(subscribePath, "NOPE01", "", `"email":"a@example.org",`+mail),
			[]string{"invalid /data/relationships/list/data/id A list with id NOPE01 does not exist."}},
		{"no profiles", c, subscribePath, consentBody(subscribePath, "", ""),
			[]string{"invalid /data/attributes/profiles/data At least one profile is required."}},
		{"too many", c, subscribePath, consentBody(subscribePath, "", "", tooMany...),
			[]string{"invalid /data/attributes/profiles/data The number of profiles must not be more than 1000."}},
		{"too many to unsubscribe", c, unsubscribePath, consentBody(unsubscribePath, "", "",
			slices.Repeat([]string{`"email":"a@example.org",` + noMail}, 101)...),
			[]string{"invalid /data/attributes/profiles/data The number of profiles must not be more than 100."}},
		{"another word", c, unsubscribePath, consentBody(unsubscribePath, "", "", `"email":"a@example.org",`+mail), []string{
			"invalid " + consentPointer + "0/attributes/subscriptions/email/marketing/consent " +
				"The consent must be 'UNSUBSCRIBED'."}},
		{"a source of an unsubscribe", c, unsubscribePath, consentBody(unsubscribePath, "", `,"custom_source":"x"`,
			`"email":"a@example.org",`+noMail), []string{"invalid /data/attributes/custom_source 'custom_source' is not a " +
			"valid field for the resource 'profile-subscription-bulk-delete-job'."}},
		{"a region without a sender", c, subscribePath, consentBody(subscribePath, "", "",
			`"email":"a@example.org","phone_number":"+447911123456",`+texts), []string{"invalid " + consentPointer +
			"0/attributes/phone_number The account has no SMS sender for the region of this number."}},
		{"no SMS", noSMS, subscribePath, consentBody(subscribePath, "", "", `"phone_number":"+4915112345678",`+texts),
			[]string{"invalid " + consentPointer + "0/attributes/phone_number " +
				"SMS configuration is required to subscribe phone number only profiles."}},
	} {
		same(t, test.name, test.c.want(400, "POST", test.path, test.body).problems(), test.want)
	}
	now.pass(time.Hour)
	same(t, "nothing was written", len(c.storedAt("/simulator/profiles"))+len(noSMS.storedAt("/simulator/profiles")), 1)
}

// A malformed phone number beside an email is dropped. The answer says so, and not of which profile.
func TestPartialFailure(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Consent: simulator.Consent{SingleOptIn: true}})
	both := leaves("SUBSCRIBED", "", "email/marketing", "sms/marketing")
	r := c.consent(subscribePath, "", "", `"email":"a@example.org","phone_number":"+1234",`+both,
		`"email":"b@example.org","phone_number":"+1234",`+texts)
	same(t, "header", r.header.Get("X-Klaviyo-Partial-Failure"), "phone_number")
	now.pass(time.Second)
	same(t, "a", c.shownOf("a@example.org"), "email/marketing SUBSCRIBED 0s 1s false receives")
	same(t, "profiles", c.storedAt("/simulator/profiles")[1:], []string{`{"email":"b@example.org"}`})
	same(t, "no failure", c.consent(subscribePath, "", "", `"email":"c@example.org",`+mail).header.Values(
		"X-Klaviyo-Partial-Failure"), []string(nil))
}

// A plan can drop people, let them wait, and drop a second subscribe within 30 minutes.
func TestConsentPlan(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Plan: readPlan(t, `
consent:
  time: 5s
  late: {"late*": 1m, "*@example.org": 1s}
  single_opt_in: true
  dropped: ["Fake*", "+1555*"]
  quiet: true
`)})
	list := c.AddList("News", "double_opt_in")
	c.consent(subscribePath, "", "", `"email":"a@example.net",`+mail, `"email":"b@example.org",`+mail,
		`"email":"late@example.org",`+mail, `"email":"fake@example.org",`+mail)
	for second, want := range []int{4: 0, 5: 1, 6: 2, 64: 2, 65: 3} {
		if second == 4 || want > 0 {
			now.pass(newClock().now().Add(time.Duration(second) * time.Second).Sub(now.now()))
			same(t, fmt.Sprint(second), len(c.want(200, "GET", "/api/profiles", "").resources), want)
		}
	}
	again := func(want string) {
		t.Helper()
		c.consent(unsubscribePath, "", "", `"email":"a@example.net",`+noMail)
		now.pass(5 * time.Second)
		c.consent(subscribePath, "", "", `"email":"a@example.net",`+mail)
		now.pass(5 * time.Second)
		same(t, now.now().Sub(newClock().now()).String(), strings.Fields(c.shownOf("a@example.net"))[1], want)
	}
	again("UNSUBSCRIBED")
	now.pass(30*time.Minute - 81*time.Second)
	again("UNSUBSCRIBED")
	again("SUBSCRIBED")

	c.consent(subscribePath, list, "", `"email":"two@example.net","phone_number":"+4915112345678",`+
		leaves("SUBSCRIBED", "", "email/marketing", "sms/transactional"))
	now.pass(5 * time.Second)
	same(t, "two", c.Confirm("two@example.net"), 1)
	same(t, "a confirmation is no second subscribe", c.Members(list), []string{"two@example.net"})
}

// The faults on any request act on requests for consent: before or after the effect, and twice.
func TestConsentFaults(t *testing.T) {
	const on = `on: "POST ` + subscribePath + `"`
	for _, test := range []struct {
		fault string
		want  []string
	}{
		{"do: reset", nil},
		{"do: status, status: 500", nil},
		{"do: throttle", nil},
		{"do: reset, processed: true", []string{"subscribed email a@example.org by call 1"}},
		{"do: lose", []string{"subscribed email a@example.org by call 1"}},
		{"do: twice", []string{"subscribed email a@example.org by call 1"}},
	} {
		now := newClock()
		c := start(t, simulator.Options{Now: now.now, Ledger: true, Plan: readPlan(t,
			"consent: {single_opt_in: true}\nprofiles: [{email: a@example.org}]\nfaults: [{"+on+", "+test.fault+"}]")})
		_, _ = c.try("POST", subscribePath, consentBody(subscribePath, "", "", `"email":"a@example.org",`+mail))
		same(t, test.fault, c.changes(), test.want)
	}
}

// GET /simulator/profiles shows consent where there is any, and does not wait for it.
func TestConsentContents(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Consent: simulator.Consent{SingleOptIn: true}})
	c.AddProfile("a@example.org")
	c.consent(subscribePath, "", "", `"email":"b@example.org",`+mail)
	lines := c.storedAt("/simulator/profiles")
	same(t, "a", lines[0], `{"email":"a@example.org"}`)
	b := decode(t, lines[1]).(map[string]any)["subscriptions"].(map[string]any)
	same(t, "b", consentText(b), "email/marketing SUBSCRIBED 0s 0s false receives")
}
