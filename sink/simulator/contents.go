package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// contentsPath is the start of the paths that are not part of Klaviyo's API.
const contentsPath = "/simulator/"

// serveContents answers GET /simulator/lists, /simulator/lists/{id}/profiles, /simulator/profiles, /simulator/campaigns
// and, with Options.Ledger, /simulator/ledger. Each is one JSON array with one element a line. No key is needed. Open
// import jobs complete first, and requests for consent have their effect.
// POST /simulator/confirm?identifier=EMAIL confirms what a person was asked to confirm.
func (s *Simulator) serveContents(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	id, profiles := matchPath("/simulator/lists/{id}/profiles", path)
	if path == "/simulator/confirm" && r.Method == http.MethodPost {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"confirmed":%d}`+"\n", s.Confirm(r.URL.Query().Get("identifier")))
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	s.mu.Lock()
	s.finish()
	lists, l, ledger := s.appendLists(nil), s.list(id), s.ledger // entries never change
	s.mu.Unlock()
	switch {
	case path == "/simulator/lists":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(lists) // the client may have gone
	case path == "/simulator/campaigns":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(appendCampaigns(nil, s.Campaigns()))
	case path == "/simulator/ledger" && s.options.Ledger:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(appendLedger(nil, ledger))
	case profiles && l != nil:
		w.Header().Set("Content-Type", "application/json")
		s.writeProfiles(w, func(place int) (n uint32, member, more bool) {
			if place == len(l.order) {
				return 0, false, false
			}
			return l.order[place].profile, !l.order[place].left, true
		})
	case path == "/simulator/profiles":
		w.Header().Set("Content-Type", "application/json")
		s.writeProfiles(w, func(place int) (n uint32, holds, more bool) {
			if place == len(s.profiles.all) {
				return 0, false, false
			}
			return uint32(place), s.profiles.all[place].attributes != nil, true
		})
	default:
		http.NotFound(w, r)
	}
}

func (s *Simulator) appendLists(b []byte) []byte {
	b = append(b, '[')
	for i, l := range s.lists {
		if i > 0 {
			b = append(b, ',')
		}
		b = quote(append(b, "\n{\"id\":"...), l.id)
		b = quote(append(b, `,"name":`...), l.name)
		b = quote(append(b, `,"opt_in_process":`...), l.optIn)
		b = append(strconv.AppendInt(append(b, `,"profiles":`...), int64(len(l.at)), 10), '}')
	}
	return append(b, "\n]\n"...)
}

// writeProfiles writes the profiles at the places from 0 on that at returns and that belong to the answer, as long as
// there are more. It takes the lock anew for every thousand places, or for every megabyte.
func (s *Simulator) writeProfiles(w http.ResponseWriter, at func(place int) (n uint32, belongs, more bool)) {
	b := []byte("[")
	first := true
	for place, more := 0, true; more; {
		s.mu.Lock()
		for end := place + 1000; place < end && len(b) < 1<<20; place++ {
			var n uint32
			var belongs bool
			if n, belongs, more = at(place); !more {
				break
			}
			if !belongs {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = quote(append(b, "\n{\"id\":"...), s.profiles.id(n))
			attributes := s.profiles.all[n].attributes // never empty: they have an identifier
			b = append(append(b, ','), attributes[1:]...)
			if c := s.consents[n]; c != nil {
				b = append(append(append(b[:len(b)-1], `,"subscriptions":`...), s.appendSubscriptions(nil, n)...), '}')
			}
		}
		s.mu.Unlock()
		if _, err := w.Write(b); err != nil {
			return
		}
		b = b[:0]
	}
	_, _ = w.Write([]byte("\n]\n"))
}
