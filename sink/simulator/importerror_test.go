package simulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// A failed profile is reported with its place and what was sent, and fails alone.
func TestImportErrors(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	c.submit(list, `{"email":"a@example.org"}`,
		`{"email":"b@example.org","phone_number":"+12025550123","external_id":"7"}`)
	profile := func(size int) string { // a profile object of so many bytes
		frame := `{"type":"profile","attributes":{"email":"big@example.org","title":""}}`
		return strings.Replace(frame, `"title":"`, `"title":"`+strings.Repeat("x", size-len(frame)), 1)
	}
	job := c.submit(list,
		`{"email":"c@example.org"}`,
		profile(100_001),
		`{"email":"a@example.org","phone_number":"+12025550123"}`,
		`{"email":"a@example.org","external_id":"7","title":"x"}`,
		profile(100_000),
	)
	d := c.want(200, "GET", jobsPath+"/"+job, "")
	same(t, "counts", []any{d.each("status")[0], d.each("total_count")[0], d.each("completed_count")[0],
		d.each("failed_count")[0]}, []any{"complete", 5.0, 2.0, 3.0})
	d = c.want(200, "GET", jobsPath+"/"+job+"/import-errors", "")
	same(t, "codes", d.each("code"), []any{"invalid", "duplicate_profile", "duplicate_profile"})
	same(t, "places", d.each("source"), []any{map[string]any{"pointer": at + "/1"},
		map[string]any{"pointer": at + "/2"}, map[string]any{"pointer": at + "/3"}})
	same(t, "payloads", d.each("original_payload")[1:], []any{
		map[string]any{"email": "a@example.org", "phone_number": "+12025550123"},
		map[string]any{"email": "a@example.org", "external_id": "7", "title": "x"}})
	same(t, "members", len(c.stored(list)), 4)
	d = c.want(200, "GET", jobsPath+"/"+job+"/profiles", "")
	same(t, "profiles", d.each("email"), []any{"c@example.org", "big@example.org"})
	ids := c.want(200, "GET", jobsPath+"/"+job+"/relationships/profiles", "")
	same(t, "profile ids", ids.each("id"), d.each("id"))
}

// The pages of import errors lead to all errors, in the order of the profiles.
func TestImportErrorPages(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	var rows []string
	for i := range 250 {
		rows = append(rows, fmt.Sprintf(`{"type":"profile","id":"NOPE%d","attributes":{}}`, i))
	}
	job := c.submit("", rows...)
	for path, sizes := range map[string][]int{
		"/import-errors": {20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 10},
		"/import-errors" + query("page[size]", "100"): {100, 100, 50},
	} {
		var got []int
		n := 0
		for _, d := range c.pages(jobsPath + "/" + job + path) {
			got = append(got, len(d.resources))
			for _, payload := range d.each("original_payload") {
				same(t, path, payload, any(map[string]any{"id": fmt.Sprintf("NOPE%d", n)}))
				n++
			}
		}
		same(t, path, got, sizes)
	}
}
