package sink

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Kind is the reason why a run ends.
type Kind uint8

// Kinds of Error.
const (
	Setup   Kind = iota // key, list or request is wrong: fix it before the next run
	Outage              // Klaviyo or the network failed for too long: run it again later
	Stopped             // the context ended
)

// Error ends a run. Hint, if not empty, says what to do.
type Error struct {
	Kind   Kind
	Hint   string
	status int           // of the answer that caused it, 0 for none
	lost   bool          // a request was sent whose answer is not known
	gone   bool          // the list was deleted during the run
	closed time.Duration // how long a 429 closes the endpoint
	pause  time.Duration // how long a 503 asks to wait
	brief  string        // the last failure of an Outage in a few words
	err    error
}

func (e *Error) Error() string { return e.err.Error() }

func (e *Error) Unwrap() error { return e.err }

func setupError(hint, format string, args ...any) *Error {
	return &Error{Kind: Setup, Hint: hint, err: fmt.Errorf(format, args...)}
}

// ListGone reports whether an error says that its list was deleted during the run.
func ListGone(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.gone
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// notFound is a setupError about an answer with status 404.
func notFound(hint, format string, args ...any) *Error {
	err := setupError(hint, format, args...)
	err.status = http.StatusNotFound
	return err
}
