package pipeline

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/validate"
)

// consentLine is a line of results.
type consentLine struct {
	line
	Channels    []string
	Consent     string
	ConsentedAt string `json:"consented_at"`
	Mailable    bool
	Already     bool
	Scope       string
}

// consentState is what the account shows of a profile.
type consentState struct {
	of       map[string]string // by channel
	on, left bool              // on the list; unsubscribed from it alone
}

// states are those of all profiles when the last run ended, by email, phone number and external id.
func (f *consentRun) states() (map[string]*consentState, string) {
	byID := map[string]*consentState{}
	for id, i := range f.ids {
		p := &f.people[i]
		byID[id] = &consentState{of: map[string]string{"email": p.consent}, on: p.member}
	}
	for _, e := range f.sim.Ledger() {
		if e.At.After(f.ended) { // the ledger lets what waits have its effect
			continue
		}
		s := byID[e.Profile]
		if s == nil {
			s = &consentState{of: map[string]string{}}
			byID[e.Profile] = s
		}
		switch change, channel, _ := strings.Cut(e.Change, " "); {
		case change == "subscribed", change == "unsubscribed":
			s.of[channel] = strings.ToUpper(change)
		case change == "left_list":
			s.left = true
		case e.List != f.list:
		case change == "joined", change == "left":
			s.on = change == "joined"
		}
	}
	res, err := http.Get(f.url + "/simulator/profiles")
	if err != nil {
		return nil, err.Error()
	}
	defer res.Body.Close()
	var profiles []struct {
		ID       string `json:"id"`
		Email    string `json:"email"`
		Phone    string `json:"phone_number"`
		External string `json:"external_id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&profiles); err != nil {
		return nil, err.Error()
	}
	states := map[string]*consentState{}
	for _, p := range profiles {
		if s := byID[p.ID]; s != nil {
			states[strings.ToLower(p.Email)], states[p.Phone], states[p.External] = s, s, s
		}
	}
	return states, ""
}

// judgeLines compares the results with the account.
func (f *consentRun) judgeLines(out []byte, rep *report.Report) string {
	states, wrong := f.states()
	if wrong != "" {
		return wrong
	}
	lines, last := map[int64]*consentLine{}, int64(0)
	for text := range bytes.Lines(out) {
		if bytes.HasPrefix(text, []byte(`{"type":"report"`)) {
			continue
		}
		l := new(consentLine)
		if err := json.Unmarshal(text, l); err != nil {
			return fmt.Sprintf("a line is not JSON: %s", text)
		}
		if lines[l.Row] != nil && !f.resumed || l.Row > int64(len(f.rows)) {
			return fmt.Sprintf("a second result of row %d", l.Row)
		}
		if l.Row <= last && !f.resumed {
			return fmt.Sprintf("row %d comes after row %d", l.Row, last)
		}
		last, lines[l.Row] = l.Row, l
	}
	if len(lines) != len(f.rows) && rep.ExitCode != 2 && rep.ExitCode != 4 {
		return fmt.Sprintf("%d results of %d rows, exit %d", len(lines), len(f.rows), rep.ExitCode)
	}
	for i := range f.rows {
		l := lines[int64(i+1)]
		if l == nil {
			continue
		}
		r := &f.rows[i]
		email, phone := f.identifiers(r)
		key := map[string]string{"email": email, "phone_number": phone, "external_id": f.people[r.person].external()}[f.by]
		if wrong := f.judgeRow(i, l, states[key]); wrong != "" {
			return fmt.Sprintf("row %d, %s %s: %s", i+1, l.Status, l.Code, wrong)
		}
	}
	return f.judgeExit(lines, rep.ExitCode)
}

// alone reports whether no other row is about the row's person, or has its phone number.
func (f *consentRun) alone(row int) bool {
	own := &f.rows[row]
	_, phone := f.identifiers(own)
	for i := range f.rows {
		other := &f.rows[i]
		_, number := f.identifiers(other)
		about := other.person == own.person || other.other == own.person || phone != "" && number == phone
		if i != row && !other.bad && about {
			return false
		}
	}
	return own.other < 0
}

// sentAs reports whether a request was answered like that and named the row's person.
func (f *consentRun) sentAs(r *consentRow, answered func(*edgeRequest) bool) bool {
	email, phone := f.identifiers(r)
	return slices.ContainsFunc(f.edge.sent, func(sent *edgeRequest) bool {
		return answered(sent) && (slices.Contains(sent.named, email) || slices.Contains(sent.named, phone))
	})
}

// masked reports whether a fault says that a request was accepted which may have been refused.
func (f *consentRun) masked() bool {
	return slices.ContainsFunc(f.faults, func(fault simulator.Fault) bool { return fault.Status == http.StatusAccepted })
}

// double reports whether people have to confirm.
func (f *consentRun) double() bool {
	if f.listless {
		return !f.single
	}
	return f.optIn == "double_opt_in"
}

// judgeRow judges the result of a row.
func (f *consentRun) judgeRow(i int, l *consentLine, shown *consentState) string {
	r := &f.rows[i]
	p := &f.people[r.person]
	reached := f.reached(r)
	plain := p.kind == "plain" && f.alone(i) && !f.resumed && !f.masked() && !f.shared(r)
	if mail := reached & validate.EmailMarketing; f.withdraw && !p.known && (mail != reached && f.by == "email" ||
		mail != 0 && f.by == "phone_number") {
		plain = false // email and phone number become two profiles, and the key finds only one of them
	}
	opted := !f.double() || f.historical || f.withdraw || reached == validate.SMSTransactional
	switch l.Status {
	case "applied":
		if !f.waited || r.bad {
			return "nothing proves it"
		}
		if f.shared(r) && f.by == "phone_number" {
			return "" // Klaviyo may have chosen another of them
		}
		if wrong := f.judgeApplied(l, shown); wrong != "" {
			return wrong
		}
		want := map[bool]string{false: "SUBSCRIBED", true: "UNSUBSCRIBED"}[f.withdraw]
		if l.Already && f.alone(i) && !f.resumed && p.consent != want {
			return "it was not so before"
		}
		if plain && opted && !f.sentAs(r, (*edgeRequest).lost) {
			return f.judgeShown(p, l)
		}
	case "accepted":
		switch {
		case !f.sentAs(r, func(sent *edgeRequest) bool { return sent.status == http.StatusAccepted }):
			return "no request of it was accepted"
		case f.waited && f.confirmed[p.n] && r.other < 0 && !f.shared(r) && !f.resumed && f.exit != 4:
			return "the person has confirmed"
		case l.Code == report.Pending && (opted || f.listless):
			return "nobody has to confirm"
		case f.waited && plain && opted && f.exit != 4:
			return "the consent shows"
		}
	case "rejected":
		_, phone := f.identifiers(r)
		sms := reached&^validate.EmailMarketing != 0
		older := f.historical && p.consent == "UNSUBSCRIBED" && reached&validate.EmailMarketing != 0
		leaves := f.withdraw && !f.listless
		switch {
		case r.bad, reached == 0, f.by == "phone_number" && phone == "", older:
		case sms && strings.HasPrefix(phone, abroad) && !f.withdraw:
		case l.Code == "same_profile" && leaves && (!f.alone(i) || f.resumed || f.shared(r)):
		case l.Code == "several_profiles" && leaves && f.shared(r):
		default:
			return "it is good"
		}
	case "skipped":
		switch {
		case l.Code == "duplicate" && !f.alone(i):
		case l.Code == "not_on_list" && f.withdraw && !f.listless && (!p.member || !f.alone(i) || f.resumed || f.shared(r)):
		case l.Code == "profile_not_found" && f.by == "external_id" && !p.known:
		default:
			return "it is to be sent"
		}
	case "unknown":
		if !f.sentAs(r, (*edgeRequest).lost) {
			return "no answer was lost"
		}
	case "unsent":
		if f.exit != 4 && !f.resumed {
			return "the run went on"
		}
	default:
		return "an unexpected status"
	}
	return ""
}

// judgeApplied compares a row that is applied with what the account shows.
func (f *consentRun) judgeApplied(l *consentLine, shown *consentState) string {
	want := "SUBSCRIBED"
	if f.withdraw {
		want = "UNSUBSCRIBED"
	}
	if shown == nil {
		return "nobody has the identifier"
	}
	everywhere := false
	for _, channel := range l.Channels {
		everywhere = everywhere || shown.of[channel] == "UNSUBSCRIBED"
		leftList := f.withdraw && !f.listless && channel == "email" && shown.left
		if shown.of[channel] != want && !leftList {
			return fmt.Sprintf("the consent of %s is %q", channel, shown.of[channel])
		}
	}
	list := !f.listless && !slices.Equal(l.Channels, []string{"sms-transactional"})
	scope := ""
	if f.withdraw {
		if scope = "list"; everywhere {
			scope = "global"
		}
	}
	switch {
	case list && shown.on == f.withdraw:
		return fmt.Sprintf("on the list: %v", shown.on)
	case l.Scope != scope:
		return fmt.Sprintf("the scope is %q, the account shows %q", l.Scope, scope)
	case !f.withdraw && l.Consent != want:
		return "the consent is " + l.Consent
	}
	return ""
}

// judgeShown judges what the only row of a person shows, where nothing delays it.
func (f *consentRun) judgeShown(p *consentPerson, l *consentLine) string {
	mail := slices.Contains(l.Channels, "email")
	already := !f.withdraw && p.consent == "SUBSCRIBED" && mail && len(l.Channels) == 1
	switch {
	case l.Already != already:
		return fmt.Sprintf("already is %v", l.Already)
	case !f.withdraw && l.Mailable == (mail && p.suppression == "HARD_BOUNCE"):
		return fmt.Sprintf("mailable is %v", l.Mailable)
	case f.historical && !already && !mail && l.ConsentedAt != p.at().Format(time.RFC3339),
		f.historical && mail && p.consent != "SUBSCRIBED" && l.ConsentedAt != p.at().Format(time.RFC3339):
		return "it consented at " + l.ConsentedAt
	}
	return ""
}

// judgeExit compares the exit status with the rows.
func (f *consentRun) judgeExit(lines map[int64]*consentLine, exit int) string {
	worst := 0
	for _, l := range lines {
		switch {
		case l.Status == "accepted" && f.waited && l.Code != report.Pending:
			worst = 3
		case l.Status == "rejected", l.Status == "unknown", l.Status == "unsent":
			worst = max(worst, 1)
		}
	}
	switch {
	case exit == worst, f.resumed && !f.later:
	case exit == 4 && len(f.faults) > 0 && f.impatient:
	case exit == 2 && len(lines) == 0 && f.impatient: // the list could not be looked up
	default:
		return fmt.Sprintf("exit %d, the rows say %d", exit, worst)
	}
	return ""
}
