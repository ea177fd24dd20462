package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// A bound allows exactly as many rejected rows as it says. A share of the rows stops no run before 1,000 rows are
// read.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		text           string
		rejected, read int64
		allows, soFar  bool
	}{
		{"0", 0, 9, true, true},
		{"0", 1, 9, false, false},
		{"2", 2, 2, true, true},
		{"2", 3, 1 << 40, false, false},
		{"10%", 1, 10, true, true},
		{"10%", 1, 9, false, true},
		{"10%", 100, 100, false, true},
		{"10%", 101, 999, false, false},
		{"0.1%", 10, 10_000, true, true},
		{"0.1%", 11, 10_000, false, false},
		{"18.4%", 69, 375, true, true},
		{"18.4%", 70, 375, false, true},
		{"0.57%", 57, 10_000, true, true},
		{"0.000001%", 1, 100_000_000, true, true},
		{"0.000001%", 1, 99_999_999, false, false},
		{"50%", 1 << 61, 1 << 62, true, true},
		{"50%", 1<<61 + 1, 1 << 62, false, false},
		{"0%", 0, 0, true, true},
		{"0%", 1, 10_000, false, false},
		{"100%", 9, 9, true, true},
	} {
		t.Run(fmt.Sprintf("%s/%d of %d", c.text, c.rejected, c.read), func(t *testing.T) {
			var b Bound
			if err := b.UnmarshalText([]byte(c.text)); err != nil {
				t.Fatal(err)
			}
			if got := b.allows(c.rejected, c.read); got != c.allows {
				t.Errorf("allowed at the end: %v", got)
			}
			if got := b.allowsSoFar(c.rejected, c.read); got != c.soFar {
				t.Errorf("allowed so far: %v", got)
			}
		})
	}
}

// A bound that is not a number of rows or a share from 0 % to 100 % is an error.
func TestBoundsThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "%", "-1", "1.5", "-1%", "101%", "NaN%", "1 %", "x", ".%", "1.%", "0.0000001%", "1e1%", "+1", "+1%",
	} {
		if err := new(Bound).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// Rows that Klaviyo rejects count against the bound like those that the checks reject: in its answer or by their
// import job.
func TestStopOnRowsThatKlaviyoRejects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault simulator.Fault
		wait  bool
	}{
		{"in its answer", simulator.Fault{
			Do: "refuse", Times: -1, Addresses: []string{"p3@*"}, Code: "invalid", Detail: "Invalid.", Naming: "all",
		}, false},
		{"by their job", simulator.Fault{
			Do: "fail", Times: -1, Addresses: []string{"p3@*"}, Code: "invalid", Detail: "Invalid.",
			Payload: "full", Pointer: "index",
		}, true},
	} {
		for _, bound := range []int64{0, 1} {
			t.Run(fmt.Sprintf("%s/%d allowed", c.name, bound), func(t *testing.T) {
				t.Parallel()
				plan := &simulator.Plan{Faults: []simulator.Fault{c.fault}}
				url, sim := contract.Serve(t, simulator.Options{Plan: plan, JobTime: time.Millisecond})
				o := checkOptions(t)
				o.Client = newClient(t, &sink.Options{BaseURL: url, Alone: true, Concurrency: 1, RetryFor: time.Minute})
				o.List, o.Gauge = sink.ListRef{ID: sim.AddList("News", "single_opt_in")}, new(Gauge)
				o.mostRows, o.StopOnInvalid, o.MaxInvalid = 2, true, Bound{rows: bound}
				o.Wait, o.WaitTimeout, o.MaxOpenJobs, o.Window = c.wait, time.Minute, 1, 0
				var out bytes.Buffer
				rep, _ := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 6)), &out)
				rows, _ := parse(t, out.Bytes())
				unsent := slices.ContainsFunc(rows, func(r line) bool {
					return r.Status == "unsent" && r.Code == "stopped"
				})
				if rows[3].Status != "rejected" || unsent != (bound == 0) || rep.ExitCode != int(1-bound) {
					t.Errorf("%s, exit %d", brief(rows), rep.ExitCode)
				}
				if got := o.Gauge.Moment().Rows.Rejected; got != 1 {
					t.Errorf("the display shows %d rejected rows", got)
				}
			})
		}
	}
}

// A run with StopOnInvalid stops reading at the first row that the checks reject beyond the bound, and says at
// which.
func TestStopOnRowsThatTheChecksReject(t *testing.T) {
	o := checkOptions(t)
	o.StopOnInvalid, o.MaxInvalid = true, Bound{rows: 1}
	var out bytes.Buffer
	in := strings.NewReader("x\n" + rowsFrom(1, 1) + "x\n" + strings.Repeat(rowsFrom(3, 1), 100_000))
	rep, err := Run(t.Context(), o, in, &out)
	rows, _ := parse(t, out.Bytes())
	if rep.ExitCode != 1 || err == nil || !strings.Contains(err.Error(), "stopped at row 3") || rep.Rows.Rejected != 2 {
		t.Errorf("exit %d, %+v: %v", rep.ExitCode, rep.Rows, err)
	}
	if len(rows) < 3 || len(rows) > 90_000 {
		t.Errorf("%d of 100,003 rows were read", len(rows))
	}
}
