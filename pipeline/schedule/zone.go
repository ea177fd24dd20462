package schedule

import (
	"fmt"
	"iter"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // for machines that have no zones
	"unicode"
)

// zoneName is how IANA writes names: Area/City, or a country such as Japan.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z]*(/[A-Z][A-Za-z0-9_+-]*)+$|^[A-Z][a-z]+$`)

// zoneFor are zones that abbreviations may mean; most mean several. Some are IANA names too, but name no place.
var zoneFor = map[string]string{
	"JST": "Asia/Tokyo", "KST": "Asia/Seoul", "IST": "Asia/Kolkata",
	"PRC": "Asia/Shanghai", "ROC": "Asia/Taipei", "ROK": "Asia/Seoul",
	"GMT": "Europe/London", "BST": "Europe/London", "GB": "Europe/London", "GB-EIRE": "Europe/London",
	"GMT+0": "Europe/London", "GMT-0": "Europe/London", "GMT0": "Europe/London",
	"WET": "Europe/Lisbon", "CET": "Europe/Paris", "CEST": "Europe/Paris", "MET": "Europe/Paris",
	"EET": "Europe/Athens", "EEST": "Europe/Athens", "W-SU": "Europe/Moscow",
	"EST": "America/New_York", "EDT": "America/New_York", "EST5EDT": "America/New_York",
	"CST": "America/Chicago", "CDT": "America/Chicago", "CST6CDT": "America/Chicago",
	"MST": "America/Denver", "MDT": "America/Denver", "MST7MDT": "America/Denver",
	"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PST8PDT": "America/Los_Angeles",
	"AKST": "America/Anchorage", "HST": "Pacific/Honolulu",
	"AEST": "Australia/Sydney", "AEDT": "Australia/Sydney",
	"NZST": "Pacific/Auckland", "NZ": "Pacific/Auckland", "NZ-CHAT": "Pacific/Chatham",
}

// Zone returns the time zone with an IANA name, and UTC for "UTC" and "". It refuses abbreviations, offsets and the
// machine's own zone, as TD does. The program has the zones itself where the machine has none.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	if zoneName.MatchString(name) && name != "Local" && name != "Factory" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	if zone := zoneFor[strings.ToUpper(name)]; zone != "" {
		return nil, fmt.Errorf("expected an IANA name such as %s, got the abbreviation %s", zone, quoted(name))
	}
	likely := capitalized(name)
	if strings.EqualFold(name, "UTC") || strings.EqualFold(name, "UCT") {
		likely = "UTC"
	}
	if likely != name {
		if _, err := Zone(likely); err == nil {
			return nil, fmt.Errorf("expected an IANA name, got %s (did you mean %s?)", quoted(name), likely)
		}
	}
	return nil, fmt.Errorf("expected an IANA name such as Asia/Tokyo or UTC, got %s", quoted(name))
}

// capitalized writes a name as IANA most likely writes it.
func capitalized(name string) string {
	begins := true
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			r = '_'
		case begins:
			r = unicode.ToUpper(r)
		default:
			r = unicode.ToLower(r)
		}
		begins = r == '/' || r == '_' || r == '-'
		return r
	}, name)
}

// span returns how far the clocks of t's location are ahead of UTC, and until when at least. A zero time is for ever.
func span(t time.Time) (offset time.Duration, end time.Time) {
	_, seconds := t.Zone()
	_, end = t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// Where a rule has no end, ZoneBounds gives each year 365 days; clocks do not change on day 366.
		end = time.Date(t.UTC().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
	}
	return time.Duration(seconds) * time.Second, end
}

// change is a moment at which the clocks of a zone go forward or back. What they show is kept as a time in UTC.
type change struct {
	at            time.Time
	before, after time.Time // what they show at this moment by the old offset and by the new one
}

// changes yields the changes of a zone between two moments. At some of them the offset stays the same.
func changes(zone *time.Location, from, to time.Time) iter.Seq[change] {
	return func(yield func(change) bool) {
		offset, end := span(from.In(zone))
		for !end.IsZero() && end.Before(to) {
			at, was := end, offset
			offset, end = span(at)
			if !yield(change{at, at.UTC().Add(was), at.UTC().Add(offset)}) {
				return
			}
		}
	}
}
