package pipeline

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
)

// A second run with a state skips a person whose row is the same, also one with capital letters. Where an earlier row
// of the run changes the person, it sends the row all the same: Klaviyo would keep the other profile.
func TestStateOfTwoRuns(t *testing.T) {
	t.Parallel()
	url, list, _ := served(t, 0, simulator.Options{})
	o := checkOptions(t)
	o.Client = newClient(t, &sink.Options{
		BaseURL: url, Alone: true, Concurrency: 1, RateShare: 100, RetryFor: time.Minute,
	})
	o.State = &StateOptions{File: filepath.Join(t.TempDir(), "state")}
	o.List, o.Wait, o.WaitTimeout, o.MaxOpenJobs = sink.ListRef{ID: list}, true, time.Minute, 8
	o.Window = 1 // the same person in the row after next is no duplicate
	const ann, changed, bo = `{"email":"a@b.example","n":1}`, `{"email":"a@b.example","n":2}`, `{"email":"Bo@b.example"}`
	for _, run := range []struct{ in, want string }{
		{ann + "\n" + bo, "1 applied, 2 applied"},
		{changed + "\n" + bo + "\n" + ann, "1 applied, 2 skipped unchanged, 3 applied"},
	} {
		var out bytes.Buffer
		if _, err := Run(t.Context(), o, strings.NewReader(run.in), &out); err != nil {
			t.Error(err)
		}
		if rows, _ := parse(t, out.Bytes()); brief(rows) != run.want {
			t.Errorf("got %s, want %s", brief(rows), run.want)
		}
	}
}
