package simulator

import (
	"net/http"
	"regexp"
	"time"
)

// revisions are the live revisions of the API in November 2026, in order. Those before them back to 2022 are retired.
var revisions = []string{
	"2025-01-15", "2025-04-15", "2025-07-15", "2025-10-15", "2026-01-15", "2026-04-15", "2026-07-15", "2026-10-15",
}

// oldestRevision is before every revision that ever was.
const oldestRevision = "2022-01-01"

var revisionForm = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(\.[a-z]+)?$`)

// serving returns the revision that serves a request: the one asked for, else the last one before it. Instead of a
// retired one it is the oldest live one, unless the client wants none of that. Klaviyo was seen to answer 400 to a
// malformed revision, and 404 to one of the future and to one that an endpoint lacks.
//
// Choices: the same 400 without a revision, the text of that 400, and the form of the 410.
func serving(h http.Header, now time.Time) (revision string, p *problem) {
	asked := revisionForm.FindStringSubmatch(h.Get("revision"))
	if asked == nil {
		return "", &badRevision
	}
	date, suffix := asked[1], asked[2]
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return "", &badRevision
	}
	newest := revisions[len(revisions)-1]
	switch {
	case date < oldestRevision:
		p := notFound("No valid revisions found for method")
		return "", &p
	case date > max(newest, now.UTC().Format(time.DateOnly)):
		p := notFound("Unable to specify a future revision date")
		return "", &p
	case suffix != "": // a beta revision
		return date + suffix, nil
	case date >= revisions[0]:
		for _, r := range revisions {
			if r <= date {
				revision = r
			}
		}
		return revision, nil
	case h.Get("X-Klaviyo-Revision-Fall-Forward-Opt-Out") == "1":
		return "", &problem{
			status: http.StatusGone, code: "gone", title: "Gone.",
			detail: "The revision " + date + " is retired.", pointer: "/data/",
		}
	}
	return revisions[0], nil
}

var badRevision = invalid("/data/", "The revision header must be a date such as 2026-07-15.")
