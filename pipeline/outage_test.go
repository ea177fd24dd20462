package pipeline

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// When Klaviyo is gone for good, rows whose answer is lost are unknown, later ones unsent, and the exit status is
// 4.
func TestOutage(t *testing.T) {
	url, _ := contract.Serve(t, simulator.Options{Wrap: imports(func(number int64, next func()) {
		if number > 1 {
			panic(http.ErrAbortHandler)
		}
		next()
	})})
	o := checkOptions(t)
	o.Client = newClient(t, &sink.Options{BaseURL: url, Alone: true, Concurrency: 1})
	o.List = sink.ListRef{Name: "News", Create: true}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 45_000)), &out)
	rows, _ := parse(t, out.Bytes())
	got := map[string]int{}
	for _, r := range rows {
		got[strings.TrimSpace(r.Status+" "+r.Code)]++
	}
	if got["accepted"] != 10_000 || got["unknown answer_lost"] != 10_000 || got["unsent outage"] != len(rows)-20_000 {
		t.Errorf("rows: %v", got)
	}
	if rep.ExitCode != 4 || rep.Status != "outage" || rep.Error == "" || err == nil {
		t.Errorf("exit %d, status %s, error %v", rep.ExitCode, rep.Status, err)
	}
}
