package pipeline

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/validate"
)

// full is an output that fails after so many bytes.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	n := min(f.left, len(p))
	f.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// When results cannot be written, sending stops. The error says how far the results go, which rows may have been sent
// and how to go on.
func TestBrokenOutput(t *testing.T) {
	o, sim := addOptions(t, nil)
	o.Concurrency = 1
	one := len(`{"type":"row","row":1,"status":"accepted","key":"p0@example.com","job":"`)
	rep, err := Run(t.Context(), o, &endless{}, &full{left: 3*one + 400})
	if rep.ExitCode != 2 || !errors.Is(err, errFull) {
		t.Fatalf("exit %d, error %v", rep.ExitCode, err)
	}
	for _, part := range []string{"results were written up to row ", "may have been sent without a result"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %v: want one with %q", err, part)
		}
	}
	const hint = "write the results where there is room, and continue: add --resume RESULTS … < ROWS >> RESULTS"
	var own *Error
	if !errors.As(err, &own) || own.Hint != hint {
		t.Errorf("error %#v: want one with the hint %q", err, hint)
	}
	if n := sim.Requests()["POST /api/profile-bulk-import-jobs 202"]; n > 4 {
		t.Errorf("%d requests although the first result could not be written", n)
	}
}

// The error of a broken output names the row of the last result, also where the results of earlier rows are in another
// file.
func TestBrokenOutputOfAResumedRun(t *testing.T) {
	o, _ := addOptions(t, nil)
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 300)), &out); err != nil {
		t.Fatal(err)
	}
	o.Resume = earlierResults(t, out.Bytes())
	line := len(strings.Split(out.String(), "\n")[299]) + 1
	_, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 320)), &full{left: 3*line + line/2})
	const want = "; results were written up to row 303; later rows, up to row 320, may have been sent without a result"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v: want one with %q", err, want)
	}
}

// A run that cannot begin sends nothing and writes a report that says why.
func TestRefuse(t *testing.T) {
	o, sim := addOptions(t, nil)
	why := errors.New("no API key")
	var out bytes.Buffer
	rep, err := Refuse(t.Context(), o, why, &out)
	if _, written := parse(t, out.Bytes()); !errors.Is(err, why) || rep.ExitCode != 2 || written.Error != "no API key" ||
		written.List.Name != "News" {
		t.Errorf("error %v, report %+v", err, written)
	}
	if n := len(sim.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// A dry run looks the list up and sends nothing.
func TestDryRun(t *testing.T) {
	o, sim := addOptions(t, nil)
	o.DryRun = true
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 2)), &out); err != nil {
		t.Fatal(err)
	}
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 valid, 2 valid" {
		t.Errorf("got %s", got)
	}
	if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 2}, sim.Requests()); diff != "" {
		t.Error(diff)
	}
}

// The timeline has every request of the run.
func TestTimelineHasRequests(t *testing.T) {
	t.Parallel()
	o, sim := addOptions(t, nil)
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 30)), &out); err != nil {
		t.Fatal(err)
	}
	_, rep := parse(t, out.Bytes())
	sum, all := int64(0), 0
	for _, b := range rep.Timeline {
		sum += b.Requests
	}
	for _, n := range sim.Requests() {
		all += n
	}
	if sum != int64(all) {
		t.Errorf("the timeline has %d requests, the server %d: %v", sum, all, sim.Requests())
	}
}

// Nobody is unsubscribed from a list when the output cannot be told before: a run that is killed then would leave no
// trace, and a second request may be for the whole account.
func TestBrokenOutputBeforeUnsubscribing(t *testing.T) {
	o, sim := addOptions(t, nil)
	o.Operation, o.Consent = validate.Unsubscribe, &ConsentOptions{Channels: sink.EmailMarketing}
	checker, err := validate.New(validate.Options{Operation: validate.Unsubscribe, Channels: validate.EmailMarketing})
	if err != nil {
		t.Fatal(err)
	}
	o.Checker = checker
	sim.Add(simulator.Profile{Email: "p0@example.com", Lists: []string{"News"}})
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 1)), &full{})
	if rep.ExitCode != 2 || !errors.Is(err, errFull) || rep.Rows.Unsent != 1 {
		t.Errorf("exit %d, error %v, %+v", rep.ExitCode, err, rep.Rows)
	}
	if n := sim.Requests()["POST /api/profile-subscription-bulk-delete-jobs 202"]; n > 0 {
		t.Errorf("%d requests", n)
	}
}
