package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
)

// tooEarly is part of the error of a command that would ask for consent again.
const tooEarly = "twice within 30 minutes"

// play runs the command of a step to its end. It may end the process early, and then continues with --resume, with
// pick, or not at all. Rows that are only accepted may be waited for later.
func (a *actor) play(s *step) string {
	s.started, s.last = time.Now(), s.verb
	sent := a.door.requests.Load()
	defer func() { s.requests = a.door.requests.Load() - sent }()
	rows, kills := s.rows, max(a.dice.IntN(6)-2, 0)
	if s.plan || s.dry {
		kills = 0 // nothing is continued
	}
	args := s.args
	for {
		e, err := a.attempt(s, args, rows, kills > 0)
		if err != nil {
			return err.Error()
		}
		if wrong := s.read(rows, e); wrong != "" {
			return wrong
		}
		if s.late = e.late; s.late {
			s.unfinished = true
			return ""
		}
		if !e.signaled && e.exit != 130 && e.exit != 143 {
			if e.exit == 2 && s.kills > 0 && strings.Contains(e.said, tooEarly) {
				s.unfinished = true // nobody has half an hour here
				return ""
			}
			break
		}
		s.kills++
		kills--
		switch how := a.dice.IntN(6); {
		case how == 0:
			s.unfinished = true
			return ""
		case how == 1 && s.verb != "mirror" && !s.counted: // mirror would remove everybody whose row is not picked
			if rows, err = a.pick(s, rows); err != nil {
				return err.Error()
			}
			if len(rows) == 0 {
				s.unfinished = true // nothing is left to be sent
				return ""
			}
			args, s.picked = s.args, true
			if err := os.Remove(s.results); err != nil {
				return err.Error()
			}
			s.gone = nil
		default:
			args = append(slices.Clone(s.args), "--resume", s.results)
		}
	}
	if wrong := a.confirmSome(s); wrong != "" {
		return wrong
	}
	accepted := slices.ContainsFunc(rows, func(r *row) bool { return r.got.Status == "accepted" })
	if accepted && s.exit <= 1 && a.dice.IntN(2) == 0 {
		return a.waitFor(s, rows)
	}
	return ""
}

// attempt runs the command once, and may end the process early.
func (a *actor) attempt(s *step, args []string, rows []*row, kill bool) (ended, error) {
	out, err := os.OpenFile(s.results, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return ended{}, err
	}
	defer out.Close()
	p := &process{args: args, in: s.write(rows), out: out, hurry: a.hurries(s)}
	if kill {
		p.signal, p.after = pick(a.dice, signals...), time.Duration(5+a.dice.IntN(400))*time.Millisecond
	}
	if s.verb == "mirror" && !kill && a.dice.IntN(2) == 0 {
		defer a.joinLater(s)()
	}
	e, err := a.start(p)
	s.events = append(s.events, fmt.Sprintf("%s exit %d %s %v", args[0], e.exit, p.signal, p.after))
	return e, err
}

// joinLater lets somebody join the list as soon as the process asks for something. The function that it returns waits.
func (a *actor) joinLater(s *step) (wait func()) {
	n, from := len(a.people), a.door.requests.Load()
	p := &person{email: fmt.Sprintf("later-%sp%d@example.com", a.tag, n), external: fmt.Sprintf("x-%sp%d", a.tag, n),
		phone: fmt.Sprintf("+4930%08d", 20_000_000+a.account.numbers.Add(1))}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // wait waits for it
		defer close(done)
		for a.door.requests.Load() == from {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
		a.account.sim.Add(simulator.Profile{
			Email: p.email, Phone: p.phone, External: p.external, Lists: []string{a.lists[0].name},
		})
		s.later = append(s.later, p)
	}()
	return func() { close(stop); <-done; a.people = append(a.people, s.later...) }
}

// pick runs pick for the rows that have no end, and returns them: none where it is too early to ask for consent again.
func (a *actor) pick(s *step, rows []*row) ([]*row, error) {
	s.events = append(s.events, "pick")
	e, err := a.start(&process{
		args: []string{"pick", "--status", "unknown,unsent,missing", s.results}, in: s.write(rows),
	})
	if err == nil && e.exit == 2 && s.channels != nil && strings.Contains(e.said, tooEarly) {
		return nil, nil
	}
	if err != nil || e.exit != 0 {
		return nil, fmt.Errorf("pick: exit %d, %v: %s", e.exit, err, e.said)
	}
	left := slices.DeleteFunc(slices.Clone(rows), func(r *row) bool {
		return !slices.Contains([]string{"unknown", "unsent", "missing"}, r.got.Status)
	})
	want, got := text(left), bytes.ReplaceAll(e.out, []byte("\r"), nil)
	if !bytes.Equal(got, want) {
		return nil, fmt.Errorf("pick: expected\n%sgot\n%s", want, e.out)
	}
	return left, nil
}

// hurries reports whether the next process may wait half an hour for a request for consent: a killed process has not
// sent it, or its answer was lost, and Klaviyo had refused it.
func (a *actor) hurries(s *step) bool {
	return s.channels != nil && (s.kills > 0 || a.account.unsure[s.verb])
}

// waitFor runs wait on the results and reads the new ones.
func (a *actor) waitFor(s *step, rows []*row) string {
	in, err := os.ReadFile(s.results)
	if err != nil {
		return err.Error()
	}
	args := []string{"wait", "--base-url", a.door.url, "--quiet"}
	if s.verb == "add" && a.dice.IntN(3) == 0 {
		args = append(args, "--verify")
	}
	e, err := a.start(&process{args: args, in: in, hurry: a.hurries(s)})
	if err != nil {
		return err.Error()
	}
	s.events = append(s.events, fmt.Sprintf("%v exit %d", args[3:], e.exit))
	s.waited, s.last, s.late = true, "wait", e.late
	s.unfinished = e.late
	if err := os.WriteFile(s.results, e.out, 0o600); err != nil {
		return err.Error()
	}
	return s.read(rows, e)
}

// read reads the results so far of the rows. The last line of a row counts.
func (s *step) read(rows []*row, e ended) string {
	s.exit, s.said, s.report = e.exit, e.said, nil
	results, err := os.ReadFile(s.results)
	if err != nil {
		return err.Error()
	}
	for _, r := range rows {
		r.got = result{Status: "missing"}
	}
	s.gone = map[string]string{}
	cut, last := 0, int64(0)
	for line := range bytes.Lines(results) {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			if cut++; cut > s.kills+1 {
				return fmt.Sprintf("a line of the results is not JSON: %s", line)
			}
			continue
		}
		switch {
		case r.Type == "report":
			s.report = new(report.Report)
			if err := json.Unmarshal(line, s.report); err != nil {
				return fmt.Sprintf("a report is not JSON: %s", line)
			}
			last = 0
		case r.Type == "removing": // another line follows, unless the process was killed
		case r.Type == "member":
			s.gone[r.ProfileID] = r.Status
		case r.Row < 1 || r.Row > int64(len(rows)):
			return fmt.Sprintf("a result of a row that is not there: %s", line)
		case r.Row <= last && s.kills == 0:
			return fmt.Sprintf("results are not in the order of the rows: %s", line)
		case rows[r.Row-1].got.final() && !r.settles(&rows[r.Row-1].got):
			return fmt.Sprintf("a row that was finished has another result: %s", line)
		default:
			rows[r.Row-1].got, last = r, r.Row
		}
	}
	s.halted = s.halted || s.halts && s.report != nil && strings.Contains(s.report.Error, "stopped at row")
	if e.signaled {
		s.report = nil
	} else if s.report == nil {
		return fmt.Sprintf("exit %d without a report", e.exit)
	} else if s.report.ExitCode != e.exit {
		return fmt.Sprintf("exit %d, but %d in the report", e.exit, s.report.ExitCode)
	}
	return ""
}
