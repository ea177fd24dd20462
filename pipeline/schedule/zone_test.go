package schedule

import "testing"

func TestZone(t *testing.T) {
	for _, name := range []string{"", "UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT-14", "Japan", "Africa/Dar_es_Salaam"} {
		zone, err := Zone(name)
		if want := map[bool]string{true: "UTC", false: name}[name == ""]; err != nil || zone.String() != want {
			t.Errorf("%q: %v, %v", name, zone, err)
		}
	}
	const meant = "an IANA name such as Asia/Tokyo or UTC was meant"
	for name, want := range map[string]string{
		"JST":                `time zone "JST" is an abbreviation, an area and a city, such as Asia/Tokyo, was meant`,
		"pst":                `time zone "pst" is an abbreviation, an area and a city, such as America/Los_Angeles, was meant`,
		"EST":                `time zone "EST" is an abbreviation, an area and a city, such as America/New_York, was meant`,
		"MST":                `time zone "MST" is an abbreviation, an area and a city, such as America/Denver, was meant`,
		"HST":                `time zone "HST" is an abbreviation, an area and a city, such as Pacific/Honolulu, was meant`,
		"GMT":                `time zone "GMT" is an abbreviation, an area and a city, such as Europe/London, was meant`,
		"JST-9":              `time zone "JST-9" is not known, ` + meant,
		"EST5EDT":            `time zone "EST5EDT" is an abbreviation, an area and a city, such as America/New_York, was meant`,
		"NZ":                 `time zone "NZ" is an abbreviation, an area and a city, such as Pacific/Auckland, was meant`,
		"GB-Eire":            `time zone "GB-Eire" is an abbreviation, an area and a city, such as Europe/London, was meant`,
		"W-SU":               `time zone "W-SU" is an abbreviation, an area and a city, such as Europe/Moscow, was meant`,
		"UCT":                `time zone "UCT" is not known, did you mean UTC?`,
		"UTC+9":              `time zone "UTC+9" is not known, ` + meant,
		"+09:00":             `time zone "+09:00" is not known, ` + meant,
		"utc":                `time zone "utc" is not known, did you mean UTC?`,
		"asia/tokyo":         `time zone "asia/tokyo" is not known, did you mean Asia/Tokyo?`,
		"AMERICA/NEW YORK":   `time zone "AMERICA/NEW YORK" is not known, did you mean America/New_York?`,
		"Asia/Tokio":         `time zone "Asia/Tokio" is not known, ` + meant,
		"Local":              `time zone "Local" is not known, ` + meant,
		"LOCAL":              `time zone "LOCAL" is not known, ` + meant,
		"Factory":            `time zone "Factory" is not known, ` + meant,
		"posix/Asia/Tokyo":   `time zone "posix/Asia/Tokyo" is not known, ` + meant,
		"right/Asia/Tokyo":   `time zone "right/Asia/Tokyo" is not known, ` + meant,
		"../zoneinfo/Japan":  `time zone "../zoneinfo/Japan" is not known, ` + meant,
		"/usr/share/x":       `time zone "/usr/share/x" is not known, ` + meant,
		" Asia/Tokyo":        `time zone " Asia/Tokyo" is not known, ` + meant,
		"Asia":               `time zone "Asia" is not known, ` + meant,
		"\x1b[31mAsia/Tokyo": `time zone "\x1b[31mAsia/Tokyo" is not known, ` + meant,
	} {
		if zone, err := Zone(name); err == nil || err.Error() != want {
			t.Errorf("%q: %v, %v\nwant %s", name, zone, err, want)
		}
	}
	for short, name := range zoneFor {
		if _, err := Zone(name); err != nil {
			t.Errorf("for %s: %v", short, err)
		}
	}
}
