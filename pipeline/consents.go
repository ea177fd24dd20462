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

// maxConsents is how many stretches of rows wait at once for their consent to show. At the quota of the look-ups that is
// two minutes of rows.
const maxConsents = 160

// consents is the stage that reads consent back until it shows: many stretches of rows at once, results handed on in
// order. It stands where settles and verifies do nothing.
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
	sent := r.consenting()
	if len(sent) == 0 || ctx.Err() != nil {
		return
	}
	rows := make([]sink.Consented, len(sent))
	for i, n := range sent {
		rows[i] = r.consented(n)
	}
	s.control.consenting.Add(int64(len(rows)))
	defer s.control.consenting.Add(-int64(len(rows)))
	reader := s.reader
	if r.to != nil {
		reader = r.to.consents
	}
	if err := reader.Settle(ctx, time.Now().Add(s.timeout), rows); err != nil {
		s.control.stop(err)
	}
	for i, n := range sent {
		r.asked[n].read = &rows[i]
	}
}

// asking is a row whose consent Klaviyo was asked for.
type asking struct {
	row      int // index in results
	channels sink.Channels
	given    int64           // of a historical consent, Unix seconds; 0 for none
	lost     *sink.Profile   // the row as it was sent, if its answer was lost and it may be sent again
	line     *report.Line    // the row's result before it is read back
	read     *sink.Consented // nil for a row that was not read back
}

// ask notes that Klaviyo was, or would be, asked for the consent of the row that is entered.
func (r *results) ask(p *sink.Profile) {
	a := asking{row: r.at, channels: p.Channels}
	if at, ok := consentedAt(p.JSON); ok {
		a.given = at.Unix()
	}
	if r.again && p.Status == sink.Unknown {
		a.lost = &sink.Profile{JSON: bytes.Clone(p.JSON), Channels: p.Channels}
	}
	r.asked = append(r.asked, a)
}

// askAgain notes that an earlier run asked for the consent of the row that is entered.
func (r *results) askAgain(e *report.Entry) {
	a := asking{row: r.at}
	for set, names := range channelNames {
		if slices.Equal(names, e.Channels) {
			a.channels = sink.Channels(set)
		}
	}
	if !e.ConsentedAt.IsZero() {
		a.given = e.ConsentedAt.Unix()
	}
	r.asked = append(r.asked, a)
}

var consentedAtMember = []byte(`"consented_at":"`)

// consentedAt reads the time of a historical consent as the checks have written it.
func consentedAt(profile []byte) (at time.Time, ok bool) {
	_, rest, ok := bytes.Cut(profile, consentedAtMember)
	if !ok {
		return time.Time{}, false
	}
	text, _, _ := bytes.Cut(rest, []byte{'"'})
	at, err := time.Parse(time.RFC3339, string(text))
	return at, err == nil
}

// consenting returns the places in asked of the rows whose consent may show: they are accepted, or their answers are
// lost. It notes their results.
func (r *results) consenting() (places []int) {
	for n := range r.shared {
		line := &r.shared[n].line
		if line.Status != report.Accepted && line.Code != sink.AnswerLost.Code {
			continue
		}
		place := 0
		for row := range r.rowsOf(n) {
			for place < len(r.asked) && r.asked[place].row < row {
				place++
			}
			if place < len(r.asked) && r.asked[place].row == row {
				r.asked[place].line = line
				places = append(places, place)
			}
		}
	}
	slices.Sort(places)
	return places
}

// consented is a row to be read back.
func (r *results) consented(n int) sink.Consented {
	a := &r.asked[n]
	c := sink.Consented{
		Value: plain(r.key(a.row)), Channels: a.channels, Lost: a.lost, Status: sink.Accepted,
	}
	if a.given != 0 {
		c.Given = time.Unix(a.given, 0)
	}
	if a.line.Code != "" {
		c.Fault = &sink.Fault{Code: a.line.Code, Column: a.line.Column, Detail: a.line.Detail}
	}
	if a.line.Status == report.Unknown {
		c.Status = sink.Unknown
	}
	return c
}

// enter enters what is known of the consent into the row's line. It reports whether the consent should show, and does
// not.
func (a *asking) enter(line *report.Line) (late bool) {
	line.Consent = &report.Consent{Channels: channelNames[a.channels]}
	if a.given != 0 {
		line.Consent.Given = time.Unix(a.given, 0)
	}
	c := a.read
	if c == nil {
		return false
	}
	line.Stage, line.Code, line.Column, line.Detail = "", "", "", ""
	if c.Fault != nil {
		line.Code, line.Column, line.Detail = c.Fault.Code, c.Fault.Column, c.Fault.Detail
	}
	switch c.Status {
	case sink.Applied:
		line.Status = report.Applied
		line.Consent.Shown, line.Consent.State, line.Consent.Given = true, c.Shown.State, c.Shown.Given
		line.Consent.Mailable, line.Consent.Already, line.Consent.Scope = c.Shown.Mailable, c.Shown.Already, c.Shown.Scope
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

// channelNames are the names of all sets of channels.
var channelNames = func() (names [8][]string) {
	for set := range names {
		names[set] = validate.Channels(set).Names()
	}
	return names
}()
