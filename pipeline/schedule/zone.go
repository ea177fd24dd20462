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

// zoneFor are zones that abbreviations may mean; most of these mean several. Some are names of IANA, too, none of which tells of a place.
var zoneFor = map[string]string{
	"JST": "Asia/Tokyo", "KST": "Asia/Seoul", "IST": "Asia/Kolkata", "GMT": "Europe/London", "BST": "Europe/London", "WET": "Europe/Lisbon",
	"CET": "Europe/Paris", "CEST": "Europe/Paris", "MET": "Europe/Paris", "EET": "Europe/Athens", "EEST": "Europe/Athens",
	"EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
	"MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
	"AKST": "America/Anchorage", "HST": "Pacific/Honolulu", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland",
	"NZ": "Pacific/Auckland", "NZ-CHAT": "Pacific/Chatham", "GB": "Europe/London", "GB-EIRE": "Europe/London", "W-SU": "Europe/Moscow",
	"PRC": "Asia/Shanghai", "ROC": "Asia/Taipei", "ROK": "Asia/Seoul", "GMT+0": "Europe/London", "GMT-0": "Europe/London", "GMT0": "Europe/London",
	"EST5EDT": "America/New_York", "CST6CDT": "America/Chicago", "MST7MDT": "America/Denver", "PST8PDT": "America/Los_Angeles",
}

// Zone returns the time zone of an IANA name, UTC for "UTC" and "". Abbreviations, offsets and the machine's own zone are
// refused, as TD does. The zones are part of the program where the machine has none.
func Zone(name string) (*time.Location, error) {
	const meant = "an IANA name such as Asia/Tokyo or UTC was meant"
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	if zoneName.MatchString(name) && name != "Local" && name != "Factory" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	if zone := zoneFor[strings.ToUpper(name)]; zone != "" {
		return nil, fmt.Errorf("time zone %q is an abbreviation, an area and a city, such as %s, was meant", shown(name), zone)
	}
	if strings.EqualFold(name, "UTC") || strings.EqualFold(name, "UCT") {
		return nil, fmt.Errorf("time zone %q is not known, did you mean UTC?", name)
	}
	if likely := capitalized(name); likely != name {
		if _, err := Zone(likely); err == nil {
			return nil, fmt.Errorf("time zone %q is not known, did you mean %s?", shown(name), likely)
		}
	}
	return nil, fmt.Errorf("time zone %q is not known, %s", shown(name), meant)
}

// capitalized is a name as IANA would most likely write it.
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

// span returns how far the clocks of t's location are ahead of UTC, and until when at least; a zero time is for ever.
func span(t time.Time) (offset time.Duration, end time.Time) {
	_, seconds := t.Zone()
	_, end = t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// Where a rule goes on for ever, ZoneBounds gives each year 365 days; clocks do not change on the last one of 366.
		end = time.Date(t.UTC().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
	}
	return time.Duration(seconds) * time.Second, end
}

// change is a moment at which the clocks of a zone are put forward or back. What they show is held as a time in UTC.
type change struct {
	at            time.Time
	before, after time.Time // what they show at this moment by the old offset and by the new one
}

// changes goes through those of a zone between two moments. At some of them the clocks go on as before.
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
