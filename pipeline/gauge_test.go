package pipeline

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"klaviyo-export/report/render"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// A log of the progress names what fails and when the run gives up, from the look-up of the list on. It counts the
// import jobs whose errors are read, and forgets failures that have passed.
func TestFailuresInProgress(t *testing.T) {
	plan := &simulator.Plan{Faults: []simulator.Fault{
		{On: "GET /api/lists", Do: "status", Status: 503},
		{On: "POST /api/profile-bulk-import-jobs", Do: "status", Status: 504, As: "page"},
		{On: "GET /api/profile-bulk-import-jobs/{id}/import-errors", Do: "status", Status: 502, As: "page"},
		{Do: "fail", Times: -1, Addresses: []string{"p0@*"}, Code: "invalid", Detail: "Bad."},
	}}
	url, _ := contract.Serve(t, simulator.Options{Plan: plan, JobTime: time.Millisecond})
	o := checkOptions(t)
	o.Client = newClient(t, &sink.Options{BaseURL: url, Alone: true, Concurrency: 1, RetryFor: 10 * time.Minute})
	o.List, o.Wait, o.WaitTimeout, o.MaxOpenJobs = sink.ListRef{Name: "News", Create: true}, true, time.Hour, 4
	o.Gauge = new(Gauge)

	var log, out bytes.Buffer
	stop := render.LogProgress(render.NewLog(&log, "json"), 10*time.Millisecond, o.Gauge.Moment)
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 10)), &out)
	stop()
	if rep.Rows.Applied != 9 || rep.Rows.Rejected != 1 {
		t.Errorf("%v: %+v", err, rep.Rows)
	}
	for _, want := range []string{
		`"failing":"HTTP 503","give_up_seconds":59\d[.\d]*,"elapsed_seconds"`,
		`"input_ended":true,"failing":"HTTP 504","give_up_seconds":59\d[.\d]*,"elapsed_seconds"`, // waits for no job yet
		`"failing":"HTTP 502","give_up_seconds":359\d.*"wait_left_seconds":359\d.*"reading_errors_of_jobs":1,`,
	} {
		if !regexp.MustCompile(want).Match(log.Bytes()) {
			t.Errorf("expected %q in\n%s", want, &log)
		}
	}
	if m := o.Gauge.Moment(); m.Failing != "" || m.GiveUpIn != 0 || m.ReadingJobs != 0 {
		t.Errorf("after the run: %+v", m)
	}
}
