package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/segmentio/encoding/json"
)

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

// want sends a request and decodes the answer. It must have this status, a media type except for 429, and an id of the
// request, which is that of all its errors.
func (c *client) want(status int, method, path, body string, headers ...string) (d document) {
	c.t.Helper()
	r := c.do(method, path, body, headers...)
	if r.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.body)
	}
	request := r.header.Values("X-Klaviyo-Req-Id")
	if len(request) != 1 || !requestID.MatchString(request[0]) {
		c.t.Errorf("%s %s: request id %q", method, path, request)
	}
	if r.body == "" {
		return d
	}
	wanted := mediaType
	if status == http.StatusTooManyRequests {
		wanted = ""
	}
	if kind := r.header.Get("Content-Type"); kind != wanted {
		c.t.Errorf("%s %s: Content-Type %q, want %q", method, path, kind, wanted)
	}
	d = c.decode(r)
	for _, e := range d.Errors {
		same(c.t, "the id of an error", e.ID, request[0])
	}
	return d
}

var requestID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

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

// each returns one attribute of every resource; "id" is its id.
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

// path removes scheme and host from a link.
func (c *client) path(link string) string {
	c.t.Helper()
	path, ok := strings.CutPrefix(link, c.url)
	if !ok {
		c.t.Fatalf("expected a link below %s, got %s", c.url, link)
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

// importBody is an import of profiles with these attributes. A text with a member "type" is a whole profile.
func importBody(list string, rows ...string) string {
	for i, row := range rows {
		if !strings.Contains(row, `"type":`) {
			rows[i] = `{"type":"profile","attributes":` + row + `}`
		}
	}
	body := `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[` + strings.Join(rows, ",") +
		`]}}`
	if list != "" {
		body += `,"relationships":{"lists":{"data":[{"type":"list","id":"` + list + `"}]}}`
	}
	return body + `}}`
}

const jobsPath = "/api/profile-bulk-import-jobs"

// submit imports profiles and returns the id of the import job.
func (c *client) submit(list string, rows ...string) (job string) {
	c.t.Helper()
	return c.want(202, "POST", jobsPath, importBody(list, rows...)).resources[0].ID
}

// stored returns the members that /simulator shows for a list, one a line, without ids.
func (c *client) stored(list string) (lines []string) {
	c.t.Helper()
	return c.storedAt("/simulator/lists/" + list + "/profiles")
}

// storedAt returns the profiles at a path of the contents, without their ids.
func (c *client) storedAt(path string) (lines []string) {
	c.t.Helper()
	r := c.do("GET", path, "", "Authorization", "")
	if r.status != 200 || !json.Valid([]byte(r.body)) {
		c.t.Fatal(r)
	}
	for line := range strings.Lines(r.body) {
		if line = strings.TrimRight(line, ",\n"); line != "[" && line != "]" {
			lines = append(lines, regexp.MustCompile(`"id":"(?:[0-9A-Z]{26}|[0-9A-Za-z]{6})",?`).ReplaceAllString(line, ""))
		}
	}
	return lines
}
