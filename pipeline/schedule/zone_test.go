package schedule

import "testing"

// TestZone guards which names of zones are accepted, and the exact error for those that are not.
func TestZone(t *testing.T) {
	for _, name := range []string{
		"", "UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT-14", "Japan",
		"Africa/Dar_es_Salaam",
	} {
		zone, err := Zone(name)
		if want := map[bool]string{true: "UTC", false: name}[name == ""]; err != nil || zone.String() != want {
			t.Errorf("%q: %v, %v", name, zone, err)
		}
	}
	const expected = "expected an IANA name such as Asia/Tokyo or UTC, got "
	for name, want := range map[string]string{
		"JST":                `expected an IANA name such as Asia/Tokyo, got the abbreviation "JST"`,
		"pst":                `expected an IANA name such as America/Los_Angeles, got the abbreviation "pst"`,
		"EST":                `expected an IANA name such as America/New_York, got the abbreviation "EST"`,
		"MST":                `expected an IANA name such as America/Denver, got the abbreviation "MST"`,
		"HST":                `expected an IANA name such as Pacific/Honolulu, got the abbreviation "HST"`,
		"GMT":                `expected an IANA name such as Europe/London, got the abbreviation "GMT"`,
		"JST-9":              expected + `"JST-9"`,
		"EST5EDT":            `expected an IANA name such as America/New_York, got the abbreviation "EST5EDT"`,
		"NZ":                 `expected an IANA name such as Pacific/Auckland, got the abbreviation "NZ"`,
		"GB-Eire":            `expected an IANA name such as Europe/London, got the abbreviation "GB-Eire"`,
		"W-SU":               `expected an IANA name such as Europe/Moscow, got the abbreviation "W-SU"`,
		"UCT":                `expected an IANA name, got "UCT" (did you mean UTC?)`,
		"UTC+9":              expected + `"UTC+9"`,
		"+09:00":             expected + `"+09:00"`,
		"utc":                `expected an IANA name, got "utc" (did you mean UTC?)`,
		"asia/tokyo":         `expected an IANA name, got "asia/tokyo" (did you mean Asia/Tokyo?)`,
		"AMERICA/NEW YORK":   `expected an IANA name, got "AMERICA/NEW YORK" (did you mean America/New_York?)`,
		"Asia/Tokio":         expected + `"Asia/Tokio"`,
		"Local":              expected + `"Local"`,
		"LOCAL":              expected + `"LOCAL"`,
		"Factory":            expected + `"Factory"`,
		"posix/Asia/Tokyo":   expected + `"posix/Asia/Tokyo"`,
		"right/Asia/Tokyo":   expected + `"right/Asia/Tokyo"`,
		"../zoneinfo/Japan":  expected + `"../zoneinfo/Japan"`,
		"/usr/share/x":       expected + `"/usr/share/x"`,
		" Asia/Tokyo":        expected + `" Asia/Tokyo"`,
		"Asia":               expected + `"Asia"`,
		"\x1b[31mAsia/Tokyo": expected + `"\x1b[31mAsia/Tokyo"`,
	} {
		if zone, err := Zone(name); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, %v\nwant %s", name, zone, err, want)
		}
	}
	for short, name := range zoneFor {
		if _, err := Zone(name); err != nil {
			t.Errorf("for %s: %v", short, err)
		}
	}
}
