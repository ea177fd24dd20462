package simulator_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"
	"go.uber.org/goleak"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mediaType = "application/vnd.api+json"

// checker is Klaviyo's official description, nil where it is not at hand.
var checker = sync.OnceValue(func() *contract.Checker {
	path, ok := contract.Find()
	if !ok {
		return nil
	}
	c, err := contract.Load(path)
	if err != nil {
		panic(err)
	}
	return c
})

// client talks to a simulator of its own over HTTP.
type client struct {
	*simulator.Simulator
	t    *testing.T
	http *http.Client
	url  string
}

// start serves a simulator behind the official description: all answers must agree with it, and
// the simulator must refuse every request that it refuses.
func start(t *testing.T, options simulator.Options) *client {
	t.Helper()
	if c := checker(); c != nil {
		options.Wrap = func(h http.Handler) http.Handler {
			return c.Wrap(h, func(err error) {
				var b *contract.Breach
				if !errors.As(err, &b) || b.Answer || b.Status < 400 {
					t.Error(err)
				}
			})
		}
	} else {
		t.Log("no OpenAPI description at hand: not checked against it")
	}
	return startBare(t, options)
}

// startBare serves a simulator without the description, for what Klaviyo takes beyond it.
func startBare(t *testing.T, options simulator.Options) *client {
	t.Helper()
	s := simulator.New(options)
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{s, t, &http.Client{Transport: &http.Transport{}}, url}
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends one request; headers are name, value, …, and an empty value takes the header away.
func (c *client) do(method, path, body string, headers ...string) reply {
	c.t.Helper()
	got, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// try is do where the network may fail.
func (c *client) try(method, path, body string, headers ...string) (reply, error) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Klaviyo-API-Key key")
	r.Header.Set("revision", "2026-07-15")
	if body != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(text)}, err
}

// document is any answer in the form of JSON:API.
type document struct {
	Data  json.RawMessage
	Links struct{ Self, Next, Prev *string }
	resources
	Errors []struct {
		ID     string
		Status int
		Code   string
		Title  string
		Detail string
		Source struct{ Pointer, Parameter string }
	}
}

type resources []struct {
	Type, ID   string
	Attributes map[string]any
}

// want sends a request and reads the answer, which must have this status.
func (c *client) want(status int, method, path, body string, headers ...string) (d document) {
	c.t.Helper()
	r := c.do(method, path, body, headers...)
	if r.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.body)
	}
	if r.body == "" {
		return d
	}
	if kind := r.header.Get("Content-Type"); kind != mediaType {
		c.t.Errorf("%s %s: Content-Type %s", method, path, kind)
	}
	return c.decode(r)
}

// decode reads an answer in the form of JSON:API.
func (c *client) decode(r reply) (d document) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(r.body), &d); err != nil {
		c.t.Fatal(err)
	}
	text := string(d.Data)
	if strings.HasPrefix(text, "{") {
		text = "[" + text + "]"
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &d.resources); err != nil {
			c.t.Fatal(err)
		}
	}
	return d
}

// problems returns the errors of an answer as "code pointer detail".
func (d document) problems() (lines []string) {
	for _, e := range d.Errors {
		lines = append(lines, fmt.Sprint(e.Code, " ", e.Source.Pointer, e.Source.Parameter, " ", e.Detail))
	}
	return lines
}

// each returns one attribute of all resources; "id" is their id.
func (d document) each(attribute string) (values []any) {
	for _, r := range d.resources {
		if attribute == "id" {
			values = append(values, r.ID)
		} else {
			values = append(values, r.Attributes[attribute])
		}
	}
	return values
}

// pages follows links.next to the end and returns the documents.
func (c *client) pages(path string) (all []document) {
	c.t.Helper()
	for {
		d := c.want(200, "GET", path, "")
		all = append(all, d)
		if d.Links.Next == nil {
			return all
		}
		path = c.path(*d.Links.Next)
	}
}

// path takes scheme and host off a link.
func (c *client) path(link string) string {
	c.t.Helper()
	path, ok := strings.CutPrefix(link, c.url)
	if !ok {
		c.t.Fatalf("link to elsewhere: %s", link)
	}
	return path
}

// query writes name, value, … as a query string.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return "?" + values.Encode()
}

// importBody is an import of profiles with these attributes. An element with a member "type" is the whole profile.
func importBody(list string, rows ...string) string {
	for i, row := range rows {
		if !strings.Contains(row, `"type":`) {
			rows[i] = `{"type":"profile","attributes":` + row + `}`
		}
	}
	body := `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[` + strings.Join(rows, ",") + `]}}`
	if list != "" {
		body += `,"relationships":{"lists":{"data":[{"type":"list","id":"` + list + `"}]}}`
	}
	return body + `}}`
}

const jobsPath = "/api/profile-bulk-import-jobs"

// submit imports rows and returns the id of the job.
func (c *client) submit(list string, rows ...string) (job string) {
	c.t.Helper()
	return c.want(202, "POST", jobsPath, importBody(list, rows...)).resources[0].ID
}

// stored returns what /simulator shows of a list's members, one a line, without ids.
func (c *client) stored(list string) (lines []string) {
	c.t.Helper()
	r := c.do("GET", "/simulator/lists/"+list+"/profiles", "", "Authorization", "")
	if r.status != 200 || !json.Valid([]byte(r.body)) {
		c.t.Fatal(r)
	}
	for line := range strings.Lines(r.body) {
		if line = strings.TrimRight(line, ",\n"); line != "[" && line != "]" {
			lines = append(lines, regexp.MustCompile(`"id":"[0-9A-Z]{26}",?`).ReplaceAllString(line, ""))
		}
	}
	return lines
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// clock is a time that moves by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock {
	return &clock{at: time.Date(2026, 9, 4, 13, 40, 0, 123456000, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
