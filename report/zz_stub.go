package report

import "github.com/segmentio/encoding/json"

type Mirrored struct {
	Read       int64 `json:"read"`
	Matched    int64 `json:"matched"`
	Added      int64 `json:"added"`
	JoinedLater int64 `json:"joined_later"`
	Extras     int64 `json:"extras"`
	Removed    int64 `json:"removed"`
	Unmatched  int64 `json:"unmatched"`
}
type MemberStatus uint8
const (MemberRemoved MemberStatus = iota; MemberExtra; MemberUnknown)
type Member struct { Status MemberStatus; Key []byte; Code, Detail, ProfileID string }
func (w *Writer) Member(m *Member) error {
	b := append(w.buf, `{"type":"member","status":"`...)
	b = append(b, []string{"removed","extra","unknown"}[m.Status]...)
	b = append(b, '"')
	if len(m.Key)>0 { b = append(append(b, `,"key":`...), m.Key...) }
	b = appendMember(b, `,"code":`, m.Code)
	b = appendMember(b, `,"detail":`, m.Detail)
	b = append(b, `,"profile_id":`...)
	b = json.AppendEscape(b, m.ProfileID, 0)
	w.buf = append(b, '}','\n')
	if len(w.buf) >= flushAt { return w.Flush() }
	return nil
}
