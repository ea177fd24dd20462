package simulator_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

const listBody = `{"data":{"type":"list","attributes":{"name":"x"}}}`

func TestKey(t *testing.T) {
	c := start(t, simulator.Options{})
	for _, value := range []string{"", "Klaviyo-API-Key ", "Klaviyo-API-Key invalid", "Bearer key", "key", "klaviyo-api-key key"} {
		d := c.want(401, "GET", "/api/accounts", "", "Authorization", value)
		same(t, value, d.problems(), []string{"authentication_failed /data/ Incorrect authentication credentials."})
		if h := c.do("GET", "/api/accounts", "", "Authorization", value).header; h.Get("ratelimit-limit") != "" {
			t.Errorf("%s: has rate limit headers", value)
		}
	}
	c.want(200, "GET", "/api/accounts", "", "Authorization", "Klaviyo-API-Key pk_x")
}

func TestAccounts(t *testing.T) {
	c := start(t, simulator.Options{})
	d := c.want(200, "GET", "/api/accounts", "")
	same(t, "ids", d.each("public_api_key"), []any{d.resources[0].ID})
	same(t, "one", c.want(200, "GET", "/api/accounts/"+d.resources[0].ID, "").resources, d.resources)
	c.want(404, "GET", "/api/accounts/NOPE01", "")
}

func TestRevision(t *testing.T) {
	c := start(t, simulator.Options{})
	for revision, status := range map[string]int{"": 400, "latest": 400, "2026-7-15": 400, "2026-13-15": 400, "20260715": 400, "2023-12-15": 200, "2026-10-15.pre": 200, "2026-10-15.": 400, "2026-10-15.P1": 400} {
		c.want(status, "GET", "/api/lists", "", "revision", revision)
	}
}

func TestMediaTypes(t *testing.T) {
	c := startBare(t, simulator.Options{})
	for kind, status := range map[string]int{mediaType: 201, mediaType + "; charset=utf-8": 201, "application/json": 201, "": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415} {
		c.want(status, "POST", "/api/lists", listBody, "Content-Type", kind)
	}
	for _, encoding := range []string{"gzip", "identity", "br"} {
		same(t, encoding, c.want(415, "POST", "/api/lists", listBody, "Content-Encoding", encoding).Errors[0].Code, "unsupported_media_type")
	}
}

func TestPaths(t *testing.T) {
	c := startBare(t, simulator.Options{})
	list := c.AddList("x", "single_opt_in")
	c.want(200, "GET", "/api/lists/", "")
	c.want(200, "GET", "/api/lists/"+list+"/", "")
	same(t, "self", *c.want(200, "GET", "/api/lists/", "").Links.Self, c.url+"/api/lists")
	for _, path := range []string{"/", "/api", "/api/nope", "/api//lists", "/api/lists/a/b", "/api/lists/a/relationships", "/api/lists/a%2Fprofiles/profiles/x", "/API/lists"} {
		same(t, path, c.want(404, "GET", path, "").Errors[0].Code, "not_found")
	}
	same(t, "no id", c.want(404, "GET", "/api/lists//profiles", "").problems(), []string{"not_found /data/ The path /api/lists//profiles does not exist."})
	same(t, "a slash in an id", c.want(404, "GET", "/api/lists/a%2Fb", "").problems(), []string{"not_found /data/ A list with id `a/b` does not exist."})
	for path, allow := range map[string]string{"/api/lists": "GET, POST", "/api/lists/x": "GET, PATCH, DELETE", "/api/accounts": "GET"} {
		r := c.do("PUT", path, "{}")
		same(t, path, []any{r.status, r.header.Get("Allow")}, []any{405, allow})
		if !strings.Contains(r.body, `"code":"method_not_allowed"`) {
			t.Error(r.body)
		}
	}
}

func TestQueriesRefused(t *testing.T) {
	c := start(t, simulator.Options{})
	list := c.AddList("x", "single_opt_in")
	for query, want := range map[string]string{
		"/api/lists?page[size]=11":                          "page[size] Page size must be an integer between 1 and 10.",
		"/api/lists?page[size]=0":                           "page[size] Page size must be an integer between 1 and 10.",
		"/api/lists?page[size]=ten":                         "page[size] Page size must be an integer between 1 and 10.",
		"/api/profiles?page[size]=101":                      "page[size] Page size must be an integer between 1 and 100.",
		jobsPath + "?page[size]=101":                        "page[size] Page size must be an integer between 1 and 100.",
		"/api/lists?page[cursor]=x":                         "page[cursor] Invalid cursor.",
		"/api/lists?page[cursor]=" + "bmV4dDo6MXg":          "page[cursor] Invalid cursor.",
		"/api/lists?sort=size":                              "sort 'size' is not an allowed sort for this resource.",
		"/api/lists?limit=5":                                "limit 'limit' is not an allowed query parameter for this resource.",
		"/api/lists/" + list + "?page[size]=5":              "page[size] 'page[size]' is not an allowed query parameter for this resource.",
		"/api/lists?fields[list]=title":                     "fields[list] 'title' is not a valid field for the resource 'list'.",
		"/api/lists?fields[profile]=email":                  "fields[profile] 'fields[profile]' is not an allowed query parameter for this resource.",
		"/api/lists/" + list + "/profiles?sort=-email":      "sort '-email' is not an allowed sort for this resource.",
		"/api/lists/" + list + "?additional-fields[list]=x": "additional-fields[list] 'x' is not a valid field for the resource 'list'.",
		"/api/accounts?sort=id":                             "sort 'sort' is not an allowed query parameter for this resource.",
		"/api/profiles?filter=equals(email,a)":              "filter Invalid filter provided.",
		"/api/lists?sort=name&sort=id":                      "sort 'sort' is given more than once.",
		jobsPath + `?filter=equals(status,"cancelled")`:     "filter Invalid filter provided.",
	} {
		query = strings.NewReplacer(`"`, "%22").Replace(query)
		same(t, query, c.want(400, "GET", query, "").problems(), []string{"invalid " + want})
	}
	job := c.submit("", `{"email":"a@example.org"}`)
	same(t, "include", c.want(400, "GET", jobsPath+"/"+job+"?include=profiless", "").problems(),
		[]string{"invalid include 'profiless' is not an allowed include parameter for this resource."})
	same(t, "encoding", startBare(t, simulator.Options{}).want(400, "GET", "/api/lists?filter=%zz", "").problems(), []string{"invalid query The query string is malformed."})
}

// TestRateLimits: each endpoint has its windows to itself, whole and no more, and all keys share them.
func TestRateLimits(t *testing.T) {
	const id = "NOPE01"
	member := `{"data":[{"type":"profile","id":"x"}]}`
	for _, test := range []struct {
		method, path, body string
		burst, steady      int
		limit              string
	}{
		{"GET", "/api/accounts", "", 1, 15, "1, 1;w=1, 15;w=60"},
		{"GET", "/api/accounts/" + id, "", 1, 15, "1, 1;w=1, 15;w=60"},
		{"GET", "/api/lists", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/lists/" + id, "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/lists/" + id + "?additional-fields[list]=profile_count", "", 1, 15, "1, 1;w=1, 15;w=60"},
		{"PATCH", "/api/lists/" + id, "{}", 10, 150, "10, 10;w=1, 150;w=60"},
		{"DELETE", "/api/lists/" + id, "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", "/api/lists/" + id + "/profiles", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/lists/" + id + "/relationships/profiles", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"POST", "/api/lists/" + id + "/relationships/profiles", member, 10, 150, "10, 10;w=1, 150;w=60"},
		{"DELETE", "/api/lists/" + id + "/relationships/profiles", member, 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", "/api/profiles", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/profiles/" + id, "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", jobsPath, "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"POST", jobsPath, importBody("", `{"email":"a@example.org"}`), 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id, "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/import-errors", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/profiles", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/relationships/profiles", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/lists", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/relationships/lists", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"POST", "/api/lists", listBody, 10, 150, "10, 10;w=1, 150;w=60, 150;w=86400"},
	} {
		now := newClock()
		s := simulator.New(simulator.Options{RateLimits: true, Now: now.now})
		n := 0
		ask := func() *httptest.ResponseRecorder {
			n++
			r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			r.Header.Set("Authorization", fmt.Sprintf("Klaviyo-API-Key key%d", n%3))
			r.Header.Set("revision", "2026-07-15")
			r.Header.Set("Content-Type", mediaType)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w
		}
		what := test.method + " " + test.path
		for served := 0; served < test.steady; {
			for i := range test.burst {
				w := ask()
				served++
				same(t, what, []any{w.Code != 429, w.Header().Get("Ratelimit-Limit"), w.Header().Get("Ratelimit-Remaining"), w.Header().Get("Ratelimit-Reset"), w.Header().Get("Retry-After")},
					[]any{true, test.limit, fmt.Sprint(test.burst - i - 1), "0", ""})
			}
			if served < test.steady {
				w := ask()
				same(t, what, []any{w.Code, w.Header().Get("Retry-After")}, []any{429, "1"})
				now.pass(877 * time.Millisecond) // to the next second
				now.pass(123 * time.Millisecond)
			}
		}
		// The clock began at 13:40:00.123456: the minute ends with 13:41.
		for range 3 {
			w := ask()
			left := 60 - now.now().Second()
			if strings.Contains(test.limit, "86400") {
				left += 24*3600 - 13*3600 - 41*60 // the day's 150 are used too
			}
			same(t, what, []any{w.Code, w.Header().Get("Retry-After"), w.Header().Get("Ratelimit-Limit"), w.Header().Get("Ratelimit-Remaining"), w.Header().Get("Ratelimit-Reset")},
				[]any{429, fmt.Sprint(left), "", "", ""})
			if w.Header().Get("Content-Type") != mediaType {
				t.Error(w.Header())
			}
		}
		if strings.Contains(test.limit, "86400") {
			now.pass(10*time.Hour + 19*time.Minute + 59*time.Second - time.Duration(now.now().Second())*time.Second)
			same(t, "the last second of the day", ask().Header().Get("Retry-After"), "1")
			now.pass(time.Second)
			same(t, "a new day", ask().Code, 201)
		}
		now.pass(time.Minute)
		same(t, what+", a new minute", ask().Code != 429, true)
	}
}

// TestThrottled holds the answer to the one that was recorded.
func TestThrottled(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{RateLimits: true, Now: now.now})
	c.want(200, "GET", "/api/accounts", "")
	r := c.do("GET", "/api/accounts", "")
	var d struct{ Errors []map[string]any }
	if err := json.Unmarshal([]byte(r.body), &d); err != nil || r.status != 429 {
		t.Fatal(err, r)
	}
	delete(d.Errors[0], "id")
	same(t, "body", d.Errors, []map[string]any{{
		"status": 429.0, "code": "throttled", "title": "Request was throttled.", "detail": "Request was throttled. Expected available in 1 second.",
		"source": map[string]any{"pointer": "/data"}, "links": map[string]any{"type": "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits"},
		"meta": map[string]any{},
	}})
	c.want(401, "GET", "/api/accounts", "", "Authorization", "")
	now.pass(time.Second)
	c.want(200, "GET", "/api/accounts", "")
	for range 13 {
		now.pass(time.Second)
		c.want(200, "GET", "/api/accounts", "")
	}
	now.pass(time.Second)
	same(t, "seconds", c.want(429, "GET", "/api/accounts", "").Errors[0].Detail, "Request was throttled. Expected available in 45 seconds.")
	same(t, "requests", c.Requests(), map[string]int{"GET /api/accounts 200": 15, "GET /api/accounts 429": 2, "GET /api/accounts 401": 1})
}

// TestSharedWindow: the windows are those of the endpoint, whatever the id in the path.
func TestSharedWindow(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{RateLimits: true, Now: now.now})
	for i := range 10 {
		c.want(404, "GET", fmt.Sprintf("%s/job%d", jobsPath, i), "")
	}
	c.want(429, "GET", jobsPath+"/another", "")
	c.want(200, "GET", jobsPath, "")
}

// TestNoRateLimits: without limits nothing is throttled and the headers come all the same.
func TestNoRateLimits(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	for range 20 {
		r := c.do("GET", "/api/accounts", "")
		same(t, "answer", []any{r.status, r.header.Get("ratelimit-limit"), r.header.Get("ratelimit-remaining")}, []any{200, "1, 1;w=1, 15;w=60", "0"})
	}
}

func TestRequests(t *testing.T) {
	c := startBare(t, simulator.Options{})
	c.want(404, "GET", "/api/lists/a", "")
	c.want(404, "GET", "/api/lists/b", "")
	c.want(404, "GET", "/api/nope", "")
	c.want(405, "PUT", "/api/lists", "{}")
	c.want(201, "POST", "/api/lists", listBody)
	c.do("GET", "/simulator/lists", "")
	same(t, "requests", c.Requests(), map[string]int{"GET /api/lists/{id} 404": 2, "POST /api/lists 201": 1, "other": 2})
}

func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "localhost:0", "192.0.2.1:0", "example.com:80", "127.0.0.1", ""} {
		if url, err := simulator.New(simulator.Options{}).Start(addr); err == nil {
			t.Errorf("%s: listens on %s", addr, url)
		}
	}
	if err := simulator.New(simulator.Options{}).Close(); err != nil {
		t.Error(err)
	}
}

// TestClose: a request under way is cut off, and nothing runs on.
func TestClose(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := simulator.New(simulator.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			close(release)
			next.ServeHTTP(w, r)
		})
	}})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	failed := make(chan error)
	go func() { // read from below
		r, err := client.Get(url)
		if err == nil {
			_ = r.Body.Close()
		}
		failed <- err
	}()
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-release:
	default:
		t.Error("Close did not wait for the request")
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}

// TestTooLargeIsRead: a client that reads no answer before it has sent all gets its 413.
func TestTooLargeIsRead(t *testing.T) {
	same(t, "status", startBare(t, simulator.Options{}).sendFirst(30_000_000), 413)
}

// sendFirst sends an import of so many spaces, and only then reads the status.
func (c *client) sendFirst(size int) (status int) {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Klaviyo-API-Key key\r\nrevision: 2026-07-15\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", jobsPath, mediaType, size)
	if _, err := io.WriteString(conn, head+strings.Repeat(" ", size)); err != nil {
		c.t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// TestAtOnce: many clients at once lose nothing.
func TestAtOnce(t *testing.T) {
	c := startBare(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 20 {
				var rows []string
				for n := range 10 {
					rows = append(rows, fmt.Sprintf(`{"email":"p%d-%d@example.org"}`, worker, (i*10+n)%150))
				}
				c.submit(list, rows...)
				c.want(200, "GET", "/api/lists/"+list+"/profiles", "")
				c.do("GET", "/simulator/lists/"+list+"/profiles", "")
				c.Requests()
			}
		})
	}
	wait.Wait()
	same(t, "members", len(c.stored(list)), 8*150)
	same(t, "jobs", c.Requests()["POST /api/profile-bulk-import-jobs 202"], 160)
}
