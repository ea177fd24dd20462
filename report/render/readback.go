package render

import (
	"strings"

	"klaviyo-export/report"
)

// readBack says what reading rows back on the list showed.
func readBack(m *report.Members) string {
	if m == nil || m.ReadBackCounts == nil {
		return ""
	}
	parts := []string{grouped(m.Verified) + " verified"}
	for _, p := range []struct {
		n    int64
		text string
	}{
		{m.New, "new"}, {m.Unmailable, "not mailable"}, {m.Missing, "not as they should be"},
		{m.Unverified, "could not be read back"},
	} {
		if p.n > 0 {
			parts = append(parts, grouped(p.n)+" "+p.text)
		}
	}
	return strings.Join(parts, ", ")
}

// operation names the operation, and the identifier where it is not the operation's own.
func operation(r *report.Report) string {
	if r.By == "" {
		return r.Operation
	}
	return r.Operation + " by " + r.By
}
