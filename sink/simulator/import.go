package simulator

import (
	"fmt"
	"net/http"
	"time"
)

// The limits of one import. Klaviyo says 10,000 profiles, 5 MB and 100 KB.
const (
	maxProfiles     = 10_000
	maxBody         = 5_000_000
	maxProfileBytes = 100_000
)

// postImport is POST /api/profile-bulk-import-jobs.
func (s *Simulator) postImport(c *call) answer {
	rows, listIDs, ps := parseImport(c.body)
	if ps != nil {
		return ps.answer()
	}
	s.lock()
	defer s.mu.Unlock()
	for _, id := range listIDs {
		if s.list(id) == nil {
			return invalid("/data", "List ID %s does not exist.", id).answer()
		}
	}
	now := s.options.Now()
	j := &job{id: newJobID(now), number: uint32(len(s.jobs) + 1), created: now, listIDs: listIDs, rows: rows, total: len(rows),
		size: len(c.body), processing: s.options.JobTime, life: jobLife}
	if a := s.harm(j); a != nil {
		return *a
	}
	s.jobs = append(s.jobs, j)
	s.open = append(s.open, j)
	return c.document(http.StatusAccepted, s.appendJob(nil, c, j, timeJSON))
}

// parseImport takes the body of an import apart. One problem of a row refuses the whole request; all problems are told.
func parseImport(body []byte) (rows []row, listIDs []string, ps problems) {
	if !validJSON(body) {
		return nil, nil, problems{invalid("/data", payloadInvalid)}
	}
	p := importParser{walker: walk(body)}
	p.object("", func(name []byte) bool {
		if string(name) != "data" {
			return false
		}
		p.data()
		return true
	})
	const pointer = "/data/attributes/profiles/data"
	switch {
	case !p.hasProfiles && p.problems == nil:
		p.fail("/data", payloadInvalid)
	case !p.hasProfiles:
	case p.kind != "profile-bulk-import-job":
		p.fail("/data/type", "The type must be 'profile-bulk-import-job'.")
	case len(p.rows) == 0:
		p.fail(pointer, "At least one profile is required.")
	case len(p.rows) > maxProfiles:
		p.problems = nil
		p.fail(pointer, "The number of profiles must not be more than %d.", maxProfiles)
	}
	return p.rows, p.listIDs, p.problems
}

// importParser goes through the body of an import once.
type importParser struct {
	*walker
	problems
	kind        string
	hasProfiles bool
	rows        []row
	listIDs     []string
}

func (p *importParser) fail(pointer, format string, args ...any) {
	p.problems = append(p.problems, invalid(pointer, format, args...))
}

// object passes the object ahead. visit passes the value of a member and returns true, or
// returns false for a name that it does not know. What is no object is a problem.
func (p *importParser) object(pointer string, visit func(name []byte) bool) {
	if !isObject(p.b) {
		p.value()
		p.fail(pointer, payloadInvalid)
		return
	}
	p.walker.object(func(_, name []byte) {
		if !visit(name) {
			p.value()
			p.problems = append(p.problems, unknownField(pointer, name, "profile-bulk-import-job"))
		}
	})
}

func (p *importParser) data() {
	p.object("/data", func(name []byte) bool {
		switch string(name) {
		case "type":
			kind, _ := text(p.value())
			p.kind = string(kind)
		case "attributes":
			p.object("/data/attributes", func(name []byte) bool {
				if string(name) != "profiles" {
					return false
				}
				p.object("/data/attributes/profiles", p.profiles)
				return true
			})
		case "relationships":
			var found problems
			p.listIDs, found = parseLists(p.value())
			p.problems = append(p.problems, found...)
		default:
			return false
		}
		return true
	})
}

func (p *importParser) profiles(name []byte) bool {
	if string(name) != "data" {
		return false
	}
	if !isArray(p.b) {
		p.value()
		p.fail("/data/attributes/profiles/data", payloadInvalid)
		return true
	}
	p.hasProfiles = true
	p.rows = make([]row, 0, min(maxProfiles, len(p.b)/100))
	p.array(func(i int) {
		r, found := parseRow(p.walker)
		p.rows = append(p.rows, r)
		for _, problem := range found {
			problem.pointer = fmt.Sprintf("/data/attributes/profiles/data/%d%s", i, problem.pointer)
			p.problems = append(p.problems, problem)
		}
	})
	return true
}

// parseLists takes the lists out of an import's relationships.
func parseLists(relationships []byte) (ids []string, ps problems) {
	if ps := onlyMembers(relationships, "/data/relationships", "profile-bulk-import-job", "lists"); ps != nil {
		return nil, ps
	}
	const pointer = "/data/relationships/lists"
	lists := find(relationships, "lists")
	if lists == nil {
		return nil, nil
	}
	if ps := onlyMembers(lists, pointer, "lists", "data"); ps != nil {
		return nil, ps
	}
	data := find(lists, "data")
	if data == nil {
		return nil, nil
	}
	if !isArray(data) {
		return nil, problems{invalid(pointer+"/data", payloadInvalid)}
	}
	return parseIdentifiers(data, "list", pointer+"/data")
}

// apply writes the job's rows: profiles first, then the lists that still exist.
func (s *Simulator) apply(j *job, now time.Time) {
	var lists []*list
	for _, id := range j.listIDs {
		if l := s.list(id); l != nil {
			lists = append(lists, l)
		}
	}
	for i := range j.rows {
		r := &j.rows[i]
		if f := j.failing[i]; f != nil {
			j.errors = append(j.errors, f.importError(i, r))
			continue
		}
		n, change, p := s.importRow(r, j.number, now)
		if p != nil {
			p.pointer = fmt.Sprintf("/data/attributes/profiles/data/%d", i)
			j.errors = append(j.errors, newImportError(*p, r))
		}
		if change == "" {
			continue
		}
		if change != unchanged {
			s.enter(now, change, "", n, j.id)
		}
		j.profiles = append(j.profiles, n)
		for _, l := range lists {
			s.joining(l, n, now, j.id)
		}
	}
	j.rows, j.failing = nil, nil
}

// importRow is upsert with the check of the size, which is made when a job runs and costs the row alone.
func (s *Simulator) importRow(r *row, job uint32, now time.Time) (n uint32, change string, p *problem) {
	if r.tooLarge {
		return 0, "", &problem{code: "invalid", title: "Invalid input", detail: "The profile is larger than the maximum of 100KB."}
	}
	return s.profiles.upsert(r, now, job)
}
