package simulator

import (
	"maps"
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

// oldest is the time to which Klaviyo moves older consents.
var oldest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// consentBody reads the body of a request that sets or withdraws consent.
type consentBody struct {
	problems
	*consentJob
	s        *Simulator
	partial  bool // a phone number was dropped
	profiles []asked
}

// strict reads JSON that has no other members than into.
func strict(text []byte, into any) bool {
	rest, err := json.Parse(text, into, json.DisallowUnknownFields|json.DontMatchCaseInsensitiveStructFields)
	return err == nil && len(rest) == 0
}

func (b *consentBody) read(body []byte) {
	kind, most := "profile-subscription-bulk-create-job", maxSubscribed
	if b.withdraw {
		kind, most = "profile-subscription-bulk-delete-job", maxUnsubscribed
	}
	var doc struct {
		Data struct {
			Type       string                     `json:"type"`
			Attributes map[string]json.RawMessage `json:"attributes"`
			Relations  struct {
				List *struct {
					Data struct {
						Type string `json:"type"`
						ID   string `json:"id"`
					} `json:"data"`
				} `json:"list"`
			} `json:"relationships"`
		} `json:"data"`
	}
	if !validJSON(body) || !strict(body, &doc) {
		b.invalid("/data", payloadInvalid)
		return
	}
	if doc.Data.Type != kind {
		b.invalid("/data/type", "The type must be '%s'.", kind)
	}
	var profiles struct {
		Data []json.RawMessage `json:"data"`
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Data.Attributes)) {
		var to any
		switch {
		case name == "profiles":
			to = &profiles
		case name == "custom_source" && !b.withdraw:
			to = &b.source
		case name == "historical_import" && !b.withdraw:
			to = &b.historical
		default:
			b.unknownField("/data/attributes", []byte(name), kind)
			continue
		}
		if !strict(doc.Data.Attributes[name], to) {
			b.invalid("/data/attributes/"+name, payloadInvalid)
		}
	}
	if l := doc.Data.Relations.List; l != nil {
		if b.list = b.s.list(l.Data.ID); b.list == nil || l.Data.Type != "list" {
			b.invalid("/data/relationships/list/data/id", "A list with id %s does not exist.", l.Data.ID)
		}
	}
	switch n := len(profiles.Data); {
	case n == 0:
		b.invalid(profilesPointer, "At least one profile is required.")
	case n > most:
		b.problems = nil
		b.invalid(profilesPointer, "The number of profiles must not be more than %d.", most)
	default:
		b.profiles = make([]asked, 0, n)
		for i, one := range profiles.Data {
			b.profile(i, one)
		}
	}
}

// leaf is the consent of one channel, as sent.
type leaf struct {
	Consent     string    `json:"consent"`
	ConsentedAt time.Time `json:"consented_at"`
}

// profile reads one profile.
func (b *consentBody) profile(i int, body []byte) {
	pointer := profilePointer(i)
	var doc struct {
		Type       string                     `json:"type"`
		ID         string                     `json:"id"`
		Attributes map[string]json.RawMessage `json:"attributes"`
	}
	if !strict(body, &doc) || doc.Type != "profile" || doc.ID != "" && b.withdraw {
		b.invalid(pointer, payloadInvalid)
		return
	}
	a := asked{consentJob: b.consentJob, row: i + 1, id: doc.ID}
	var subscriptions map[string]map[string]*leaf
	pointer += "/attributes"
	for _, name := range slices.Sorted(maps.Keys(doc.Attributes)) {
		var to any
		switch {
		case name == "email":
			to = &a.email
		case name == "phone_number":
			to = &a.phone
		case name == "subscriptions":
			to = &subscriptions
		case name == "age_gated_date_of_birth" && !b.withdraw:
			to = new(string)
		default:
			b.unknownField(pointer, []byte(name), "profile")
			continue
		}
		if !strict(doc.Attributes[name], to) {
			b.invalid(pointer+"/"+name, payloadInvalid)
			return
		}
	}
	if subscriptions == nil {
		b.invalid(pointer+"/subscriptions", "The subscriptions of a profile are required.")
	}
	for _, medium := range slices.Sorted(maps.Keys(subscriptions)) {
		for _, kind := range slices.Sorted(maps.Keys(subscriptions[medium])) {
			if one := subscriptions[medium][kind]; one != nil {
				b.channel(pointer+"/subscriptions", medium+"/"+kind, one, &a)
			}
		}
	}
	b.identifiers(pointer, &a)
	b.profiles = append(b.profiles, a)
}

// channel reads the consent of one channel. Choice: channels that klaviyo-export does not use are refused.
func (b *consentBody) channel(pointer, path string, one *leaf, a *asked) {
	pointer += "/" + path
	n := slices.Index(channelPaths, path)
	word := "SUBSCRIBED"
	if b.withdraw {
		word = "UNSUBSCRIBED"
	}
	switch medium, _, _ := strings.Cut(path, "/"); {
	case n < 0:
		b.invalid(pointer, "The simulator does not know the channel %s.", path)
		return
	case one.Consent != word:
		b.invalid(pointer+"/consent", "The consent must be '%s'.", word)
	case b.historical && (one.ConsentedAt.IsZero() || one.ConsentedAt.After(b.sent)):
		b.invalid(pointer+"/consented_at",
			"Historical %s subscription does not have a valid consented_at timestamp.", medium)
	case !b.historical && !one.ConsentedAt.IsZero():
		b.invalid(pointer+"/consented_at", "consented_at needs historical_import.")
	}
	if a.of[n], a.given[n] = true, one.ConsentedAt; a.given[n].Before(oldest) {
		a.given[n] = oldest
	}
}

// identifiers checks those of a profile.
func (b *consentBody) identifiers(pointer string, a *asked) {
	if a.email != "" && !validEmail([]byte(a.email)) {
		b.invalid(pointer+"/email", emailInvalid)
	}
	sms := a.of[smsMarketing] || a.of[smsTransactional]
	switch options := &b.s.options.Consent; {
	case a.email == "" && a.phone == "" && a.id == "":
		b.invalid(pointer, "At least one identifier is required: id, email or phone_number.")
	case a.of[emailMarketing] && a.email == "":
		b.invalid(pointer+"/email", "Email is required for a subscription to email.")
	case sms && a.phone == "":
		b.invalid(pointer+"/phone_number", "A phone number is required for a subscription to SMS.")
	case a.phone == "":
	case a.email == "" && options.NoSMS && !b.withdraw:
		b.invalid(pointer+"/phone_number", "SMS configuration is required to subscribe phone number only profiles.")
	case readPhone([]byte(a.phone)) == phoneImpossible && a.email != "":
		b.partial, a.phone, a.of[smsMarketing], a.of[smsTransactional] = true, "", false, false
	case readPhone([]byte(a.phone)) == phoneImpossible:
		b.invalid(pointer+"/phone_number", phoneMalformed)
	case sms && !b.withdraw && (options.NoSMS || slices.ContainsFunc(options.NoSender, func(prefix string) bool {
		return strings.HasPrefix(a.phone, prefix)
	})):
		b.invalid(pointer+"/phone_number", "The account has no SMS sender for the region of this number.")
	}
	if b.historical {
		b.order(pointer, a)
	}
}

// order refuses consents that are older than a withdrawal.
func (b *consentBody) order(pointer string, a *asked) {
	n, found, _ := b.s.profiles.match(&sentProfile{id: a.id, email: bytesOf(a.email), phone: bytesOf(a.phone)})
	if c := b.s.consents[n]; found && c != nil {
		for of, one := range c.of {
			if a.of[of] && one.state == "UNSUBSCRIBED" && a.given[of].Before(one.updated) {
				b.invalid(pointer+"/subscriptions/"+channelPaths[of]+"/consented_at",
					"The profile has unsubscribed after this consented_at timestamp.")
			}
		}
	}
}

// bytesOf returns a text as bytes, nil for "".
func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}
