package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// fate is how a job ends.
type fate int

const (
	fateComplete fate = iota
	fateCancelled
	fateStuck
)

// harm lets the plan's faults have their way with a job before it begins. An answer other than nil is given in its place.
func (s *Simulator) harm(j *job) *answer {
	if s.faults == nil {
		return nil
	}
	for _, p := range s.faults.onImport(j) {
		if a := p.harm(p.Fault, j); a != nil {
			return a
		}
	}
	return nil
}

// selects tells whether a fault is about the profile at a place of an import.
func (f *Fault) selects(i int, r *row) bool {
	return f.Addresses == nil && f.Indexes == nil || slices.Contains(f.Indexes, i) || matchesAny(f.Addresses, r.email)
}

func concernsProfiles(f *Fault, j *job) bool {
	for i := range j.rows {
		if f.selects(i, &j.rows[i]) {
			return true
		}
	}
	return false
}

// matchesAny tells whether a text matches one of the patterns, in which * is any text. Case does not matter.
func matchesAny(patterns []string, text []byte) bool {
	return text != nil && slices.ContainsFunc(patterns, func(pattern string) bool {
		return matches(strings.ToLower(pattern), string(bytes.ToLower(text)))
	})
}

func matches(pattern, text string) bool {
	part, rest, more := strings.Cut(pattern, "*")
	if !more {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, part)
	for ok && more {
		if part, rest, more = strings.Cut(rest, "*"); !more {
			return strings.HasSuffix(text, part)
		}
		_, text, ok = strings.Cut(text, part)
	}
	return false
}

func refuse(f *Fault, j *job) *answer {
	var ps problems
	for i := range j.rows {
		if !f.selects(i, &j.rows[i]) {
			continue
		}
		pointer := fmt.Sprintf("/data/attributes/profiles/data/%d/attributes/%s", i, cmp.Or(f.Attribute, "email"))
		p := invalid(pointer, "%s", cmp.Or(f.Detail, "Invalid email address"))
		if f.Naming == "unnamed" {
			p = invalid("/data", "%s", cmp.Or(f.Detail, payloadInvalid))
		}
		p.code = cmp.Or(f.Code, p.code)
		ps = append(ps, p)
		if f.Naming == "rounds" || f.Naming == "unnamed" {
			break
		}
	}
	a := ps.answer()
	return &a
}

func concernsSize(f *Fault, j *job) bool {
	return f.Profiles > 0 && len(j.rows) > f.Profiles || f.Bytes > 0 && j.size > f.Bytes
}

func refuseSize(*Fault, *job) *answer {
	a := tooLarge.answer()
	return &a
}

// tooLarge is the problem of a body over the limit.
var tooLarge = problem{status: http.StatusRequestEntityTooLarge, code: "request_entity_too_large", title: "Request entity too large.",
	detail: "The payload is larger than the maximum of 5MB.", pointer: "/data/"}

func fail(f *Fault, j *job) *answer {
	if j.failing == nil {
		j.failing = map[int]*Fault{}
	}
	for i := range j.rows {
		if j.failing[i] == nil && f.selects(i, &j.rows[i]) {
			j.failing[i] = f
		}
	}
	if f.Report != nil {
		j.report = f.Report
	}
	return nil
}

// importError is the error of a row that the fault fails when the job runs.
func (f *Fault) importError(i int, r *row) importError {
	p := problem{code: cmp.Or(f.Code, "invalid"), title: "Invalid input", detail: cmp.Or(f.Detail, "The profile could not be imported."),
		pointer: fmt.Sprintf("/data/attributes/profiles/data/%d", i)}
	if f.Pointer == "data" {
		p.pointer = "/data"
	}
	sent := *r
	if f.Uppercase && r.email != nil {
		m := newMerger(r.attributes)
		m.write([]byte(`"email"`), []byte("email"), quote(nil, string(bytes.ToUpper(r.email))))
		sent.attributes = m.object()
	}
	e := newImportError(p, &sent)
	switch f.Payload {
	case "none":
		e.payload = nil
	case "attributes":
		m := newMerger([]byte(`{"type":"profile"}`))
		if r.id != "" {
			m.write([]byte(`"id"`), []byte("id"), quote(nil, r.id))
		}
		m.write([]byte(`"attributes"`), []byte("attributes"), slices.Clone(sent.attributes))
		e.payload = m.object()
	}
	return e
}

func cancel(f *Fault, j *job) *answer {
	j.fate, j.processing = fateCancelled, f.After
	return nil
}

func stick(_ *Fault, j *job) *answer {
	j.fate = fateStuck
	return nil
}

func expire(f *Fault, j *job) *answer {
	j.life = f.After
	return nil
}

// losesPhone tells whether a fault drops the phone number of a row. One that alone identifies the profile stays.
func (f *Fault) losesPhone(r *row) bool {
	return (r.id != "" || r.email != nil || r.external != nil) && matchesAny(f.Phones, r.phone)
}

func concernsPhones(f *Fault, j *job) bool {
	return slices.ContainsFunc(j.rows, func(r row) bool { return f.losesPhone(&r) })
}

func dropPhones(f *Fault, j *job) *answer {
	for i := range j.rows {
		if r := &j.rows[i]; f.losesPhone(r) {
			r.phone, r.dropPhone, r.rewrite = nil, true, true
		}
	}
	return nil
}
