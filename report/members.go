package report

import (
	"strconv"
	"time"
)

// Members counts what reading rows back on the list showed (--verify).
type Members struct {
	Verified   int64 `json:"verified"`   // rows that are as they should be
	New        int64 `json:"new"`        // of these, members who joined by this run
	Unmailable int64 `json:"unmailable"` // of these, members who may not be sent marketing
	Missing    int64 `json:"missing"`    // rows that are not as they should be: they are unknown
	Unverified int64 `json:"unverified"` // rows that could not be read back: they stay applied
}

// ReadBack is what reading a row back on the list showed.
type ReadBack struct {
	Verified bool      // false: it could not be read back
	Since    time.Time // when the member joined the list; zero for a removal
	New      bool      // the member joined by this run
	Mailable bool      // marketing may be sent to the member
}

// count counts a row.
func (m *Members) count(status Status, r *ReadBack) {
	switch {
	case status == Unknown:
		m.Missing++
	case !r.Verified:
		m.Unverified++
	default:
		m.Verified++
		if !r.Since.IsZero() && !r.Mailable {
			m.Unmailable++
		}
		if r.New {
			m.New++
		}
	}
}

// append appends the members of a row's line.
func (r *ReadBack) append(b []byte) []byte {
	switch {
	case !r.Verified:
		return append(b, `,"verified":false`...)
	case r.Since.IsZero():
		return b
	}
	b = append(b, `,"member_since":"`...)
	b = r.Since.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `","new":`...)
	b = strconv.AppendBool(b, r.New)
	b = append(b, `,"mailable":`...)
	return strconv.AppendBool(b, r.Mailable)
}

// mergeMembers adds up; nil when no report has any.
func mergeMembers(a, b *Members) *Members {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return &Members{
		Verified: a.Verified + b.Verified, New: a.New + b.New, Unmailable: a.Unmailable + b.Unmailable,
		Missing: a.Missing + b.Missing, Unverified: a.Unverified + b.Unverified,
	}
}
