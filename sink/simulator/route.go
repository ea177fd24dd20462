package simulator

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// mediaType is that of every body in either direction.
const mediaType = "application/vnd.api+json"

// operation is one method on one path of the API.
type operation struct {
	method, path string
	tier         []window
	serve        func(*Simulator, *call) answer
	query        grammar
	body         bool // it takes one
	relationship bool // it answers with identifiers in place of whole resources
}

var (
	oneOrMore    = []string{"any", "equals", "equals[]"}
	jobFilter    = filterable{"status": oneOrMore}
	listFilter   = filterable{"name": oneOrMore, "id": oneOrMore, "created": {"greater-than"}, "updated": {"greater-than"}}
	memberFilter = filterable{
		"email": {"any", "equals[]"}, "phone_number": {"any", "equals[]"}, "push_token": {"any", "equals[]"}, "_kx": {"equals"},
		"joined_group_at": {"greater-than", "greater-or-equal", "less-than", "less-or-equal"},
	}
	profileFilter = filterable{
		"id": oneOrMore, "email": oneOrMore, "phone_number": oneOrMore, "external_id": oneOrMore, "_kx": {"equals"},
		"created": {"greater-than", "less-than"}, "updated": {"greater-than", "less-than"},
	}
)

// operations are all that is served below /api/.
var operations = []operation{
	{method: "GET", path: "/api/accounts", tier: tierXS, serve: (*Simulator).getAccounts, query: grammar{fields: []string{"account"}}},
	{method: "GET", path: "/api/accounts/{id}", tier: tierXS, serve: (*Simulator).getAccount, query: grammar{fields: []string{"account"}}},

	{method: "GET", path: "/api/lists", tier: tierL, serve: (*Simulator).getLists, query: grammar{fields: []string{"list"}, filter: listFilter,
		sort: []string{"created", "id", "name", "updated"}, size: 10, maxSize: 10}},
	{method: "POST", path: "/api/lists", tier: tierCreate, serve: (*Simulator).postList, body: true, query: grammar{fields: []string{"list"}}},
	{method: "GET", path: "/api/lists/{id}", tier: tierL, serve: (*Simulator).getList, query: grammar{fields: []string{"list"}, additional: "profile_count"}},
	{method: "PATCH", path: "/api/lists/{id}", tier: tierM, serve: (*Simulator).patchList, body: true, query: grammar{fields: []string{"list"}}},
	{method: "DELETE", path: "/api/lists/{id}", tier: tierM, serve: (*Simulator).deleteList},
	{method: "GET", path: "/api/lists/{id}/profiles", tier: tierL, serve: (*Simulator).getMembers, query: grammar{fields: []string{"profile"},
		filter: memberFilter, sort: []string{"joined_group_at"}, size: 20, maxSize: 100}},
	{method: "GET", path: "/api/lists/{id}/relationships/profiles", tier: tierL, serve: (*Simulator).getMembers, relationship: true,
		query: grammar{filter: memberFilter, sort: []string{"joined_group_at"}, size: 20, maxSize: 100}},
	{method: "POST", path: "/api/lists/{id}/relationships/profiles", tier: tierM, serve: (*Simulator).postMembers, body: true},
	{method: "DELETE", path: "/api/lists/{id}/relationships/profiles", tier: tierM, serve: (*Simulator).deleteMembers, body: true},

	{method: "GET", path: "/api/profiles", tier: tierL, serve: (*Simulator).getProfiles, query: grammar{fields: []string{"profile"},
		filter: profileFilter, sort: []string{"created", "email", "id", "updated"}, size: 20, maxSize: 100}},
	{method: "GET", path: "/api/profiles/{id}", tier: tierL, serve: (*Simulator).getProfile, query: grammar{fields: []string{"profile"}}},

	{method: "GET", path: "/api/profile-bulk-import-jobs", tier: tierM, serve: (*Simulator).getJobs, query: grammar{
		fields: []string{"profile-bulk-import-job"}, filter: jobFilter, sort: []string{"created_at"}, size: 20, maxSize: 100}},
	{method: "POST", path: "/api/profile-bulk-import-jobs", tier: tierM, serve: (*Simulator).postImport, body: true,
		query: grammar{fields: []string{"profile-bulk-import-job"}}},
	{method: "GET", path: "/api/profile-bulk-import-jobs/{id}", tier: tierM, serve: (*Simulator).getJob,
		query: grammar{fields: []string{"list", "profile-bulk-import-job"}, include: "lists"}},
	{method: "GET", path: "/api/profile-bulk-import-jobs/{id}/import-errors", tier: tierM, serve: (*Simulator).getImportErrors,
		query: grammar{fields: []string{"import-error"}, size: 20, maxSize: 100}},
	{method: "GET", path: "/api/profile-bulk-import-jobs/{id}/profiles", tier: tierM, serve: (*Simulator).getJobProfiles,
		query: grammar{fields: []string{"profile"}, size: 20, maxSize: 100}},
	{method: "GET", path: "/api/profile-bulk-import-jobs/{id}/relationships/profiles", tier: tierM, serve: (*Simulator).getJobProfiles, relationship: true,
		query: grammar{size: 20, maxSize: 100}},
	{method: "GET", path: "/api/profile-bulk-import-jobs/{id}/lists", tier: tierM, serve: (*Simulator).getJobLists, query: grammar{fields: []string{"list"}}},
	{method: "GET", path: "/api/profile-bulk-import-jobs/{id}/relationships/lists", tier: tierM, serve: (*Simulator).getJobLists, relationship: true},
}

// call is one request on its way: route, key, rate, then what the operation itself checks and does.
type call struct {
	*operation
	request
	id   string // in the path
	base string // of links: scheme and host
	path string // without a slash at its end
	body []byte
	r    *http.Request
}

// answer is a response; without body it has no media type either.
type answer struct {
	status int
	body   []byte
}

// ServeHTTP answers one request, or what the plan's faults make of it.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.faults != nil && !strings.HasPrefix(r.URL.Path, contentsPath) {
		name := other
		if op, _, _ := lookUp(r); op != nil {
			name = op.name()
		}
		if acting := s.faults.onRequest(name); acting != nil {
			s.serveFaults(w, r, name, acting)
			return
		}
	}
	s.inner.ServeHTTP(w, r)
}

// serve answers one request without faults.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, contentsPath) {
		s.serveContents(w, r)
		return
	}
	var a answer
	c, p := route(w, r)
	if p == nil {
		p = authorize(r)
	}
	if p != nil {
		a = p.answer()
	} else {
		a = s.admitted(w, c)
	}
	name := other
	if c != nil {
		name = c.name()
	}
	s.count(name, strconv.Itoa(a.status))
	a.write(w)
}

// other is the name of what is no operation.
const other = "other"

// name returns the operation's method and path.
func (op *operation) name() string { return op.method + " " + op.path }

func (s *Simulator) count(name, outcome string) {
	if name != other {
		name += " " + outcome
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[name]++
}

// route finds the operation.
func route(w http.ResponseWriter, r *http.Request) (*call, *problem) {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	op, id, methods := lookUp(r)
	if op != nil {
		return &call{operation: op, id: id, base: "http://" + r.Host, path: path, r: r}, nil
	}
	if methods == nil {
		p := notFound("The path %s does not exist.", path)
		return nil, &p
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	return nil, &problem{status: http.StatusMethodNotAllowed, code: "method_not_allowed", title: "Method not allowed.",
		detail: "Method \"" + r.Method + "\" not allowed.", pointer: "/data/"}
}

// lookUp finds the operation of a request and the id in its path, or else the methods that the path has.
// A slash at the end of the path is as good as none.
func lookUp(r *http.Request) (op *operation, id string, methods []string) {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	for i := range operations {
		id, ok := matchPath(operations[i].path, path)
		if !ok {
			continue
		}
		if operations[i].method == r.Method {
			return &operations[i], id, nil
		}
		methods = append(methods, operations[i].method)
	}
	return nil, "", methods
}

func matchPath(pattern, path string) (id string, ok bool) {
	for pattern != "" && path != "" {
		var want, have string
		want, pattern, _ = strings.Cut(pattern[1:], "/")
		have, path, _ = strings.Cut(path[1:], "/")
		if pattern != "" {
			pattern = "/" + pattern
		}
		if path != "" {
			path = "/" + path
		}
		switch {
		case want == "{id}" && have != "":
			var err error
			if id, err = url.PathUnescape(have); err != nil {
				return "", false
			}
		case want != have:
			return "", false
		}
	}
	return id, pattern == "" && path == ""
}

// authorize takes any private key but "invalid".
func authorize(r *http.Request) *problem {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Klaviyo-API-Key "); ok && key != "invalid" {
		return nil
	}
	return &problem{status: http.StatusUnauthorized, code: "authentication_failed", title: "Incorrect authentication credentials.",
		detail: "Incorrect authentication credentials.", pointer: "/data/"}
}

// admitted counts a request with a good key against the rate limits, and serves it.
func (s *Simulator) admitted(w http.ResponseWriter, c *call) answer {
	endpoint, tier := c.name(), c.tier
	if c.query.additional != "" && c.r.URL.Query().Has("additional-fields[list]") {
		endpoint, tier = endpoint+" profile_count", tierXS
	}
	now := s.options.Now()
	remaining, wait := s.rates.take(endpoint, tier, now, s.options.RateLimits)
	if wait > 0 {
		return throttled(w.Header(), wait)
	}
	s.rates.setHeaders(w.Header(), tier, remaining, now)
	if p := c.read(); p != nil {
		return p.answer()
	}
	if most := s.options.MaxPage; most > 0 {
		c.size = min(c.size, most)
	}
	return c.serve(s, c)
}

var revisionForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$`)

// read checks the headers and the query and reads the body. What Klaviyo answers to
// a missing or malformed revision is not known; 400 makes the mistake show.
func (c *call) read() *problem {
	revision := c.r.Header.Get("revision")
	date, _, _ := strings.Cut(revision, ".")
	if _, err := time.Parse(time.DateOnly, date); err != nil || !revisionForm.MatchString(revision) {
		p := invalid("/data/", "The revision header must be a date such as 2026-07-15.")
		return &p
	}
	var p *problem
	if c.request, p = c.query.parse(c.r.URL.RawQuery); p != nil || !c.operation.body {
		return p
	}
	sent, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if sent != mediaType && sent != "application/json" || c.r.Header.Get("Content-Encoding") != "" {
		return &problem{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", title: "Unsupported media type.",
			detail: "Content-Type must be " + mediaType + ", without Content-Encoding.", pointer: "/data/"}
	}
	return c.readBody()
}

// maxDiscarded is how much of a body that is too large is read after all.
const maxDiscarded = 64 << 20

// readBody reads the body, at most maxBody bytes. The rest of a body that is too
// large is read and thrown away, as far as a bound, since many clients don't read an answer before they have sent all.
func (c *call) readBody() *problem {
	size := c.r.ContentLength
	if size < 0 || size > maxBody {
		size = maxBody
	}
	b := make([]byte, 0, size+1)
	for {
		n, err := c.r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if len(b) > maxBody {
			_, _ = io.CopyN(io.Discard, c.r.Body, maxDiscarded)
			return &tooLarge
		}
		if err == io.EOF {
			break
		}
		if err != nil || len(b) == cap(b) {
			p := invalid("/data", payloadInvalid)
			return &p
		}
	}
	c.body = b
	return nil
}

func (a answer) write(w http.ResponseWriter) {
	if a.body != nil {
		w.Header().Set("Content-Type", mediaType)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have gone
}
