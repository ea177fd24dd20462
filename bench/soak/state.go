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
	name      string // first_name
	gift      string // a custom property
}

// view is the account as an actor's people see it.
type view struct {
	of     map[string]state // by email
	ids    map[string]string
	joined map[string]time.Time // of the actor's first list
}

// look reads what the account shows of the actor's people, whose emails all have its tag.
func (a *actor) look() (*view, error) {
	v := &view{of: map[string]state{}, ids: map[string]string{}, joined: map[string]time.Time{}}
	w := httptest.NewRecorder()
	a.account.sim.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/simulator/profiles", nil))
	tag := []byte("-" + a.tag + "p")
	for line := range bytes.Lines(w.Body.Bytes()) {
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
						Lists   []struct {
							ID string `json:"list_id"`
						} `json:"list_suppressions"`
					}
				}
				SMS struct{ Marketing struct{ Consent string } }
			}
		}
		if err := json.Unmarshal(bytes.TrimRight(line, ",\n"), &p); err != nil {
			return nil, fmt.Errorf("read a profile of the account: %w: %s", err, line)
		}
		s := state{exists: true, full: p.Phone != "", name: p.FirstName, gift: p.Properties.Gift}
		s.mail = strings.TrimPrefix(p.Subscriptions.Email.Marketing.Consent, "NEVER_SUBSCRIBED")
		s.sms = strings.TrimPrefix(p.Subscriptions.SMS.Marketing.Consent, "NEVER_SUBSCRIBED")
		for _, l := range p.Subscriptions.Email.Marketing.Lists {
			s.left |= a.bit(l.ID)
		}
		email := strings.ToLower(p.Email)
		v.of[email], v.ids[email] = s, p.ID
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

// bit is the bit of one of the actor's lists, 0 for another list.
func (a *actor) bit(id string) uint8 {
	for i, l := range a.lists {
		if l.id == id {
			return 1 << i
		}
	}
	return 0
}
