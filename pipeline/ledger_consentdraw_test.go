package pipeline

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/validate"
)

const (
	subscribing   = "POST /api/profile-subscription-bulk-create-jobs"
	unsubscribing = "POST /api/profile-subscription-bulk-delete-jobs"
)

// consentCase is a run with what goes wrong.
type consentCase struct {
	withdraw             bool
	by                   string
	channels             validate.Channels
	listless, historical bool
	optIn                string
	single, listAlone    bool // the account's ways with consent
	quiet                bool
	people               []consentPerson
	rows                 []consentRow
	faults               []simulator.Fault
	senders, batch       int
	window               int
	wait, later          bool   // the results are read back by Run, by Wait
	impatient            bool   // nothing is retried
	killAt               int    // bytes of output after which the first run is killed, 0 = it is not
	resume               string // how a killed run is continued: "", "soon", or "late", half an hour later
}

// consentPerson is somebody that rows name.
type consentPerson struct {
	n           int
	known       bool   // has a profile, with all identifiers
	number      string // the beginning of the phone number, "" for none
	like        int    // whose phone number it ends as, mostly n
	second      bool   // rows have both email and phone number
	consent     string // before, as the following two
	suppression string
	member      bool
	kind        string // plain, dropped, late (a little) or never (before the run ends)
	confirms    bool
}

func (p *consentPerson) email() string    { return fmt.Sprintf("p%d@example.com", p.n) }
func (p *consentPerson) external() string { return fmt.Sprintf("x%d", p.n) }

func (p *consentPerson) phone() string {
	if p.number == "" {
		return ""
	}
	return fmt.Sprint(p.number, p.like)
}

// The beginnings of phone numbers: a landline in Berlin, and a mobile phone for which the account has no sender.
const berlin, abroad = "+493090182", "+44791112345"

// consentRow is a row: whose it is, and what is wrong with it.
type consentRow struct {
	person int
	other  int // whose phone number it has, -1 = the person's own
	bad    bool
}

func drawConsent(rt *rapid.T) *consentCase {
	often := func(name string, of int) bool { return rapid.IntRange(0, of).Draw(rt, name) == 0 }
	yes := func(name string) bool { return rapid.Bool().Draw(rt, name) }
	c := &consentCase{
		withdraw: yes("withdraw"), listless: often("listless", 3), single: !often("double default", 3),
		by:        rapid.SampledFrom([]string{"email", "email", "phone_number", "external_id"}).Draw(rt, "by"),
		channels:  validate.Channels(rapid.SampledFrom([]int{1, 1, 1, 2, 3, 3, 4, 5, 7}).Draw(rt, "channels")),
		optIn:     rapid.SampledFrom([]string{"single_opt_in", "single_opt_in", "double_opt_in"}).Draw(rt, "opt-in"),
		listAlone: yes("list alone"), quiet: yes("quiet"),
		senders: rapid.IntRange(1, 4).Draw(rt, "senders"), batch: rapid.IntRange(1, 6).Draw(rt, "batch"),
		window: rapid.SampledFrom([]int{1000, 1000, 1}).Draw(rt, "window"), wait: yes("wait"), later: yes("later"),
		impatient: often("impatient", 5),
	}
	c.historical = !c.withdraw && often("historical", 2)
	for n := range rapid.IntRange(1, 9).Draw(rt, "people") {
		p := consentPerson{
			n: n, like: n, known: !often("unknown", 3),
			number: rapid.SampledFrom([]string{"", berlin, berlin, berlin, abroad}).Draw(rt, "number"),
			second: yes("second"), confirms: yes("confirms"),
			kind: rapid.SampledFrom([]string{"plain", "plain", "plain", "plain", "dropped", "late", "never"}).Draw(rt, "kind"),
		}
		if p.known {
			p.member = yes("member")
			p.consent = rapid.SampledFrom([]string{"", "", "SUBSCRIBED", "UNSUBSCRIBED"}).Draw(rt, "consent")
			p.suppression = rapid.SampledFrom([]string{"", "", "", "HARD_BOUNCE", "USER_SUPPRESSED"}).Draw(rt, "suppression")
		}
		if like := rapid.IntRange(0, n).Draw(rt, "like"); p.known && like < n && c.people[like].known && often("shared", 3) {
			p.like = like
		}
		c.people = append(c.people, p)
	}
	last := len(c.people) - 1
	for range rapid.IntRange(0, 14).Draw(rt, "rows") {
		r := consentRow{person: rapid.IntRange(0, last).Draw(rt, "person"), other: -1, bad: often("bad", 9)}
		other := rapid.IntRange(0, last).Draw(rt, "other")
		if often("crossed", 9) && c.by == "email" && other != r.person && c.people[r.person].known && c.people[other].known {
			r.other = other
		}
		c.rows = append(c.rows, r)
	}
	if often("kill", 3) {
		c.killAt = rapid.IntRange(1, 900).Draw(rt, "kill at")
		c.resume = rapid.SampledFrom([]string{"", "soon", "late", "late"}).Draw(rt, "resume")
	}
	c.drawFaults(rt)
	return c
}

func (c *consentCase) drawFaults(rt *rapid.T) {
	on := subscribing
	kinds := append([]simulator.Fault{
		{Do: "lose", Status: http.StatusAccepted, As: "empty",
			Headers: map[string]string{"X-Klaviyo-Partial-Failure": "phone_number"}},
		{Do: "reset"}, {Do: "reset", Processed: true}, {Do: "lose", Status: 502},
	}, answerFaults...)
	if c.withdraw {
		on = unsubscribing
	} else {
		kinds = append(kinds, simulator.Fault{Do: "twice"})
	}
	for range rapid.IntRange(0, 2).Draw(rt, "faults") {
		f := rapid.SampledFrom(kinds).Draw(rt, "fault")
		if f.On = on; f.Do != "twice" && f.Headers == nil {
			f.On = rapid.SampledFrom([]string{on, on, on, lookingUp, ofProfiles, "GET /api/lists/{id}"}).Draw(rt, "on")
		}
		f.Skip = rapid.IntRange(0, 3).Draw(rt, "skip")
		if f.Times = 1; f.On == on && f.Do != "throttle" && f.Do != "challenge" {
			f.Times = rapid.IntRange(1, 2).Draw(rt, "times")
		}
		c.faults = append(c.faults, f)
	}
}

// account is how the account treats consent.
func (c *consentCase) account() simulator.Consent {
	a := simulator.Consent{
		Time: time.Millisecond, Late: map[string]time.Duration{}, SingleOptIn: c.single, ListUnsubscribe: c.listAlone,
		NoSender: []string{abroad}, Quiet: c.quiet,
	}
	for i := range c.people {
		p := &c.people[i]
		for _, name := range []string{p.email(), p.phone()} {
			switch {
			case name == "":
			case p.kind == "dropped":
				a.Dropped = append(a.Dropped, name)
			case p.kind == "late":
				a.Late[name] = 150 * time.Millisecond
			case p.kind == "never":
				a.Late[name] = 20 * time.Minute // before the run is continued late
			}
		}
	}
	return a
}

// at is the time of a person's consent, for a historical import.
func (p *consentPerson) at() time.Time { return time.Date(2024, 5, 1, p.n, 0, 0, 0, time.UTC) }

// identifiers are the email and phone number that a row has, "" for none. By external id they are the profile's.
func (c *consentCase) identifiers(r *consentRow) (email, phone string) {
	p := &c.people[r.person]
	email, phone = p.email(), p.phone()
	if r.other >= 0 {
		phone = c.people[r.other].phone()
	}
	switch {
	case c.by == "external_id" && !p.known:
		return "", ""
	case c.by == "email" && !p.second && r.other < 0:
		phone = ""
	case c.by == "phone_number" && !p.second:
		email = ""
	}
	return email, phone
}

// shared reports whether somebody else has the phone number of a row.
func (c *consentCase) shared(r *consentRow) bool {
	_, phone := c.identifiers(r)
	n := 0
	for i := range c.people {
		if p := &c.people[i]; phone != "" && p.known && p.phone() == phone {
			n++
		}
	}
	return n > 1
}

// reached are the channels of a row.
func (c *consentCase) reached(r *consentRow) (reached validate.Channels) {
	email, phone := c.identifiers(r)
	if email != "" {
		reached |= validate.EmailMarketing
	}
	if phone != "" {
		reached |= validate.SMSMarketing | validate.SMSTransactional
	}
	return reached & c.channels
}

// input is the rows as text.
func (c *consentCase) input() string {
	var in strings.Builder
	for i := range c.rows {
		r := &c.rows[i]
		if r.bad {
			in.WriteString("nope\n")
			continue
		}
		p := &c.people[r.person]
		email, phone := c.identifiers(r)
		var members []string
		for _, m := range [][2]string{{"email", email}, {"phone_number", phone}, {"external_id", p.external()}} {
			if (c.by == "external_id") == (m[0] == "external_id") {
				members = append(members, fmt.Sprintf("%q:%q", m[0], m[1]))
			}
		}
		if c.historical {
			members = append(members, fmt.Sprintf(`"at":%q`, p.at().Format(time.RFC3339)))
		}
		in.WriteString("{" + strings.Join(members, ",") + "}\n")
	}
	return in.String()
}

// rowsOf counts the rows that have an email or phone number.
func (c *consentCase) rowsOf(name string) (n int) {
	for i := range c.rows {
		if email, phone := c.identifiers(&c.rows[i]); email == name || phone == name {
			n++
		}
	}
	return n
}
