package simulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// /simulator/* shows everything without a key, and completes open import jobs before their time.
func TestContents(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	same(t, "nothing", c.do("GET", "/simulator/lists", "").body, "[\n]\n")
	list := c.AddList(`a "list"`, "single_opt_in")
	empty := c.AddList("b", "double_opt_in")
	var rows, want []string
	for i := range 2500 {
		want = append(want, fmt.Sprintf(`{"email":"p%d@example.org"}`, i))
	}
	rows = append(rows, want...)
	job := c.submit(list, rows...)
	now.pass(900 * time.Millisecond)
	same(t, "lists", c.do("GET", "/simulator/lists", "", "Authorization", "").body, "[\n"+
		`{"id":"`+list+`","name":"a \"list\"","opt_in_process":"single_opt_in","profiles":2500},`+"\n"+
		`{"id":"`+empty+`","name":"b","opt_in_process":"double_opt_in","profiles":0}`+"\n]\n")
	d := c.want(200, "GET", jobsPath+"/"+job, "")
	same(t, "job", []any{d.each("status")[0], d.each("started_at")[0], d.each("completed_at")[0]},
		[]any{"complete", "2026-09-04T13:40:01+00:00", "2026-09-04T13:40:01+00:00"})
	first := c.want(200, "GET", "/api/lists/"+list+"/relationships/profiles"+query("page[size]", "2"), "")
	same(t, "profiles", c.stored(list), want)
	c.want(204, "DELETE", "/api/lists/"+list+"/relationships/profiles",
		fmt.Sprintf(`{"data":[{"type":"profile","id":"%s"}]}`, first.resources[0].ID))
	same(t, "profiles", c.stored(list), want[1:])
	same(t, "none", c.stored(empty), []string(nil))
	start := "[\n" + `{"id":"` + first.resources[1].ID + `","email":"p1@example.org"},` + "\n"
	if r := c.do("GET", "/simulator/lists/"+list+"/profiles", ""); !strings.HasPrefix(r.body, start) {
		t.Errorf("expected the start %s, got %.100s", start, r.body)
	}
	for path, status := range map[string]int{"/simulator/lists/NOPE01/profiles": 404, "/simulator/": 404,
		"/simulator/lists/" + list: 404, "/simulator/lists/": 200} {
		same(t, path, c.do("GET", path, "").status, status)
	}
	same(t, "POST", c.do("POST", "/simulator/lists", "{}").status, 405)
}
