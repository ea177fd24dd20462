package render

import (
	"strings"

	"klaviyo-export/report"
)

// mirrored returns what mirror counted, nil when the run mirrored no list.
func mirrored(r *report.Report) *report.Mirrored {
	if r.Members == nil {
		return nil
	}
	return r.Members.Mirrored
}

// mirror says how many members the list had before and has now, or would have when the run changed nothing.
func mirror(r *report.Report) string {
	m := mirrored(r)
	if m == nil {
		return ""
	}
	left := max(m.Extras-m.Removed, 0)
	var parts []string
	add := func(n int64, text string) { parts = append(parts, grouped(max(n, 0))+" "+text) }
	joined := func() {
		if m.JoinedLater > 0 {
			add(m.JoinedLater, "joined meanwhile")
		}
	}
	switch {
	case m.Read == 0 && m.Extras > 0: // of a killed run only the extras are known
		add(m.Removed, "removed")
	case r.Rows.Valid > 0:
		add(m.Read-m.JoinedLater, "now")
		add(m.Added, "would be added")
		joined()
		add(m.Extras, "would be removed")
		add(m.Read+m.Added-m.Extras, "after that")
		left = 0
	default:
		add(m.Read-m.Added-m.JoinedLater, "before")
		add(m.Added, "added")
		joined()
		add(m.Removed, "removed")
		add(m.Read-m.Removed, "after")
	}
	text := strings.Join(parts, ", ")
	if left > 0 {
		text += "; " + numbered(left, "extra") + " left on the list"
	}
	if m.Unmatched > 0 {
		text += "; " + numbered(m.Unmatched, "row") + " not found on the list"
	}
	return text
}

// stopped says what a mirror left undone although no row failed.
func stopped(r *report.Report, m *report.Mirrored) string {
	switch left := max(m.Extras-m.Removed, 0); {
	case r.Rows.Valid > 0:
		return "no row failed, but a run would remove nobody"
	case m.Removed == 0:
		return "no row failed, but the mirror stopped: it removed nobody"
	default:
		return "no row failed, but " + numbered(left, "extra") + " may still be on the list"
	}
}

// unchanged counts the skipped rows that are the same as in an earlier run.
func unchanged(r *report.Report) (rows int64) {
	return min(withCode(r, report.Unchanged), r.Rows.Skipped)
}

// meaning explains a status in a few words. It says how many of the skipped rows are unchanged, or not on the list.
func meaning(r *report.Report, status report.Status) string {
	same, why := unchanged(r), " unchanged since the last run"
	if away(r) && same == 0 {
		same, why = min(withCode(r, "not_on_list"), r.Rows.Skipped), " not on the list"
	}
	if status != report.Skipped || same == 0 {
		return meanings[status]
	}
	text := "not sent: " + grouped(same) + why
	if others := r.Rows.Skipped - same; others > 0 {
		text += ", " + grouped(others) + " others"
	}
	return text
}
