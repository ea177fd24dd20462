package simulator

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// mediaType is the media type of every body in either direction.
const mediaType = "application/vnd.api+json"

// call is one request for an operation. It passes route, key and rate limits, and then the operation's own checks.
type call struct {
	*operation
	request
	id    string // in the path
	base  string // of links: scheme and host
	path  string // without a slash at its end
	first int    // the first position of the collection that belongs to the answer
	body  []byte
	r     *http.Request

	shifting bool   // cursors count resources
	wanted   []bool // which of profileAttributes the answer has; nil until the first profile
}

// maxURL is the longest path with query. An older API of Klaviyo was seen to answer 414 to a long URL. Choices: the
// limit, which is that of many web servers, and the form of the answer.
const maxURL = 8190

// ServeHTTP answers one request, or lets the plan's faults answer it.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
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
	if isLegacy(r.URL.Path) {
		s.count(other, "410")
		writeLegacy(w, "")
		return
	}
	var a answer
	c, p := route(w, r)
	if p == nil {
		p = s.authorize(w, c)
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
	a.write(w, newUUID())
}

// count adds one to the requests of an operation with this status, which may be "reset".
func (s *Simulator) count(name, status string) {
	if name != other {
		name += " " + status
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[name]++
}

// route finds the operation.
func route(w http.ResponseWriter, r *http.Request) (*call, *problem) {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	op, id, methods := lookUp(r)
	switch {
	case len(r.URL.RequestURI()) > maxURL:
		return nil, &problem{
			status: http.StatusRequestURITooLong, code: "request_uri_too_long", title: "Request-URI too long.",
			detail: fmt.Sprintf("The URL is longer than the maximum of %d bytes.", maxURL), pointer: "/data/",
		}
	case op != nil:
		return &call{operation: op, id: id, base: "http://" + r.Host, path: path, r: r}, nil
	}
	if methods == nil {
		p := notFound("The path %s does not exist.", path)
		return nil, &p
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	return nil, &problem{
		status: http.StatusMethodNotAllowed, code: "method_not_allowed", title: "Method not allowed.",
		detail: "Method \"" + r.Method + "\" not allowed.", pointer: "/data/",
	}
}

// admitted counts a request with a good key against the rate limits, and serves it.
func (s *Simulator) admitted(w http.ResponseWriter, c *call) answer {
	endpoint, tier := c.name(), c.tier
	if c.query.additional["list"] != "" && c.r.URL.Query().Has("additional-fields[list]") {
		endpoint, tier = endpoint+" profile_count", tierXS
	}
	now := s.options.Now()
	remaining, wait := s.rates.take(endpoint, tier, now, s.options.RateLimits)
	if wait > 0 {
		seconds := wholeSeconds(wait)
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return throttled(seconds).answer()
	}
	s.rates.setHeaders(w.Header(), tier, remaining, now)
	if p := c.read(); p != nil {
		return p.answer()
	}
	if most := s.options.MaxPage; most > 0 {
		c.size = min(c.size, most)
	}
	c.shifting = s.options.Plan != nil && s.options.Plan.Cursors == "shifting"
	return c.serve(s, c)
}

// read checks the headers and the query, and reads the body.
func (c *call) read() *problem {
	var p *problem
	if c.request, p = c.query.parse(c.r.URL.RawQuery); p != nil || !c.operation.body {
		return p
	}
	given, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if given != mediaType && given != "application/json" || c.r.Header.Get("Content-Encoding") != "" {
		return &problem{
			status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", title: "Unsupported media type.",
			detail: "Content-Type must be " + mediaType + ", without Content-Encoding.", pointer: "/data/",
		}
	}
	return c.readBody()
}

// maxDiscarded is how much is still read of a body that is too large.
const maxDiscarded = 64 << 20

// readBody reads the body, at most maxBody bytes. It reads and discards up to maxDiscarded bytes of a body that is
// too large, because many clients read no answer before they have sent everything.
func (c *call) readBody() *problem {
	size := c.r.ContentLength
	if size < 0 || size > maxBody {
		size = maxBody
	}
	b := make([]byte, 0, min(size+1, 64<<10))
	for {
		if len(b) == cap(b) { // it holds no memory for what a client only announces
			b = slices.Grow(b, int(min(int64(len(b)), max(size+1-int64(len(b)), 1))))
		}
		n, err := c.r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if len(b) > maxBody {
			_, _ = io.CopyN(io.Discard, c.r.Body, maxDiscarded)
			return &tooLarge
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			p := invalid("/data", payloadInvalid)
			return &p
		}
	}
	c.body = b
	return nil
}
