package report

import (
	"strconv"
	"time"
)

// Members counts the members of the list: what --verify read back, and what mirror found and removed. Each half is nil
// when the run did not do that.
type Members struct {
	*ReadBackCounts
	*Mirrored
}

// ReadBackCounts counts what reading rows back on the list showed (--verify).
type ReadBackCounts struct {
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
func (m *ReadBackCounts) count(status Status, r *ReadBack) {
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
		ReadBackCounts: m.ReadBackCounts.plus(o.ReadBackCounts), Mirrored: m.Mirrored.plus(o.Mirrored),
	}
}

func (c *ReadBackCounts) plus(o *ReadBackCounts) *ReadBackCounts {
	switch {
	case c == nil:
		return o
	case o == nil:
		return c
	}
	return &ReadBackCounts{
		Verified: c.Verified + o.Verified, New: c.New + o.New, Unmailable: c.Unmailable + o.Unmailable,
		Missing: c.Missing + o.Missing, Unverified: c.Unverified + o.Unverified,
	}
}

// mirrored returns the counts of mirror, nil where there are none.
func (m *Members) mirrored() *Mirrored {
	if m == nil {
		return nil
	}
	return m.Mirrored
}

// counts returns all counts.
func (m *Members) counts() (counts []int64) {
	if m == nil {
		return nil
	}
	if c := m.ReadBackCounts; c != nil {
		counts = append(counts, c.Verified, c.New, c.Unmailable, c.Missing, c.Unverified)
	}
	if c := m.Mirrored; c != nil {
		counts = append(counts, c.Read, c.Matched, c.Added, c.JoinedLater, c.Extras, c.Removed, c.Unmatched)
	}
	return counts
}
