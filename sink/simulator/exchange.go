package simulator

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// exchange is one request on its way through the faults that act on it.
type exchange struct {
	*Simulator
	name string // of the operation
	r    *http.Request
	body []byte
}

// kept is an answer that has not been sent.
type kept struct {
	status int
	header http.Header
	body   bytes.Buffer
	cut    bool // only the first sent bytes of the body are sent, and then the connection ends
	sent   int
}

func newKept(status int) *kept { return &kept{status: status, header: http.Header{}} }

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }

// serveFaults answers a request on which faults act. It has been read whole before any of them does,
// so that no client meets one while it is still sending.
func (s *Simulator) serveFaults(w http.ResponseWriter, r *http.Request, name string, acting []*progress) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil {
		_, err = io.CopyN(io.Discard, r.Body, maxDiscarded)
	}
	if err != nil && err != io.EOF {
		panic(http.ErrAbortHandler) // the client has gone
	}
	x := &exchange{s, name, r, body}
	x.through(acting).send(x, w)
}

// through passes the request through the faults to what they are before.
func (x *exchange) through(acting []*progress) *kept {
	if len(acting) == 0 {
		r := x.r.WithContext(x.r.Context())
		r.Body = io.NopCloser(bytes.NewReader(x.body))
		k := newKept(http.StatusOK)
		x.inner.ServeHTTP(k, r)
		return k
	}
	return acting[0].serve(acting[0].Fault, x, func() *kept { return x.through(acting[1:]) })
}

func (k *kept) send(x *exchange, w http.ResponseWriter) {
	if k.cut && k.body.Len() == 0 {
		x.abort()
	}
	maps.Copy(w.Header(), k.header)
	if k.cut {
		w.Header().Set("Content-Length", strconv.Itoa(k.body.Len()))
	}
	w.WriteHeader(k.status)
	if !k.cut {
		_, _ = w.Write(k.body.Bytes()) // the client may have gone
		return
	}
	_, _ = w.Write(k.body.Bytes()[:min(k.sent, k.body.Len()-1)])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// connKey is that of the connection in a request's context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// abort ends the connection without an answer. The client of a Simulator that Start serves sees
// it reset, that of another server sees its end.
func (x *exchange) abort() {
	if c, ok := x.r.Context().Value(connKey{}).(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	panic(http.ErrAbortHandler)
}

// wait returns after so long; if the client has gone before that, the request ends here.
func (x *exchange) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// answered counts an answer to a request that has not reached the account.
func (x *exchange) answered(k *kept) *kept {
	x.count(x.name, strconv.Itoa(k.status))
	return k
}

// problem makes k an error in the form of JSON:API.
func (k *kept) problem(p problem) {
	a := p.answer()
	k.header.Set("Content-Type", mediaType)
	k.body.Reset()
	k.body.Write(a.body)
}

// page makes k what a proxy in front of Klaviyo answers.
func (k *kept) page(title string) {
	k.header.Set("Content-Type", "text/html; charset=UTF-8")
	k.header.Set("Server", "cloudflare")
	k.body.Reset()
	fmt.Fprintf(&k.body, "<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%[1]s</h1></body></html>\n", title)
}

// fill gives k the status, headers and body that the fault says.
func (k *kept) fill(f *Fault, as string) {
	title := cmp.Or(http.StatusText(k.status), "A timeout occurred")
	switch {
	case f.Body != "":
		k.header.Set("Content-Type", mediaType)
		k.body.Reset()
		k.body.WriteString(f.Body)
	case as == "error":
		k.problem(problem{status: k.status, code: cmp.Or(f.Code, codeOf(k.status)), title: title + ".", detail: cmp.Or(f.Detail, title+"."), pointer: "/data/"})
	case as == "page":
		k.page(fmt.Sprintf("%d: %s", k.status, title))
	case as == "empty":
		k.header.Set("Content-Type", mediaType)
		k.body.Reset()
	case as == "text":
		k.header.Set("Content-Type", mediaType)
		k.body.Reset()
		k.body.WriteString("upstream connect error or disconnect/reset before headers\n")
	case as == "no_id":
		nameless := withoutID(k.body.Bytes())
		k.body.Reset()
		k.body.Write(nameless)
	}
	if f.Type != "" {
		k.header.Set("Content-Type", f.Type)
	}
	for name, value := range f.Headers {
		k.header.Set(name, value)
	}
}

// codeOf returns the code of an error that has none given. Those of 5xx are not known.
func codeOf(status int) string {
	known := map[int]string{400: "invalid", 401: "authentication_failed", 403: "permission_denied", 409: "duplicate_profile", 429: "throttled"}
	return cmp.Or(known[status], strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_"), "error")
}

// withoutID takes the id out of the resource that a document is about.
func withoutID(document []byte) []byte {
	if !validJSON(document) || !isObject(document) {
		return document
	}
	whole := newMerger(document)
	data := whole.value([]byte("data"))
	if data == nil || !isObject(data) {
		return document
	}
	nameless := &merger{at: map[string]int{}}
	members(data, func(quoted, name, value []byte) {
		if string(name) != "id" {
			nameless.write(quoted, name, value)
		}
	})
	whole.write([]byte(`"data"`), []byte("data"), nameless.object())
	return whole.object()
}

func serveStatus(f *Fault, x *exchange, _ func() *kept) *kept {
	k := newKept(f.Status)
	k.fill(f, cmp.Or(f.As, "error"))
	return x.answered(k)
}

func serveThrottle(f *Fault, x *exchange, _ func() *kept) *kept {
	k := newKept(http.StatusTooManyRequests)
	now, wait := x.options.Now(), f.RetryAfter
	if span := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "day": 24 * time.Hour}[f.Window]; span > 0 {
		wait = x.rates.windowStart(now, span).Add(span).Sub(now)
	}
	a := throttled(k.header, wait)
	k.header.Set("Content-Type", mediaType)
	k.body.Write(a.body)
	switch f.Form {
	case "date":
		seconds, _ := strconv.Atoi(k.header.Get("Retry-After"))
		k.header.Set("Retry-After", now.Add(time.Duration(seconds)*time.Second).UTC().Format(http.TimeFormat))
	case "none":
		k.header.Del("Retry-After")
	}
	return x.answered(k)
}

func serveChallenge(_ *Fault, x *exchange, _ func() *kept) *kept {
	k := newKept(http.StatusForbidden)
	k.page("Just a moment...")
	k.header.Set("Cf-Mitigated", "challenge")
	return x.answered(k)
}

func serveReset(f *Fault, x *exchange, next func() *kept) *kept {
	if f.Processed {
		next()
	} else {
		x.count(x.name, "reset")
	}
	x.abort()
	return nil
}

// serveLoss lets the request have its effect and gives another answer. What is not said of it is as in the answer that
// was lost, except that a page or an error is a 502.
func serveLoss(f *Fault, _ *exchange, next func() *kept) *kept {
	lost := next()
	as := cmp.Or(f.As, "page")
	k := newKept(cmp.Or(f.Status, lost.status))
	switch {
	case as == "no_id":
		k.header, k.body = lost.header, lost.body
	case f.Body == "" && (as == "page" || as == "error"):
		k.status = cmp.Or(f.Status, http.StatusBadGateway)
	}
	k.fill(f, as)
	return k
}

func serveTruncated(f *Fault, _ *exchange, next func() *kept) *kept {
	k := next()
	k.cut, k.sent = true, cmp.Or(f.Bytes, k.body.Len()/2)
	return k
}

func serveDelayed(f *Fault, x *exchange, next func() *kept) *kept {
	x.wait(f.Before)
	k := next()
	x.wait(f.After)
	return k
}

func serveRedirect(f *Fault, x *exchange, _ func() *kept) *kept {
	k := newKept(cmp.Or(f.Status, http.StatusFound))
	k.header.Set("Location", f.To)
	return x.answered(k)
}

// serveRelinked puts another scheme and host into the link to the next page. An answer without one stays as it is.
func serveRelinked(f *Fault, _ *exchange, next func() *kept) *kept {
	k := next()
	document := k.body.Bytes()
	if !validJSON(document) || !isObject(document) {
		return k
	}
	links := find(document, "links")
	if links == nil || !isObject(links) {
		return k
	}
	said := find(links, "next")
	if said == nil || isNull(said) {
		return k
	}
	link, _ := text(said)
	u, err := url.Parse(string(link))
	if err != nil {
		return k
	}
	to, _ := url.Parse(f.To) // wrongTarget has checked it
	u.Scheme, u.Host = to.Scheme, to.Host
	before, after, _ := bytes.Cut(document, said) // no other link has this cursor
	changed := slices.Concat(before, quote(nil, u.String()), after)
	k.body.Reset()
	k.body.Write(changed)
	return k
}

func serveTwice(_ *Fault, _ *exchange, next func() *kept) *kept {
	k := next()
	next()
	return k
}
