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
	Dated    bool      // whether the member is new is known
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

// Append appends the members of a row's line.
func (r *ReadBack) Append(b []byte) []byte {
	switch {
	case !r.Verified:
		return append(b, `,"verified":false`...)
	case r.Since.IsZero():
		return b
	}
	b = append(b, `,"member_since":"`...)
	b = r.Since.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, '"')
	if r.Dated {
		b = strconv.AppendBool(append(b, `,"new":`...), r.New)
	}
	b = append(b, `,"mailable":`...)
	return strconv.AppendBool(b, r.Mailable)
}

// Plus returns the sum of two counts. Nil is none.
func (m *Members) Plus(o *Members) *Members {
	switch {
	case m == nil:
		return o
	case o == nil:
		return m
	}
	return &Members{
		Verified: m.Verified + o.Verified, New: m.New + o.New, Unmailable: m.Unmailable + o.Unmailable,
		Missing: m.Missing + o.Missing, Unverified: m.Unverified + o.Unverified,
	}
}
