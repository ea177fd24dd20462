package pipeline

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// maxConsents is how many stretches of rows wait at once for their consent to show: a million rows, some 100 MB.
const maxConsents = 1_000

// consents is the stage that reads consent back until it shows: many stretches of rows at once, results handed on in
// order. It works where settles and verifies do nothing.
type consents struct {
	control *control
	reader  *sink.Consents // nil: consent is not waited for
	timeout time.Duration
	emit    func(*results)
	stream  *stream.Stream
}

func newConsents(c *control, reader *sink.Consents, timeout time.Duration, emit func(*results)) *consents {
	return &consents{
		control: c, reader: reader, timeout: timeout, emit: emit, stream: stream.New().WithMaxGoroutines(maxConsents),
	}
}

// add waits for the consent of the rows and hands the results on. It blocks while enough of them wait.
func (s *consents) add(ctx context.Context, r *results) {
	if s.reader == nil {
		s.emit(r)
		return
	}
	s.stream.Go(func() stream.Callback {
		s.settle(ctx, r)
		return func() { s.emit(r) }
	})
}

// wait returns when all results are handed on.
func (s *consents) wait() { s.stream.Wait() }

// settle waits until the consent of the rows shows, as far as they were sent.
func (s *consents) settle(ctx context.Context, r *results) {
	defer s.control.guard()
	s.control.begin("consent")
	n := r.consenting()
	if n == 0 || ctx.Err() != nil {
		return
	}
	s.control.consenting.Add(n)
	defer s.control.consenting.Add(-n)
	reader := s.reader
	if r.to != nil {
		reader = r.to.consents
	}
	if reader == nil {
		return // the list was deleted since
	}
	err := reader.Settle(ctx, time.Now().Add(s.timeout), r.asked, func(row uint32) string {
		return plain(r.key(int(row)))
	})
	if err != nil && !(r.to != nil && sink.ListGone(err)) { // other lists go on
		s.control.stop(err)
	}
}

// ask notes that Klaviyo was, or would be, asked for the consent of the row that is entered.
func (r *results) ask(p *sink.Profile) {
	c := sink.Consented{Row: uint32(r.at), Channels: p.Channels}
	if at, ok := consentedAt(p.JSON); ok {
		c.Given = at.Unix()
	}
	other := numberMember
	if bytes.IndexByte(r.key(r.at), '@') < 0 {
		other = emailMember
	}
	c.Other, _ = member(p.JSON, other)
	if r.again && p.Status == sink.Unknown {
		c.Lost = &sink.Profile{JSON: bytes.Clone(p.JSON), Channels: p.Channels}
	}
	r.asked = append(r.asked, c)
}

// askAgain notes that an earlier run asked for the consent of the row that is entered.
func (r *results) askAgain(e *report.Entry) {
	c := sink.Consented{Row: uint32(r.at), Other: e.Other}
	for set, names := range channelNames {
		if slices.Equal(names, e.Channels) {
			c.Channels = sink.Channels(set)
		}
	}
	if !e.ConsentedAt.IsZero() {
		c.Given = e.ConsentedAt.Unix()
	}
	r.asked = append(r.asked, c)
}

// The beginnings of members that the checks have written.
var (
	consentedAtMember = []byte(`"consented_at":"`)
	numberMember      = []byte(`"phone_number":"`)
	emailMember       = []byte(`"email":"`) // of subscriptions it is an object
)

// consentedAt reads the time of a historical consent as the checks have written it.
func consentedAt(profile []byte) (at time.Time, ok bool) {
	text, ok := member(profile, consentedAtMember)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// member returns the text of a member of a profile that needs no escapes. name is its beginning.
func member(profile, name []byte) (text string, ok bool) {
	_, rest, ok := bytes.Cut(profile, name)
	value, _, _ := bytes.Cut(rest, []byte{'"'})
	return string(value), ok
}

// consenting gives a status to the rows of asked whose consent may show: they are accepted, or their answers are lost.
// It returns how many they are.
func (r *results) consenting() (rows int64) {
	for n := range r.shared {
		line := &r.shared[n].line
		status := sink.Accepted
		switch {
		case line.Status == report.Unknown && line.Code == sink.AnswerLost.Code:
			status = sink.Unknown
		case line.Status != report.Accepted:
			continue
		}
		var fault *sink.Fault
		if line.Code != "" {
			fault = &sink.Fault{Code: line.Code, Column: line.Column, Detail: line.Detail}
		}
		asked := r.asked
		for row := range r.rowsOf(n) {
			for len(asked) > 0 && int(asked[0].Row) < row {
				asked = asked[1:]
			}
			if len(asked) > 0 && int(asked[0].Row) == row {
				asked[0].Status, asked[0].Fault = status, fault
				rows++
			}
		}
	}
	return rows
}

// enterConsent enters what is known of a row's consent into its line. It reports whether the consent should show, and
// does not.
func enterConsent(c *sink.Consented, line *report.Line) (late bool) {
	line.Consent = &report.Consent{Channels: channelNames[c.Channels], Other: c.Other}
	if c.Given != 0 {
		line.Consent.Given = time.Unix(c.Given, 0)
	}
	if c.Status == sink.Unsent { // it was not read back
		return false
	}
	line.Stage, line.Code, line.Column, line.Detail = "", "", "", ""
	if c.Fault != nil {
		line.Code, line.Column, line.Detail = c.Fault.Code, c.Fault.Column, c.Fault.Detail
	}
	switch c.Status {
	case sink.Applied:
		line.Status = report.Applied
		line.Consent.Shown, line.Consent.State, line.Consent.Scope = true, c.State, scopes[c.Scope]
		line.Consent.Mailable, line.Consent.Already = c.Mailable, c.Already
		if line.Consent.Given = (time.Time{}); c.At != 0 {
			line.Consent.Given = time.Unix(c.At, 0)
		}
	case sink.Accepted:
		line.Status = report.Accepted
		return line.Code != report.Pending
	case sink.Unknown:
		line.Status = report.Unknown
	case sink.Rejected:
		line.Status, line.Stage = report.Rejected, "request"
	case sink.Skipped:
		line.Status = report.Skipped
	}
	return false
}

// scopes are the words for where consent was withdrawn.
var scopes = [...]string{sink.Nowhere: "", sink.OneList: "list", sink.Everywhere: "global"}

// channelNames are the names of all sets of channels.
var channelNames = func() (names [8][]string) {
	for set := range names {
		names[set] = validate.Channels(set).Names()
	}
	return names
}()
