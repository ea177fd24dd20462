package simulator

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// The functions of this file are the kinds of faults that act on an import that would be accepted. An answer that is
// not nil replaces acceptance.

// affect lets the plan's faults act on an import job before it exists. An answer that is not nil replaces acceptance.
func (s *Simulator) affect(j *job) *answer {
	if s.faults == nil {
		return nil
	}
	for _, p := range s.faults.onImport(j) {
		if a := p.affect(p.Fault, j); a != nil {
			return a
		}
	}
	return nil
}

// selects reports whether a fault concerns the profile at place i of an import.
func (f *Fault) selects(i int, sent *sentProfile) bool {
	return f.Addresses == nil && f.Indexes == nil && f.Phones == nil || slices.Contains(f.Indexes, i) ||
		matchesAny(f.Addresses, sent.email) || matchesAny(f.Phones, sent.phone)
}

func concernsProfiles(f *Fault, j *job) bool {
	for i := range j.sent {
		if f.selects(i, &j.sent[i]) {
			return true
		}
	}
	return false
}

// matchesAny reports whether a text matches one of the patterns, where * is any text. Case does not matter.
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
	attribute, detail := "email", emailInvalid
	if f.Phones != nil {
		attribute, detail = "phone_number", phoneIneligible
	}
	for i := range j.sent {
		if !f.selects(i, &j.sent[i]) {
			continue
		}
		pointer := profilePointer(i) + "/attributes/" + cmp.Or(f.Attribute, attribute)
		p := invalid(pointer, "%s", cmp.Or(f.Detail, detail))
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
	return f.Profiles > 0 && len(j.sent) > f.Profiles || f.Bytes > 0 && j.size > f.Bytes
}

func refuseSize(*Fault, *job) *answer {
	a := tooLarge.answer()
	return &a
}

// tooLarge is the problem of a body over the limit.
var tooLarge = problem{
	status: http.StatusRequestEntityTooLarge, code: "request_entity_too_large", title: "Request entity too large.",
	detail: "The payload is larger than the maximum of 5MB.", pointer: "/data/",
}

func fail(f *Fault, j *job) *answer {
	if j.failing == nil {
		j.failing = map[int]*Fault{}
	}
	for i := range j.sent {
		if j.failing[i] == nil && f.selects(i, &j.sent[i]) {
			j.failing[i] = f
		}
	}
	if f.Report != nil {
		j.report = f.Report
	}
	return nil
}

// importError is the error of a profile that the fault fails when the import job runs.
func (f *Fault) importError(i int, sent *sentProfile) importError {
	p := problem{
		code: cmp.Or(f.Code, "invalid"), title: "Invalid input", pointer: profilePointer(i),
		detail: cmp.Or(f.Detail, "The profile could not be imported."),
	}
	if f.Pointer == "data" {
		p.pointer = "/data"
	}
	shown := *sent
	if f.Uppercase && sent.email != nil {
		m := newMerger(sent.attributes)
		m.write([]byte(`"email"`), []byte("email"), quote(nil, string(bytes.ToUpper(sent.email))))
		shown.attributes = m.object()
	}
	e := newImportError(p, &shown)
	switch f.Payload {
	case "none":
		e.payload = nil
	case "attributes":
		m := newMerger([]byte(`{"type":"profile"}`))
		if sent.id != "" {
			m.write([]byte(`"id"`), []byte("id"), quote(nil, sent.id))
		}
		m.write([]byte(`"attributes"`), []byte("attributes"), slices.Clone(shown.attributes))
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

func (f *Fault) keeps(i int, sent *sentProfile) bool { return sent.unset != nil && f.selects(i, sent) }

func concernsUnset(f *Fault, j *job) bool {
	for i := range j.sent {
		if f.keeps(i, &j.sent[i]) {
			return true
		}
	}
	return false
}

func keepProperties(f *Fault, j *job) *answer {
	for i := range j.sent {
		if sent := &j.sent[i]; f.keeps(i, sent) {
			sent.unset = nil
		}
	}
	return nil
}

// losesPhone reports whether a fault drops a profile's phone number. A number that is the only identifier stays.
func (f *Fault) losesPhone(sent *sentProfile) bool {
	return (sent.id != "" || sent.email != nil || sent.external != nil) && matchesAny(f.Phones, sent.phone)
}

func concernsPhones(f *Fault, j *job) bool {
	return slices.ContainsFunc(j.sent, func(sent sentProfile) bool { return f.losesPhone(&sent) })
}

func dropPhones(f *Fault, j *job) *answer {
	for i := range j.sent {
		if sent := &j.sent[i]; f.losesPhone(sent) {
			sent.phone, sent.rewrite = nil, true
			sent.drop("phone_number")
		}
	}
	return nil
}
