package simulator

import "net/http"

// The limits of one import. Klaviyo documents 10,000 profiles, 5 MB and 100 KB. The number of lists is a choice.
const (
	maxProfiles     = 10_000
	maxLists        = 100
	maxBody         = 5_000_000
	maxProfileBytes = 100_000
)

// postImport is POST /api/profile-bulk-import-jobs.
func (s *Simulator) postImport(c *call) answer {
	sent, listIDs, ps := parseImport(c.body)
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
	j := &job{
		id: newJobID(now), number: uint32(len(s.jobs) + 1), created: now, listIDs: listIDs, sent: sent,
		total: len(sent), size: len(c.body), processing: s.options.JobTime, life: jobLife,
	}
	if a := s.affect(j); a != nil {
		return *a
	}
	s.jobs = append(s.jobs, j)
	s.open = append(s.open, j)
	return c.document(http.StatusAccepted, s.appendJob(nil, c, j, timeJSON))
}

// parseImport parses the body of an import. One problem of a profile refuses the whole request, and the answer has all
// problems.
func parseImport(body []byte) (sent []sentProfile, listIDs []string, ps problems) {
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
	switch {
	case !p.hasProfiles && p.problems == nil:
		p.invalid("/data", payloadInvalid)
	case !p.hasProfiles:
	case p.kind != "profile-bulk-import-job":
		p.invalid("/data/type", "The type must be 'profile-bulk-import-job'.")
	case len(p.sent) == 0:
		p.invalid(profilesPointer, "At least one profile is required.")
	case p.tooMany:
		p.problems = nil
		p.invalid(profilesPointer, "The number of profiles must not be more than %d.", maxProfiles)
	}
	return p.sent, p.listIDs, p.problems
}

// importParser reads the body of an import once.
type importParser struct {
	*walker
	problems
	kind        string
	hasProfiles bool
	tooMany     bool
	sent        []sentProfile
	listIDs     []string
}

// object reads the next object. visit reads the value of a member and returns true, or returns false for an unknown
// name. Anything but an object is a problem.
func (p *importParser) object(pointer string, visit func(name []byte) bool) {
	if !isObject(p.b) {
		p.value()
		p.invalid(pointer, payloadInvalid)
		return
	}
	p.walker.object(func(_, name []byte) {
		if !visit(name) {
			p.value()
			p.unknownField(pointer, name, "profile-bulk-import-job")
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
			for _, problem := range found {
				p.add(problem)
			}
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
		p.invalid(profilesPointer, payloadInvalid)
		return true
	}
	p.hasProfiles = true
	p.sent = make([]sentProfile, 0, min(maxProfiles, len(p.b)/100))
	p.array(func(i int) {
		if i >= maxProfiles { // the rest is not kept
			p.tooMany = true
			p.value()
			return
		}
		sent, found := parseProfile(p.walker)
		p.sent = append(p.sent, sent)
		for _, problem := range found {
			problem.pointer = profilePointer(i) + problem.pointer
			p.add(problem)
		}
	})
	return true
}

// parseLists returns the lists in the relationships of an import.
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
	return parseIdentifiers(data, "list", pointer+"/data", maxLists)
}
