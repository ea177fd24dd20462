package simulator

import "fmt"

// importError says that a profile was dropped when its import job ran.
type importError struct {
	id string
	problem
	payload []byte // the profile's attributes as sent, and its id if it had one
}

func newImportError(p problem, sent *sentProfile) importError {
	payload := append([]byte(nil), sent.attributes...)
	if sent.id != "" {
		m := newMerger(payload)
		m.write([]byte(`"id"`), []byte("id"), quote(nil, sent.id))
		payload = m.object()
	}
	return importError{newUUID(), p, payload}
}

// profilesPointer points to the profiles in the body of an import.
const profilesPointer = "/data/attributes/profiles/data"

// profilePointer points to one profile in the body of an import.
func profilePointer(i int) string { return fmt.Sprintf("%s/%d", profilesPointer, i) }

// getImportErrors is GET /api/profile-bulk-import-jobs/{id}/import-errors.
func (s *Simulator) getImportErrors(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	j, p := s.job(c)
	if p != nil {
		return p.answer()
	}
	n := len(j.errors)
	if j.report != nil {
		n = min(n, *j.report)
	}
	at := func(i int) (importError, bool) { return j.errors[i], true }
	return collection(c, n, at, func(b []byte, e importError) []byte {
		b = c.fields["import-error"].resource(b, "import-error", e.id, []attribute{
			{"code", quote(nil, e.code)},
			{"title", quote(nil, e.title)},
			{"detail", quote(nil, e.detail)},
			{"source", append(quote([]byte(`{"pointer":`), e.pointer), '}')},
			{"original_payload", e.payload},
		})
		return append(b, '}')
	})
}
