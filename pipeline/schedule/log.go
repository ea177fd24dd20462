package schedule

import (
	"fmt"
	"time"

	"github.com/segmentio/encoding/json"
)

// line is a line of the log about a run.
type line struct {
	Type      string     `json:"type"`
	Scheduled time.Time  `json:"scheduled"`
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	ExitCode  *int       `json:"exit_code,omitempty"`
	Skipped   string     `json:"skipped,omitempty"` // why: overtime or delayed
	Error     string     `json:"error,omitempty"`   // why there is no exit status
}

// clockLine is a line of the log about a clock that was set back.
type clockLine struct {
	Type string    `json:"type"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func (r *runner) log(l any) error {
	text, err := json.Append(nil, l, 0)
	if err != nil {
		return err
	}
	if _, err := r.Log.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write the log of runs: %w", err)
	}
	return nil
}
