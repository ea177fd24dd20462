package pipeline

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
)

// sharedState is what the account shows of a profile.
type sharedState struct {
	names    []string          // all emails, phone numbers and the external id
	of       map[string]string // consent by channel
	on, left bool              // on the list, unsubscribed from it alone
}

// states are those of all profiles before the first run.
func (f *sharedRun) states() map[string]*sharedState {
	all := map[string]*sharedState{}
	for i, id := range f.ids {
		p := &f.c.people[i]
		if id != "" {
			names := append(f.names[id], f.c.address(i, true), p.number())
			all[id] = &sharedState{on: p.member, of: map[string]string{"email": p.consent}, names: names}
		}
	}
	return all
}

// change enters a change of the account.
func (f *sharedRun) change(all map[string]*sharedState, e *simulator.Entry) {
	s := all[e.Profile]
	if s == nil {
		s = &sharedState{of: map[string]string{}, names: f.names[e.Profile]}
		all[e.Profile] = s
	}
	switch change, channel, _ := strings.Cut(e.Change, " "); {
	case change == "subscribed", change == "unsubscribed":
		if s.of[channel] = strings.ToUpper(change); change == "subscribed" && e.List == f.list {
			s.left = false
		}
	case change == "left_list":
		s.left = true
	case e.List != f.list:
	case change == "joined", change == "left":
		s.on = change == "joined"
	}
}

// identify reads the identifiers of all profiles.
func (f *sharedRun) identify() string {
	res, err := http.Get(f.url + "/simulator/profiles")
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	var all []struct {
		ID       string `json:"id"`
		Email    string `json:"email"`
		Phone    string `json:"phone_number"`
		External string `json:"external_id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		return err.Error()
	}
	f.names = map[string][]string{}
	for _, p := range all {
		f.names[p.ID] = []string{strings.ToLower(p.Email), p.Phone, p.External}
	}
	return ""
}

// judge judges the account, and the results of all runs.
func (f *sharedRun) judge() string {
	ledger := f.sim.Ledger()
	if wrong := f.identify(); wrong != "" {
		return wrong
	}
	left := map[string]bool{}
	for _, e := range ledger {
		if e.Change == "left" {
			left[fmt.Sprint(e.Call, e.Row, e.Profile)] = true
		}
	}
	for _, e := range ledger {
		named := strings.HasPrefix(e.Change, "unsubscribed") || strings.HasPrefix(e.Change, "left_list")
		switch {
		case !f.c.withdraw || f.c.listless || !named:
		case !left[fmt.Sprint(e.Call, e.Row, e.Profile)]:
			return fmt.Sprintf("%s %s was not on the list, and a request for the list named it", e.Email, e.Profile)
		case e.Change == "unsubscribed email" && f.c.account.ListUnsubscribe:
			return e.Email + " was only to leave the list, and is unsubscribed everywhere"
		}
	}
	for i := range f.runs {
		if wrong := f.judgeRun(&f.runs[i], ledger); wrong != "" {
			return fmt.Sprintf("run %d: %s", i+1, wrong)
		}
	}
	return ""
}

// judgeRun compares the lines of a run with the account and with its report.
func (f *sharedRun) judgeRun(r *sharedResult, ledger []simulator.Entry) string {
	if bytes.Contains(r.out, []byte(consentKey)) {
		return "the key is in the results"
	}
	var rep *report.Report
	var counts report.Consents
	statuses, last, worst := map[string]int64{}, int64(0), 0
	for text := range bytes.Lines(r.out) {
		if bytes.HasPrefix(text, []byte(`{"type":"report"`)) && !r.died {
			rep = new(report.Report)
			if err := json.Unmarshal(text, rep); err != nil {
				return err.Error()
			}
			continue
		}
		var l consentLine
		if err := json.Unmarshal(text, &l); err != nil || l.Type != "row" {
			if r.died {
				break
			}
			return fmt.Sprintf("a line is no result: %s", text)
		}
		if l.Row <= last || rep != nil || l.Row > int64(len(f.c.rows)) || !r.resumed && l.Row != last+1 {
			return fmt.Sprintf("row %d comes after row %d", l.Row, last)
		}
		last = l.Row
		statuses[l.Status]++
		if wrong := f.judgeLine(r, &l, ledger); wrong != "" {
			return fmt.Sprintf("row %d, %s %s: %s", l.Row, l.Status, l.Code, wrong)
		}
		switch {
		case l.Status == "accepted" && l.Code != report.Pending && r.waited:
			worst = 3
		case l.Status == "rejected" || l.Status == "unknown" || l.Status == "unsent":
			worst = max(worst, 1)
		}
		if l.Status != "applied" {
			continue
		}
		if l.Already {
			counts.Already++
		}
		switch l.Scope {
		case "list":
			counts.ScopeList++
		case "global":
			counts.ScopeGlobal++
		default:
			if !l.Mailable {
				counts.Unmailable++
			}
		}
	}
	switch {
	case r.died:
		return ""
	case rep == nil:
		return "there is no report"
	case last != int64(len(f.c.rows)) && rep.ExitCode < 2 && !r.resumed:
		return fmt.Sprintf("%d results of %d rows, exit %d", last, len(f.c.rows), rep.ExitCode)
	case rep.ExitCode < worst || worst == 0 && rep.ExitCode == 3:
		return fmt.Sprintf("exit %d, the rows say %d", rep.ExitCode, worst)
	}
	rows := map[string]int64{"applied": rep.Rows.Applied, "accepted": rep.Rows.Accepted, "skipped": rep.Rows.Skipped,
		"rejected": rep.Rows.Rejected, "unknown": rep.Rows.Unknown, "unsent": rep.Rows.Unsent}
	for status, n := range rows {
		if statuses[status] != n {
			return fmt.Sprintf("the report counts %d rows as %s, there are %d", n, status, statuses[status])
		}
	}
	if c := rep.Consent; c != nil && (c.Already != counts.Already || c.ScopeList != counts.ScopeList ||
		c.ScopeGlobal != counts.ScopeGlobal || c.Unmailable != counts.Unmailable) {
		return fmt.Sprintf("the report counts %+v, the lines %+v", *c, counts)
	}
	return ""
}

// judgeLine compares a line with the account at each moment of its run.
func (f *sharedRun) judgeLine(r *sharedResult, l *consentLine, ledger []simulator.Entry) string {
	row := &f.c.rows[l.Row-1]
	p := &f.c.people[row.person]
	if l.Status != "applied" {
		if f.c.allShow() && r.waited && !r.resumed && p.kind != "refused" && !f.double() && f.c.cancelAfter == 0 &&
			f.c.killAt == 0 && l.Code != "duplicate" && !(f.c.withdraw && !f.c.listless && !p.member) &&
			!(f.c.history && p.consent == "UNSUBSCRIBED") && l.Code != "same_profile" {
			return "it is good, and nothing went wrong"
		}
		return ""
	}
	if !r.waited && len(f.runs) == 1 {
		return "nothing was read back"
	}
	states, key := f.states(), strings.ToLower(f.c.key(row))
	shown := func() bool {
		for _, s := range states {
			if slices.Contains(s.names, key) && f.shows(s, l.Channels, true) {
				return true
			}
		}
		return false
	}
	ever, before := false, false
	for i := range ledger {
		e := &ledger[i]
		if e.At.After(r.ended) {
			break
		}
		if e.At.After(f.runs[0].began) || e.At.After(r.began) {
			ever = ever || shown()
		}
		f.change(states, e)
	}
	if ever = ever || shown(); !ever {
		return "the account never showed that"
	}
	states = f.states()
	for i := range ledger {
		if ledger[i].At.Before(r.began) {
			f.change(states, &ledger[i])
		}
	}
	for _, s := range states {
		before = before || slices.Contains(s.names, key) && f.shows(s, l.Channels, false)
	}
	if l.Already && !before && f.c.by != "phone_number" && !f.c.history {
		return "it was not so before the run"
	}
	return ""
}

// double reports whether people have to confirm a subscribe.
func (f *sharedRun) double() bool {
	return !f.c.withdraw && !f.c.history && (f.c.double && !f.c.listless || f.c.listless && !f.c.account.SingleOptIn)
}

// shows reports whether a profile has the consent of the channels that a row asks for.
func (f *sharedRun) shows(s *sharedState, channels []string, list bool) bool {
	want := "SUBSCRIBED"
	if f.c.withdraw {
		want = "UNSUBSCRIBED"
	}
	for _, channel := range channels {
		left := f.c.withdraw && !f.c.listless && channel == "email" && s.left
		if s.of[channel] != want && !left {
			return false
		}
	}
	if !list || f.c.listless || slices.Equal(channels, []string{"sms-transactional"}) && !f.c.withdraw {
		return true
	}
	return s.on != f.c.withdraw
}
