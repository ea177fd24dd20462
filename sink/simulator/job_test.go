package simulator_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// The answer to an import is the recorded one.
func TestJobAnswer(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("x", "single_opt_in")
	r := c.do("POST", jobsPath, importBody(list, `{"email":"a@example.org"}`, `{"email":"b@example.org"}`,
		`{"email":"c@example.org"}`))
	id := regexp.MustCompile(`"id":"(\w{50,})"`).FindStringSubmatch(r.body)
	if r.status != 202 || id == nil {
		t.Fatal(r)
	}
	decoded, err := base64.RawURLEncoding.DecodeString(id[1])
	if err != nil || !regexp.MustCompile(`^\w{6}_maintenance\.\w{6}\.1788529201\.\w{6}$`).Match(decoded) {
		t.Errorf("job id %s", decoded)
	}
	want := `{"data":{"type":"profile-bulk-import-job","id":"<id>",` +
		`"attributes":{"status":"queued","created_at":"2026-09-04T13:40:00+00:00","total_count":3,` +
		`"completed_count":0,` +
		`"failed_count":0,"completed_at":null,"expires_at":"2026-09-11T13:40:00+00:00","started_at":null},` +
		`"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}],"links":{` +
		`"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/relationships/lists/",` +
		`"related":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/lists/"}},` +
		`"profiles":{"links":{` +
		`"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/relationships/profiles/",` +
		`"related":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/profiles/"}},` +
		`"import-errors":{"links":{` +
		`"related":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/import-errors/"}}},` +
		`"links":{"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/"}},` +
		`"links":{"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs"}}`
	same(t, "answer", strings.NewReplacer(id[1], "<id>", list, "LIST", c.url, "https://a.klaviyo.com").Replace(r.body),
		want)
}

// An import job is queued, processing and complete by the clock. Its effect comes with its end, and after 7 days it is
// gone.
func TestJobLife(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, JobTime: 3 * time.Second})
	list := c.AddList("x", "double_opt_in")
	job := c.submit(list, `{"email":"a@example.org"}`)
	now.pass(time.Second)
	later := c.submit(list, `{"email":"b@example.org"}`)
	members := "/api/lists/" + list + "/relationships/profiles"
	for _, step := range []struct {
		pass               time.Duration
		status             string
		started, completed any
		done, members      int
		laterStatus        string
	}{
		{0, "queued", nil, nil, 0, 0, "queued"},
		{2*time.Second - 1, "queued", nil, nil, 0, 0, "queued"},
		{1, "processing", "2026-09-04T13:40:03+00:00", nil, 0, 0, "queued"},
		{time.Second, "processing", "2026-09-04T13:40:03+00:00", nil, 0, 0, "processing"},
		{2*time.Second - 1, "processing", "2026-09-04T13:40:03+00:00", nil, 0, 0, "processing"},
		{1, "complete", "2026-09-04T13:40:03+00:00", "2026-09-04T13:40:06+00:00", 1, 1, "processing"},
		{time.Second, "complete", "2026-09-04T13:40:03+00:00", "2026-09-04T13:40:06+00:00", 1, 2, "complete"},
	} {
		now.pass(step.pass)
		same(t, "members", len(c.want(200, "GET", members, "").resources), step.members)
		d := c.want(200, "GET", jobsPath+"/"+job, "")
		same(t, "job", d.resources[0].Attributes, map[string]any{
			"status": step.status, "created_at": "2026-09-04T13:40:00+00:00", "total_count": 1.0,
			"completed_count": float64(step.done), "failed_count": 0.0,
			"completed_at": step.completed, "expires_at": "2026-09-11T13:40:00+00:00", "started_at": step.started,
		})
		same(t, "later job", c.want(200, "GET", jobsPath+"/"+later, "").each("status"), []any{step.laterStatus})
		for _, status := range []string{"queued", "processing", "complete"} {
			var want []any
			for i, s := range []string{step.status, step.laterStatus} {
				if s == status {
					want = append(want, []string{job, later}[i])
				}
			}
			same(t, status, c.want(200, "GET", jobsPath+query("filter", `equals(status,"`+status+`")`), "").each("id"),
				want)
			same(t, status, c.want(200, "GET", jobsPath+query("filter", `any(status,["`+status+`"])`), "").each("id"),
				want)
		}
	}
	same(t, "joined at the end of the import job",
		c.want(200, "GET", "/api/lists/"+list+"/profiles", "").each("joined_group_at"),
		[]any{"2026-09-04T13:40:06+00:00", "2026-09-04T13:40:07+00:00"})
	same(t, "sorted", c.want(200, "GET", jobsPath+query("sort", "-created_at"), "").each("id"), []any{later, job})
	same(t, "a second later, to the microsecond", c.want(200, "GET", jobsPath, "").each("created_at"),
		[]any{"2026-09-04T13:40:01.123456+00:00", "2026-09-04T13:40:02.123456+00:00"})

	now.pass(7*24*time.Hour - 7*time.Second)
	for _, path := range []string{"", "/import-errors", "/profiles", "/relationships/profiles", "/lists",
		"/relationships/lists"} {
		same(t, path, c.want(404, "GET", jobsPath+"/"+job+path, "").problems(),
			[]string{"not_found /data/ Invalid job id"})
		same(t, path, c.want(404, "GET", jobsPath+"/nope"+path, "").problems(),
			[]string{"not_found /data/ Invalid job id"})
		c.want(200, "GET", jobsPath+"/"+later+path, "")
	}
	same(t, "jobs left", c.want(200, "GET", jobsPath, "").each("id"), []any{later})
}

// The pages of import jobs lead to all of them, in both orders.
func TestJobPages(t *testing.T) {
	c := start(t, simulator.Options{})
	var want []any
	for i := range 45 {
		want = append(want, c.submit("", fmt.Sprintf(`{"email":"a%d@example.org"}`, i)))
	}
	collect := func(path string) (ids []any, sizes []int) {
		for _, d := range c.pages(path) {
			ids = append(ids, d.each("id")...)
			sizes = append(sizes, len(d.resources))
		}
		return ids, sizes
	}
	ids, sizes := collect(jobsPath)
	same(t, "sizes", sizes, []int{20, 20, 5})
	same(t, "ids", ids, want)
	slices.Reverse(want)
	ids, sizes = collect(jobsPath + query("sort", "-created_at", "page[size]", "30"))
	same(t, "sizes", sizes, []int{30, 15})
	same(t, "ids", ids, want)
}

// An import job shows its lists that still exist.
func TestJobLists(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list, gone := c.AddList("stays", "single_opt_in"), c.AddList("goes", "single_opt_in")
	body := strings.Replace(importBody(list, `{"email":"a@example.org"}`), `"data":[{"type":"list"`,
		`"data":[{"type":"list","id":"`+gone+`"},{"type":"list"`, 1)
	job := c.want(202, "POST", jobsPath, body).resources[0].ID
	same(t, "ids", c.want(200, "GET", jobsPath+"/"+job+"/relationships/lists", "").each("id"), []any{gone, list})
	same(t, "members", []int{len(c.stored(gone)), len(c.stored(list))}, []int{1, 1})
	c.want(204, "DELETE", "/api/lists/"+gone, "")
	same(t, "names", c.want(200, "GET", jobsPath+"/"+job+"/lists", "").each("name"), []any{"stays"})
	var d struct{ Included resources }
	if err := json.Unmarshal([]byte(c.do("GET", jobsPath+"/"+job+"?include=lists", "").body), &d); err != nil {
		t.Fatal(err)
	}
	same(t, "included", d.Included[0].ID, list)
}

// If the list is deleted before the import job ends, the profiles are created and join nothing.
func TestListDeletedBeforeTheEnd(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("x", "single_opt_in")
	job := c.submit(list, `{"email":"a@example.org"}`)
	c.want(204, "DELETE", "/api/lists/"+list, "")
	now.pass(2 * time.Second)
	same(t, "status", c.want(200, "GET", jobsPath+"/"+job, "").each("status"), []any{"complete"})
	same(t, "profiles", c.want(200, "GET", "/api/profiles", "").each("email"), []any{"a@example.org"})
}
