package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"klaviyo-export/report"
)

// judgeLines compares the report with the lines.
func (s *step) judgeLines() string {
	if s.unfinished || s.report == nil {
		return ""
	}
	counts := s.counts()
	for i, r := range s.rows {
		if r.got.Status == "missing" && s.exit < 2 && !s.halted {
			return fmt.Sprintf("row %d has no result, exit %d: %s", i+1, s.exit, r.text)
		}
	}
	n := s.report.Rows
	if sum := n.Applied + n.Accepted + n.Skipped + n.Rejected + n.Unknown + n.Unsent + n.Valid + n.Resumed; sum != n.Read {
		return fmt.Sprintf("the counts of the report do not add up: %+v", n)
	}
	lines := report.Rows{
		Read: int64(len(s.rows) - counts["missing"]), Applied: int64(counts["applied"]),
		Accepted: int64(counts["accepted"]), Skipped: int64(counts["skipped"]), Rejected: int64(counts["rejected"]),
		Unknown: int64(counts["unknown"]), Unsent: int64(counts["unsent"]), Valid: int64(counts["valid"]),
	}
	if s.kills == 0 && n != lines {
		return fmt.Sprintf("the report counts %+v, the lines %v", n, counts)
	}
	removed := 0
	for _, status := range s.gone {
		if status == "removed" {
			removed++
		}
	}
	if m := s.report.Members; m != nil && m.Mirrored != nil && m.Unmatched > 0 && removed > 0 && !s.unmatched &&
		s.kills == 0 {
		return fmt.Sprintf("%d members were removed, and %d rows are not accounted for", removed, m.Unmatched)
	}
	if s.verb == "mirror" && removed > 0 && !s.allows(counts["rejected"]) && s.kills == 0 {
		return fmt.Sprintf("%d members were removed, %d rows are rejected, --max-invalid is %s", removed, counts["rejected"],
			s.invalid)
	}
	if made, most := s.after.made, s.creates*(s.kills+1); made > most {
		return fmt.Sprintf("%d lists were created, --create-lists is %d, after %d kills", made, s.creates, s.kills)
	}
	if s.verb == "mirror" && removed > s.removals && s.kills == 0 {
		return fmt.Sprintf("%d members were removed, --max-removals is %d", removed, s.removals)
	}
	return ""
}

// counts counts the rows by status.
func (s *step) counts() map[string]int {
	n := map[string]int{}
	for _, r := range s.rows {
		n[r.got.Status]++
	}
	return n
}

// judgeExit compares the exit status with the rows.
func (s *step) judgeExit() string {
	if s.unfinished || s.report == nil || s.kills > 0 && s.exit < 2 {
		return ""
	}
	worst, rejected := 0, 0
	for _, r := range s.rows {
		switch r.got.Status {
		case "unknown", "unsent":
			worst = 1
		case "rejected":
			rejected++
		}
	}
	if !s.allows(rejected) || s.last == "wait" && rejected > 0 || s.last != "wait" && s.short {
		worst = 1
	}
	for _, status := range s.gone {
		if status == "unknown" {
			worst = 1
		}
	}
	if s.exit == worst || s.verb == "mirror" && s.exit == 1 && s.report.Error != "" {
		return ""
	}
	good := slices.ContainsFunc(s.rows, func(r *row) bool { return r.person != nil && !r.faulty })
	if s.exit == 2 && !good && strings.Contains(s.report.Error, "expected a string") { // the column is the wrong one
		return ""
	}
	var first int
	if _, err := fmt.Sscanf(s.report.Error, "none of the first %d row", &first); err == nil && s.exit == 2 &&
		!slices.ContainsFunc(s.rows[:min(first, len(s.rows))], func(r *row) bool { return r.person != nil && r.list >= 0 }) {
		return "" // the column is the wrong one
	}
	return fmt.Sprintf("exit %d, the rows say %d: %s", s.exit, worst, s.report.Error)
}

// allows reports whether so many rows may be rejected.
func (s *step) allows(rejected int) bool {
	if share, ok := strings.CutSuffix(s.invalid, "%"); ok {
		percent, _ := strconv.Atoi(share)
		return 100*rejected <= percent*len(s.rows)
	}
	most, _ := strconv.Atoi(s.invalid)
	return rejected <= most
}
