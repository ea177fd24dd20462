package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
)

// The most profiles of one request.
const (
	maxSubscribed   = 1000
	maxUnsubscribed = 100
)

// Consent is how an account treats requests that set or withdraw consent.
type Consent struct {
	// Time is how long a request has no effect; 0 is Options.JobTime.
	Time time.Duration `yaml:"time"`
	// SingleOptIn is the default for a subscribe without a list. Otherwise people have to confirm.
	SingleOptIn bool `yaml:"single_opt_in"`
	// ListUnsubscribe says that members who unsubscribe from a list only leave that list. Otherwise they are unsubscribed
	// everywhere.
	ListUnsubscribe bool `yaml:"list_unsubscribe"`
	// NoSMS is an account without SMS. NoSender are the beginnings of phone numbers for which it has no sender.
	NoSMS    bool     `yaml:"no_sms"`
	NoSender []string `yaml:"no_sender"`
	// Dropped are patterns of emails whose requests are accepted and dropped, where * is any text.
	Dropped []string `yaml:"dropped"`
	// Quiet drops a second subscribe of a person within 30 minutes.
	Quiet bool `yaml:"quiet"`
}

// quiet is how long a second subscribe of a person may have no effect.
const quiet = 30 * time.Minute

// channel is one way to reach a profile.
type channel int

const (
	emailMarketing channel = iota
	smsMarketing
	smsTransactional
	channels
)

// channelNames are the names of the channels in a ledger.
var channelNames = [channels]string{"email", "sms", "sms-transactional"}

// asked is one profile of a request that sets or withdraws consent.
type asked struct {
	id, email, phone string
	of               [channels]bool
	given            [channels]time.Time // of a historical import
	age              bool                // it has a date of birth
}

// consentJob is an accepted request. It has its effect at a time.
type consentJob struct {
	at, sent   time.Time
	call       int
	list       *list // nil for none
	withdraw   bool
	historical bool
	source     string
	profiles   []asked
}

// postSubscribe is POST /api/profile-subscription-bulk-create-jobs.
func (s *Simulator) postSubscribe(c *call) answer { return s.postConsent(c, false) }

// postUnsubscribe is POST /api/profile-subscription-bulk-delete-jobs.
func (s *Simulator) postUnsubscribe(c *call) answer { return s.postConsent(c, true) }

// postConsent accepts a request, or refuses it whole for one bad profile.
func (s *Simulator) postConsent(c *call, withdraw bool) answer {
	s.lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	p := consentParser{s: s, withdraw: withdraw, now: now}
	p.parse(c.body)
	if p.problems != nil {
		return p.problems.answer()
	}
	s.calls++
	j := &consentJob{
		at: now.Add(s.options.Consent.Time), sent: now, call: s.calls, list: p.list, withdraw: withdraw,
		historical: p.historical, source: p.source, profiles: p.profiles,
	}
	s.consenting = append(s.consenting, j)
	a := answer{status: http.StatusAccepted}
	if p.partial {
		a.header = http.Header{"X-Klaviyo-Partial-Failure": {"phone_number"}}
	}
	return a
}

// consentParser reads the body of a request that sets or withdraws consent.
type consentParser struct {
	problems
	s          *Simulator
	withdraw   bool
	now        time.Time
	list       *list
	historical bool
	source     string
	partial    bool // a phone number was dropped
	profiles   []asked
}

func (p *consentParser) parse(body []byte) {
	kind, most := "profile-subscription-bulk-create-job", maxSubscribed
	if p.withdraw {
		kind, most = "profile-subscription-bulk-delete-job", maxUnsubscribed
	}
	var doc struct {
		Data struct {
			Type       string                     `json:"type"`
			Attributes map[string]json.RawMessage `json:"attributes"`
			Relations  struct {
				List *struct {
					Data struct{ Type, ID string } `json:"data"`
				} `json:"list"`
			} `json:"relationships"`
		} `json:"data"`
	}
	if !validJSON(body) || json.Unmarshal(body, &doc) != nil {
		p.invalid("/data", payloadInvalid)
		return
	}
	if doc.Data.Type != kind {
		p.invalid("/data/type", "The type must be '%s'.", kind)
	}
	var profiles struct {
		Data []json.RawMessage `json:"data"`
	}
	for name, value := range doc.Data.Attributes {
		var err error
		switch {
		case name == "profiles":
			err = json.Unmarshal(value, &profiles)
		case name == "custom_source" && !p.withdraw:
			err = json.Unmarshal(value, &p.source)
		case name == "historical_import" && !p.withdraw:
			err = json.Unmarshal(value, &p.historical)
		default:
			p.unknownField("/data/attributes", []byte(name), kind)
		}
		if err != nil {
			p.invalid("/data/attributes/"+name, payloadInvalid)
		}
	}
	if l := doc.Data.Relations.List; l != nil {
		if p.list = p.s.list(l.Data.ID); p.list == nil || l.Data.Type != "list" {
			p.invalid("/data/relationships/list/data/id", "A list with id %s does not exist.", l.Data.ID)
		}
	}
	switch n := len(profiles.Data); {
	case n == 0:
		p.invalid(profilesPointer, "At least one profile is required.")
	case n > most:
		p.problems = nil
		p.invalid(profilesPointer, "The number of profiles must not be more than %d.", most)
	default:
		for i, one := range profiles.Data {
			p.profile(i, one)
		}
	}
}

// profile reads one profile.
func (p *consentParser) profile(i int, body []byte) {
	pointer := profilePointer(i)
	var doc struct {
		Type       string                     `json:"type"`
		ID         string                     `json:"id"`
		Attributes map[string]json.RawMessage `json:"attributes"`
	}
	if json.Unmarshal(body, &doc) != nil || doc.Type != "profile" {
		p.invalid(pointer, payloadInvalid)
		return
	}
	a := asked{id: doc.ID}
	var subscriptions map[string]map[string]struct {
		Consent     string    `json:"consent"`
		ConsentedAt time.Time `json:"consented_at"`
	}
	for name, value := range doc.Attributes {
		var err error
		switch {
		case name == "email":
			err = json.Unmarshal(value, &a.email)
		case name == "phone_number":
			err = json.Unmarshal(value, &a.phone)
		case name == "subscriptions":
			err = json.Unmarshal(value, &subscriptions)
		case name == "age_gated_date_of_birth" && !p.withdraw:
			a.age = true
		default:
			p.unknownField(pointer+"/attributes", []byte(name), "profile")
		}
		if err != nil {
			p.invalid(pointer+"/attributes/"+name, payloadInvalid)
		}
	}
	if subscriptions == nil {
		p.invalid(pointer+"/attributes/subscriptions", "The subscriptions of a profile are required.")
	}
	word := "SUBSCRIBED"
	if p.withdraw {
		word = "UNSUBSCRIBED"
	}
	for medium, of := range subscriptions {
		for kind, leaf := range of {
			n := slices.Index([]string{"email/marketing", "sms/marketing", "sms/transactional"}, medium+"/"+kind)
			at := pointer + "/attributes/subscriptions/" + medium + "/" + kind
			switch {
			case n < 0:
				p.invalid(at, "The simulator knows no channel %s %s.", medium, kind)
				continue
			case leaf.Consent != word:
				p.invalid(at+"/consent", "The consent must be '%s'.", word)
			case p.historical && (leaf.ConsentedAt.IsZero() || leaf.ConsentedAt.After(p.now)):
				p.invalid(at+"/consented_at", "Historical %s subscription does not have a valid consented_at timestamp.", medium)
			case !p.historical && !leaf.ConsentedAt.IsZero():
				p.invalid(at+"/consented_at", "consented_at needs historical_import.")
			}
			a.of[n], a.given[n] = true, leaf.ConsentedAt
		}
	}
	p.identifiers(pointer, &a)
	p.profiles = append(p.profiles, a)
}

// identifiers checks those of a profile.
func (p *consentParser) identifiers(pointer string, a *asked) {
	if a.email != "" && !validEmail([]byte(a.email)) {
		p.invalid(pointer+"/attributes/email", "Invalid email address")
	}
	sms := a.of[smsMarketing] || a.of[smsTransactional]
	switch options := &p.s.options.Consent; {
	case a.email == "" && a.phone == "" && a.id == "":
		p.invalid(pointer+"/attributes", "At least one identifier is required: id, email or phone_number.")
	case a.of[emailMarketing] && a.email == "":
		p.invalid(pointer+"/attributes/email", "Email is required for a subscription to email.")
	case sms && a.phone == "":
		p.invalid(pointer+"/attributes/phone_number", "A phone number is required for a subscription to SMS.")
	case a.phone == "":
	case a.email == "" && options.NoSMS && !p.withdraw:
		p.invalid(pointer+"/attributes/phone_number",
			"SMS configuration is required to subscribe phone number only profiles.")
	case readPhone([]byte(a.phone)) == phoneImpossible && a.email != "":
		p.partial, a.phone, a.of[smsMarketing], a.of[smsTransactional] = true, "", false, false
	case readPhone([]byte(a.phone)) == phoneImpossible:
		p.invalid(pointer+"/attributes/phone_number", phoneMalformed)
	case sms && !p.withdraw && slices.ContainsFunc(options.NoSender, func(prefix string) bool {
		return strings.HasPrefix(a.phone, prefix)
	}):
		p.invalid(pointer+"/attributes/phone_number", "The account has no SMS sender for the region of this number.")
	}
}

// profileConsent is what a profile has consented to.
type profileConsent struct {
	of          [channels]channelConsent
	suppression string // its reason, or ""
	since       time.Time
	lists       map[string]time.Time // that the profile has unsubscribed from, by id
	subscribed  time.Time            // when it was subscribed last
}

// channelConsent is the consent of one channel. Its state is SUBSCRIBED, UNSUBSCRIBED, or "" for never.
type channelConsent struct {
	state, source string
	given         time.Time
	updated       time.Time
}

// consentOf returns the consent of a profile, to be changed.
func (s *Simulator) consentOf(n uint32) *profileConsent {
	c := s.consents[n]
	if c == nil {
		c = new(profileConsent)
		s.consents[n] = c
	}
	return c
}

// advanceConsents has the accepted requests take effect whose time has come.
func (s *Simulator) advanceConsents(now time.Time) {
	s.consenting = slices.DeleteFunc(s.consenting, func(j *consentJob) bool {
		if now.Before(j.at) {
			return false
		}
		for i := range j.profiles {
			switch a := &j.profiles[i]; {
			case slices.ContainsFunc(s.options.Consent.Dropped, func(pattern string) bool { return matches(pattern, a.email) }):
			case j.withdraw:
				s.withdraw(j, a)
			default:
				s.subscribe(j, a)
			}
		}
		return true
	})
}

// subscribe has its effect for one profile, as far as nobody has to confirm it.
func (s *Simulator) subscribe(j *consentJob, a *asked) {
	double := !s.options.Consent.SingleOptIn
	if j.list != nil {
		double = j.list.optIn == "double_opt_in"
	}
	if double && !j.historical && (a.of[emailMarketing] || a.of[smsMarketing]) {
		later := *a
		later.of[smsTransactional] = false
		s.unconfirmed = append(s.unconfirmed, unconfirmed{j, later})
		if !a.of[smsTransactional] {
			return
		}
		a = &asked{id: a.id, email: a.email, phone: a.phone, of: [channels]bool{smsTransactional: true}}
	}
	s.consent(j, a, j.at)
}

// unconfirmed is a profile that has to confirm a subscription.
type unconfirmed struct {
	job *consentJob
	of  asked
}

// Confirm confirms what the person with an email or phone number was asked to confirm. It returns how many
// subscriptions that were.
func (s *Simulator) Confirm(identifier string) (n int) {
	s.lock()
	defer s.mu.Unlock()
	s.unconfirmed = slices.DeleteFunc(s.unconfirmed, func(u unconfirmed) bool {
		if !strings.EqualFold(u.of.email, identifier) && u.of.phone != identifier {
			return false
		}
		s.consent(u.job, &u.of, s.options.Now())
		n++
		return true
	})
	return n
}

// consent writes a subscription into a profile.
func (s *Simulator) consent(j *consentJob, a *asked, now time.Time) {
	n, ok := s.writeAsked(a, j.call, now)
	if !ok {
		return
	}
	c := s.consentOf(n)
	if s.options.Consent.Quiet && !c.subscribed.IsZero() && j.sent.Sub(c.subscribed) < quiet {
		return
	}
	c.subscribed = j.sent
	for of := range channels {
		one := &c.of[of]
		if !a.of[of] || one.state == "SUBSCRIBED" {
			continue
		}
		given := j.sent
		if j.historical {
			given = a.given[of]
		}
		*one = channelConsent{"SUBSCRIBED", j.source, given, now}
		s.enterConsent(now, "subscribed", j, n, of)
	}
	if a.of[emailMarketing] && slices.Contains([]string{"UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED"}, c.suppression) {
		c.suppression = ""
	}
	if j.list != nil && (a.of[emailMarketing] || a.of[smsMarketing]) {
		delete(c.lists, j.list.id)
		s.joining(j.list, n, now, cause{call: j.call})
	}
}

// withdraw has its effect for one profile. Who is not on the list is unsubscribed everywhere.
func (s *Simulator) withdraw(j *consentJob, a *asked) {
	n, ok := s.writeAsked(a, j.call, j.at)
	if !ok {
		return
	}
	c := s.consentOf(n)
	member := false
	if j.list != nil {
		_, member = j.list.at[n]
	}
	everywhere := !member || !s.options.Consent.ListUnsubscribe
	for of := range channels {
		sms := of != emailMarketing && (a.of[smsMarketing] || a.of[smsTransactional]) // both opt out together
		switch {
		case !a.of[of] && !sms:
		case everywhere || of != emailMarketing:
			c.of[of].state, c.of[of].updated = "UNSUBSCRIBED", j.at
			s.enterConsent(j.at, "unsubscribed", j, n, of)
		default:
			if c.lists == nil {
				c.lists = map[string]time.Time{}
			}
			c.lists[j.list.id], c.of[of].updated = j.at, j.at
			s.enterConsent(j.at, "left_list", j, n, of)
		}
	}
	if everywhere && a.of[emailMarketing] {
		c.suppression, c.since = cmp.Or(c.suppression, "UNSUBSCRIBE"), j.at
	}
	for _, l := range s.lists {
		if l == j.list || j.list == nil {
			s.leaving(l, n, j.at, cause{call: j.call})
		}
	}
}

// writeAsked returns the profile that a request names, with the request's identifiers, or creates it.
func (s *Simulator) writeAsked(a *asked, call int, now time.Time) (uint32, bool) {
	sent := sentProfile{id: a.id}
	b := []byte{'{'}
	for _, one := range []struct {
		name, value string
		to          *[]byte
	}{{"email", a.email, &sent.email}, {"phone_number", a.phone, &sent.phone}} {
		if one.value != "" {
			b = append(quote(append(quote(b, one.name), ':'), one.value), ',')
			*one.to = []byte(one.value)
		}
	}
	sent.attributes = append(bytes.TrimSuffix(b, []byte{','}), '}')
	n, change, p := s.profiles.upsert(&sent, now, 1<<31|uint32(call))
	if p != nil {
		return 0, false
	}
	if change != "" && change != unchanged {
		s.enter(now, change, "", n, cause{})
	}
	return n, true
}

// enterConsent adds a consent to the ledger.
func (s *Simulator) enterConsent(at time.Time, change string, j *consentJob, n uint32, of channel) {
	if !s.options.Ledger {
		return
	}
	list := ""
	if j.list != nil {
		list = j.list.id
	}
	s.enter(at, fmt.Sprint(change, " ", channelNames[of]), list, n, cause{call: j.call})
}
