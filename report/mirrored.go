package report

// Mirrored counts the members of a list that mirror made equal to the rows. A run with --plan changes nothing: its
// Added counts rows that would join, and its Removed is 0.
type Mirrored struct {
	Read        int64 `json:"read"`         // members that the run read
	Matched     int64 `json:"matched"`      // of these, members who match a row
	Added       int64 `json:"added"`        // of the matched ones, members who joined since the run began
	JoinedLater int64 `json:"joined_later"` // members who match no row and joined since the run began: they stay
	Extras      int64 `json:"extras"`       // members who match no row and joined before
	// Unidentified are those of the extras who do not have the identifier of the rows, such as an email. The report leaves
	// them out.
	Unidentified int64 `json:"-"`
	Removed      int64 `json:"removed"`   // of the extras, members that the run removed
	Unmatched    int64 `json:"unmatched"` // rows that are not accounted for on the list
}

func (m *Mirrored) plus(o *Mirrored) *Mirrored {
	switch {
	case m == nil:
		return o
	case o == nil:
		return m
	}
	return &Mirrored{
		Read: m.Read + o.Read, Matched: m.Matched + o.Matched, Added: m.Added + o.Added,
		JoinedLater: m.JoinedLater + o.JoinedLater, Extras: m.Extras + o.Extras,
		Unidentified: m.Unidentified + o.Unidentified, Removed: m.Removed + o.Removed,
		Unmatched: m.Unmatched + o.Unmatched,
	}
}

// follow returns the counts of a run and of next, the run that resumed it. Next read the list again, without the
// members that the first run had removed. It counts who joined since the first run began.
func (m *Mirrored) follow(next *Mirrored) *Mirrored {
	if m == nil || next == nil {
		return m.plus(next)
	}
	f := *next
	f.Removed += m.Removed
	if f.Extras += m.Removed; next.Read > 0 {
		f.Read += m.Removed
		return &f
	}
	// A run that was killed has no report. Only its extras are known.
	f.Read, f.Matched, f.Added, f.JoinedLater = m.Read, m.Matched, m.Added, m.JoinedLater
	f.Unmatched, f.Extras = m.Unmatched, max(m.Extras, f.Extras)
	return &f
}
