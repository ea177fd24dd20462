package simulator

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The functions of this file are the kinds of faults that act on any request. next passes the request on, to the
// faults after this one and then to the account, and returns the answer.

func serveStatus(f *Fault, x *exchange, _ func() *kept) *kept {
	k := newKept(f.Status)
	k.fill(f, cmp.Or(f.As, f.defaultAs()))
	return x.answered(k)
}

// defaultAs is the form of a status fault's answer. A 410 without a code of its own is that of a legacy API.
func (f *Fault) defaultAs() string {
	if f.Status == http.StatusGone && f.Code == "" {
		return "legacy"
	}
	return "error"
}

func serveThrottle(f *Fault, x *exchange, _ func() *kept) *kept {
	k := newKept(http.StatusTooManyRequests)
	now, wait := x.options.Now(), f.RetryAfter
	spans := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "day": 24 * time.Hour}
	if span := spans[f.Window]; span > 0 {
		wait = x.rates.windowStart(now, span).Add(span).Sub(now)
	}
	seconds := wholeSeconds(wait)
	k.problem(throttled(seconds))
	switch f.Form {
	case "date":
		k.header.Set("Retry-After", now.Add(time.Duration(seconds)*time.Second).UTC().Format(http.TimeFormat))
	case "none":
	default:
		k.header.Set("Retry-After", strconv.Itoa(seconds))
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

// serveLoss lets the request have its effect and gives another answer. What the fault leaves open is as in the lost
// answer, except that a page or an error is a 502.
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

// serveRelinked puts another scheme and host into the link to the next page. An answer without such a link is
// unchanged.
func serveRelinked(f *Fault, _ *exchange, pass func() *kept) *kept {
	k := pass()
	document := k.body.Bytes()
	if !validJSON(document) || !isObject(document) {
		return k
	}
	links := find(document, "links")
	if links == nil || !isObject(links) {
		return k
	}
	next := find(links, "next")
	if next == nil || isNull(next) {
		return k
	}
	link, _ := text(next)
	u, err := url.Parse(string(link))
	if err != nil {
		return k
	}
	to, _ := url.Parse(f.To) // wrongTarget has checked it
	u.Scheme, u.Host = to.Scheme, to.Host
	before, after, _ := bytes.Cut(document, next) // no other link has this cursor
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
