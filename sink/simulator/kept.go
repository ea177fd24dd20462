package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// kept is an answer that has not been sent yet.
type kept struct {
	status int
	header http.Header
	body   bytes.Buffer
	cut    bool // the connection ends after the first sent bytes of the body
	sent   int
}

func newKept(status int) *kept { return &kept{status: status, header: http.Header{}} }

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }

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

// problem makes k an error in the form of JSON:API.
func (k *kept) problem(p problem) {
	k.body.Reset()
	p.answer().write(k, newUUID())
}

// page makes k an HTML page, as a proxy in front of Klaviyo answers.
func (k *kept) page(title string) {
	k.header.Set("Content-Type", "text/html; charset=UTF-8")
	k.header.Set("Server", "cloudflare")
	k.body.Reset()
	const form = "<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%[1]s</h1></body></html>\n"
	fmt.Fprintf(&k.body, form, title)
}

// text makes k a body that is not what its media type says.
func (k *kept) text(body string) {
	k.header.Set("Content-Type", mediaType)
	k.body.Reset()
	k.body.WriteString(body)
}

// fill gives k the headers and body of the fault. as stands for Fault.As.
func (k *kept) fill(f *Fault, as string) {
	title := cmp.Or(http.StatusText(k.status), "A timeout occurred")
	switch {
	case f.Body != "":
		k.text(f.Body)
	case as == "error":
		p, ok := recorded(k.status)
		if !ok {
			p = problem{status: k.status, code: codeOf(k.status), title: title + ".", detail: title + ".", pointer: "/data/"}
		}
		p.code, p.detail = cmp.Or(f.Code, p.code), cmp.Or(f.Detail, p.detail)
		k.problem(p)
	case as == "legacy":
		k.body.Reset()
		status := k.status
		writeLegacy(k, f.Detail)
		k.status = status
	case as == "page":
		k.page(fmt.Sprintf("%d: %s", k.status, title))
	case as == "empty":
		k.text("")
	case as == "text":
		k.text("upstream connect error or disconnect/reset before headers\n")
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

// codeOf returns a code for a status whose own code was not recorded.
func codeOf(status int) string {
	return cmp.Or(strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_"), "error")
}

// withoutID removes the id from the primary resource of a document.
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
