package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
)

// state is what the account shows of a person. Its zero value is somebody who has no profile.
type state struct {
	exists    bool
	full      bool   // the profile has all identifiers, not only an email
	on        uint8  // lists, by the bits of actor.lists
	left      uint8  // lists that the person has unsubscribed from
	mail, sms string // consents, "" for never
	orders    string // the consent to transactional SMS
	mailSince string // when a historical consent was given, "" for another one
	smsSince  string
	name      string // first_name
	gift      string // a custom property
}

// view is the account as an actor's people see it.
type view struct {
	of     map[string]state // by email
	ids    map[string]string
	joined map[string]time.Time // of the actor's first list
	made   int                  // lists that commands have created
}

// look reads what the account shows of the actor's people, whose emails all have its tag.
func (a *actor) look() (*view, error) {
	v := &view{of: map[string]state{}, ids: map[string]string{}, joined: map[string]time.Time{}}
	tag := []byte("-" + a.tag + "p")
	numbers := map[string]string{} // by email
	for _, p := range a.people {
		numbers[p.email] = p.phone
	}
	for line := range bytes.Lines(a.account.read("profiles")) {
		if !bytes.Contains(line, tag) {
			continue
		}
		var p struct {
			ID            string
			Email         string
			Phone         string `json:"phone_number"`
			FirstName     string `json:"first_name"`
			Properties    struct{ Gift string }
			Subscriptions struct {
				Email struct {
					Marketing struct {
						Consent string
						Since   string `json:"consent_timestamp"`
						Lists   []struct {
							ID string `json:"list_id"`
						} `json:"list_suppressions"`
					}
				}
				SMS struct {
					Marketing struct {
						Consent string
						Since   string `json:"consent_timestamp"`
					}
					Transactional struct{ Consent string }
				}
			}
		}
		if err := json.Unmarshal(bytes.TrimRight(line, ",\n"), &p); err != nil {
			return nil, fmt.Errorf("read a profile of the account: %w: %s", err, line)
		}
		s := state{exists: true, full: p.Phone != "", name: p.FirstName, gift: p.Properties.Gift}
		s.mail = strings.TrimPrefix(p.Subscriptions.Email.Marketing.Consent, "NEVER_SUBSCRIBED")
		s.sms = strings.TrimPrefix(p.Subscriptions.SMS.Marketing.Consent, "NEVER_SUBSCRIBED")
		s.orders = strings.TrimPrefix(p.Subscriptions.SMS.Transactional.Consent, "NEVER_SUBSCRIBED")
		s.mailSince = historical(p.Subscriptions.Email.Marketing.Since)
		s.smsSince = historical(p.Subscriptions.SMS.Marketing.Since)
		for _, l := range p.Subscriptions.Email.Marketing.Lists {
			s.left |= a.bit(l.ID)
		}
		email := strings.ToLower(p.Email)
		if want, ok := numbers[email]; ok && p.Phone != "" && p.Phone != want {
			return nil, fmt.Errorf("%s has the phone number %s, not %s", email, p.Phone, want)
		}
		v.of[email], v.ids[email] = s, p.ID
	}
	if err := a.find(v); err != nil {
		return nil, err
	}
	for i, l := range a.lists {
		for _, m := range a.account.sim.Memberships(l.id) {
			email := strings.ToLower(m.Email)
			s, ok := v.of[email]
			if !ok {
				if i < len(a.lists) && !l.shared {
					return nil, fmt.Errorf("%s is on list %s, which is not theirs", m.Email, l.name)
				}
				continue
			}
			s.on |= 1 << i
			v.of[email] = s
			if i == 0 {
				v.joined[email] = m.Joined
			}
		}
	}
	return v, nil
}

// historical is a time in the years of the rows, to the second, and "" for another one.
func historical(at string) string {
	if at >= "2025" || at == "" {
		return ""
	}
	return at[:len("2024-01-01T00:00:00")]
}

// read returns what the account holds of a kind, when all requests have had their effect.
func (a *account) read(kind string) []byte {
	w := httptest.NewRecorder()
	a.sim.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/simulator/"+kind, nil))
	return w.Body.Bytes()
}

// find finds the lists that commands have created. No two may have a name.
func (a *actor) find(v *view) error {
	var all []struct {
		ID, Name string
		OptIn    string `json:"opt_in_process"`
	}
	if err := json.Unmarshal(a.account.read("lists"), &all); err != nil {
		return fmt.Errorf("read the lists of the account: %w", err)
	}
	for i := range a.lists {
		l := &a.lists[i]
		for _, one := range all {
			switch {
			case one.Name != l.name || one.ID == l.id:
			case l.id != "":
				return fmt.Errorf("list %s was created twice", l.name)
			case l.double != (one.OptIn == "double_opt_in"):
				return fmt.Errorf("list %s was created as %s", l.name, one.OptIn)
			default:
				l.id = one.ID
				v.made++
			}
		}
	}
	return nil
}

// bit is the bit of one of the actor's lists, 0 for another list.
func (a *actor) bit(id string) uint8 {
	for i, l := range a.lists {
		if l.id == id {
			return 1 << i
		}
	}
	return 0
}
