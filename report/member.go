package report

import "slices"

// MemberStatus is the result for a member of the list who matches no row (mirror).
type MemberStatus uint8

// The statuses of a member.
const (
	MemberRemoved  MemberStatus = iota // the run removed the member
	MemberExtra                        // the member is still on the list
	MemberUnknown                      // the removal cannot be proved
	MemberRemoving                     // the member is about to be removed: a line of its own type, before the result
)

var memberStatuses = []string{"removed", "extra", "unknown"}

func (s MemberStatus) String() string { return memberStatuses[s] }

// typeRemoving is the type of a line that names a member before the removal, so that a killed run has named everybody
// it removed.
const typeRemoving = "removing"

// parseMemberStatus returns the status with that name.
func parseMemberStatus(name string) (MemberStatus, bool) {
	i := slices.Index(memberStatuses, name)
	return MemberStatus(max(i, 0)), i >= 0
}

// Member is the line of a member who matches no row. Its lines follow those of all rows. Key is a JSON string with its
// quotes, or empty. Empty strings are left out.
type Member struct {
	Status    MemberStatus
	Key       []byte
	Code      string
	Detail    string
	ProfileID string
	Raw       []byte // the whole line without its newline; when set, it is written as it is
}

// append appends the line.
func (m *Member) append(b []byte) []byte {
	if m.Raw != nil {
		return append(append(b, m.Raw...), '\n')
	}
	if m.Status == MemberRemoving {
		b = append(b, `{"type":"`+typeRemoving+`"`...)
	} else {
		b = append(b, `{"type":"member","status":"`...)
		b = append(append(b, m.Status.String()...), '"')
	}
	if len(m.Key) > 0 {
		b = append(b, `,"key":`...)
		b = append(b, m.Key...)
	}
	b = appendMember(b, `,"code":`, m.Code)
	b = appendMember(b, `,"detail":`, m.Detail)
	b = appendMember(b, `,"profile_id":`, m.ProfileID)
	return append(b, '}', '\n')
}

// maxLeft bounds the memory of extras. Further members are not remembered: a second line of one counts again.
const maxLeft = 10_000

// extras counts the members' lines of runs that have no report. The last line of a profile counts.
type extras struct {
	removed, left int64           // left are extra or unknown
	known         map[string]bool // profile ids of those that are left
	removing      map[string]bool // profile ids of those whose removal has no result yet
}

func (x *extras) add(m *Member) {
	id := shortened(m.ProfileID, maxName)
	known := x.known[id]
	delete(x.removing, id)
	switch {
	case m.Status == MemberRemoving:
		if x.removing == nil {
			x.removing = map[string]bool{}
		}
		if len(x.removing) < maxLeft && !known {
			x.removing[id] = true
		}
	case m.Status == MemberRemoved:
		x.removed++
		if known {
			delete(x.known, id)
			x.left--
		}
	case !known:
		x.left++
		if x.known == nil {
			x.known = map[string]bool{}
		}
		if id != "" && len(x.known) < maxLeft {
			x.known[id] = true
		}
	}
}

// members returns the counts as far as lines show them, nil when there was no line.
func (x *extras) members() *Members {
	all := x.removed + x.left + int64(len(x.removing))
	if all == 0 {
		return nil
	}
	return &Members{Mirrored: &Mirrored{Extras: all, Removed: x.removed}}
}
