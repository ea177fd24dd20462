package pipeline

import (
	"runtime"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/pipeline/state"
	"klaviyo-export/validate"
)

// checks is the stage that checks rows and encodes the good ones as profiles: chunks at once, handed on in order.
type checks struct {
	control *control
	checker *validate.Checker
	state   *state.State // nil: profiles are not compared
	emit    func(*chunk)
	stream  *stream.Stream // runs the checks at once, and what they return in the order of the chunks
	broken  bool           // a chunk was lost: the rows behind it have no numbers
}

func newChecks(c *control, checker *validate.Checker, emit func(*chunk)) *checks {
	return &checks{
		control: c, checker: checker, emit: emit, stream: stream.New().WithMaxGoroutines(runtime.GOMAXPROCS(0)),
	}
}

// add checks a chunk and hands it on. It blocks while as many chunks are being checked as there are processors.
func (s *checks) add(c *chunk) {
	s.stream.Go(func() (then stream.Callback) {
		then = func() { s.broken = true }
		defer s.control.guard()
		s.control.begin("check")
		c.check(s.checker)
		if s.state != nil {
			c.hash(s.state, s.checker)
		}
		return func() { s.pass(c) }
	})
}

func (s *checks) pass(c *chunk) {
	if s.broken {
		c.release()
		return
	}
	s.emit(c)
}

// wait returns when all chunks are handed on.
func (s *checks) wait() { s.stream.Wait() }
