package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"
)

// Profile is a profile that other clients made before.
type Profile struct {
	Email    string   `yaml:"email"`
	Phone    string   `yaml:"phone_number"`
	External string   `yaml:"external_id"`
	Also     []string `yaml:"also"`   // up to four addresses besides Email; answers show Email
	OldID    bool     `yaml:"old_id"` // its id is from before ULIDs
	// Consent is SUBSCRIBED or UNSUBSCRIBED; "" is never subscribed. Suppression is why no mail may be sent, such as
	// HARD_BOUNCE.
	Consent     string            `yaml:"consent"`
	Suppression string            `yaml:"suppression"`
	Properties  map[string]string `yaml:"properties"` // custom properties that are texts
	Lists       []string          `yaml:"lists"`      // the names of lists that it is on; a name without a list makes one
	Joined      time.Duration     `yaml:"joined"`     // how long ago it joined them
}

// wrong returns what is wrong with a profile, or "".
func (p *Profile) wrong() string {
	switch {
	case p.Email == "" && p.Phone == "" && p.External == "":
		return "expected email, phone_number or external_id"
	case p.Email == "" && (p.Also != nil || p.Consent != "" || p.Suppression != ""):
		return "also, consent and suppression need email"
	case len(p.Also) > 4:
		return fmt.Sprintf("also: expected at most 4 addresses, got %d", len(p.Also))
	case p.Phone != "" && readPhone([]byte(p.Phone)) != phoneExists:
		return fmt.Sprintf("phone_number: expected a number such as +4915112345678, got %q", p.Phone)
	case p.Consent != "" && !slices.Contains(consentStates, p.Consent):
		return fmt.Sprintf("consent: expected one of %s, got %q", strings.Join(consentStates, ", "), p.Consent)
	case p.Suppression != "" && !slices.Contains(suppressionReasons, p.Suppression):
		return fmt.Sprintf("suppression: expected one of %s, got %q", strings.Join(suppressionReasons, ", "),
			p.Suppression)
	case p.Joined < 0:
		return fmt.Sprintf("joined: expected 0s or more, got %v", p.Joined)
	case p.Joined > 0 && p.Lists == nil:
		return "joined has no effect without lists"
	}
	for _, email := range p.addresses() {
		if !validEmail([]byte(email)) {
			return fmt.Sprintf("expected an email address, got %q", email)
		}
	}
	return ""
}

// addresses returns all email addresses.
func (p *Profile) addresses() []string {
	if p.Email == "" {
		return nil
	}
	return append([]string{p.Email}, p.Also...)
}

// sent returns the profile as a client would send it.
func (p *Profile) sent() *sentProfile {
	m := newMerger(nil)
	given := func(name, value string) []byte {
		if value == "" {
			return nil
		}
		m.write(quote(nil, name), []byte(name), quote(nil, value))
		return []byte(value)
	}
	sent := &sentProfile{
		email: given("email", p.Email), phone: given("phone_number", p.Phone), external: given("external_id", p.External),
	}
	properties := newMerger(nil)
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		properties.write(quote(nil, name), []byte(name), quote(nil, p.Properties[name]))
	}
	if len(p.Properties) > 0 {
		m.write([]byte(`"properties"`), []byte("properties"), properties.object())
	}
	sent.attributes = m.object()
	return sent
}

// Add adds a profile and returns its id. It panics if the profile is wrong, or if another has one of its addresses.
// Profiles join a list in the order of Add.
func (s *Simulator) Add(p Profile) (id string) {
	s.lock()
	defer s.mu.Unlock()
	wrong := p.wrong()
	for _, email := range p.addresses() {
		if _, taken := s.profiles.byEmail([]byte(email)); taken {
			wrong = cmp.Or(wrong, fmt.Sprintf("another profile has %q", email))
		}
	}
	if wrong != "" {
		panic("add a profile to a simulator: " + wrong)
	}
	return s.add(&p, s.options.Now())
}

// addAll adds the profiles of a plan. Those that joined earlier come first.
func (s *Simulator) addAll(given []Profile) {
	sorted := slices.Clone(given)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Joined > sorted[j].Joined })
	now := s.options.Now()
	for i := range sorted {
		s.add(&sorted[i], now)
	}
}

func (s *Simulator) add(p *Profile, now time.Time) (id string) {
	at := now.Add(-p.Joined)
	n := s.profiles.create(p.sent(), at, 0)
	for _, email := range p.Also {
		s.profiles.alias(n, email)
	}
	if p.OldID {
		s.profiles.age(n)
	}
	if p.Consent != "" || p.Suppression != "" {
		one := channelConsent{state: p.Consent, updated: at}
		if p.Consent != "" {
			one.given = at
		}
		c := &profileConsent{of: [channels]channelConsent{one}}
		if p.Suppression != "" {
			c.suppress(p.Suppression, at)
		}
		s.consents[n] = c
	}
	for _, name := range p.Lists {
		i := slices.IndexFunc(s.lists, func(l *list) bool { return l.name == name })
		if i < 0 {
			i = len(s.lists)
			s.addList(name, "single_opt_in", at.Add(-24*time.Hour))
		}
		s.lists[i].join(n, at)
	}
	return s.profiles.id(n)
}
