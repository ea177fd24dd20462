package validate

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The time of a consent has a zone, and only one reading: it is sent in UTC, without the fraction of its second.
func TestConsentedAt(t *testing.T) {
	year := time.Now().Year() + 2
	for _, test := range []struct{ value, want string }{
		{`"2024-01-08T06:30:00Z"`, "2024-01-08T06:30:00Z"},
		{`"2024-01-08t06:30:00z"`, "2024-01-08T06:30:00Z"},
		{`"2024-01-08T06:30:00+09:00"`, "2024-01-07T21:30:00Z"},
		{`" 2024-01-08 06:30:00+09 "`, "2024-01-07T21:30:00Z"},
		{`"2024-01-08 06:30:00-0330"`, "2024-01-08T10:00:00Z"},
		{`"2024-01-08 06:30:00.999999 +0100"`, "2024-01-08T05:30:00Z"},
		{`"2024-01-08 06:30:00.123+00:00"`, "2024-01-08T06:30:00Z"},
		{`"2024-01-08 06:30:00.123 UTC"`, "2024-01-08T06:30:00Z"},
		{`"2024-01-08 06:30:00 gmt"`, "2024-01-08T06:30:00Z"},
		{`"2024-02-29T23:59:59-00:01"`, "2024-03-01T00:00:59Z"},
		{`"1990-01-01T00:00:00Z"`, "1990-01-01T00:00:00Z"},
		{`"1990-01-01T08:59:59+09:00"`, `"1990-01-01T08:59:59+09:00" ` + tooEarly},
		{`"0000-01-01T00:00:00Z"`, `"0000-01-01T00:00:00Z" ` + tooEarly},
		{fmt.Sprintf(`"%d-01-01T00:00:00Z"`, year), fmt.Sprintf(`"%d-01-01T00:00:00Z" `, year) + tooLate},
		{`"2024-01-08 06:30:00"`, `"2024-01-08 06:30:00" ` + noZone},
		{`"2024-01-08T06:30:00.5"`, `"2024-01-08T06:30:00.5" ` + noZone},
		{`"2024-01-08 06:30:00 Asia/Tokyo"`, `"2024-01-08 06:30:00 Asia/Tokyo" ` + zoneName},
		{`"2024-01-08 06:30:00 JST"`, `"2024-01-08 06:30:00 JST" ` + zoneName},
		{`"2024-01-08"`, `"2024-01-08" ` + isDate},
		{`"2024-01-08 06:30Z"`, `"2024-01-08 06:30Z" ` + noTime},
		{`"2024-01-08 06:30:00.Z"`, `"2024-01-08 06:30:00.Z" ` + noTime},
		{`"2024-01-08 06:30:00+9"`, `"2024-01-08 06:30:00+9" ` + noTime},
		{`"2024-01-08 06:30:00+09:00:00"`, `"2024-01-08 06:30:00+09:00:00" ` + noTime},
		{`"08.01.2024 06:30:00Z"`, `"08.01.2024 06:30:00Z" ` + noTime},
		{`"-"`, `"-" ` + noTime},
		{`"2024-02-30T00:00:00Z"`, `"2024-02-30T00:00:00Z" ` + noSuch},
		{`"2024-13-01T00:00:00Z"`, `"2024-13-01T00:00:00Z" ` + noSuch},
		{`"2024-01-01T24:00:00Z"`, `"2024-01-01T24:00:00Z" ` + noSuch},
		{`"2024-01-01T00:60:00Z"`, `"2024-01-01T00:60:00Z" ` + noSuch},
		{`"2016-12-31T23:59:60Z"`, `"2016-12-31T23:59:60Z" ` + noSuch},
		{`"2024-01-01T00:00:00+16:00"`, `"2024-01-01T00:00:00+16:00" ` + noSuch},
		{`"2024-01-01T00:00:00+01:60"`, `"2024-01-01T00:00:00+01:60" ` + noSuch},
		{`"1704695400"`, `"1704695400" ` + isNumber},
		{`"-1704695400"`, `"-1704695400" ` + isNumber},
		{`1704695400`, `column "at" ` + isNumber},
		{`true`, `column "at": expected a time with a zone, got a boolean`},
		{`null`, `column "at" is null; every row needs the time of its consent`},
		{`" "`, `column "at" is empty; every row needs the time of its consent`},
	} {
		got := consentTimeOf(t, `{"email":"a@x.co","at":`+test.value+`}`)
		if got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.value, got, test.want)
		}
	}
	for row, want := range map[string]string{
		`{"email":"a@x.co"}`: `column "at" is missing; the row has "email"`,
		`{"email":"a@x.co","AT":"2024-01-08T06:30:00Z"}`: `column "at" is missing, but "AT" is there: ` +
			`names are case-sensitive; use --consented-at AT`,
	} {
		if got := consentTimeOf(t, row); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", row, got, want)
		}
	}
}

// consentTimeOf returns the time that goes to Klaviyo, or the detail of the fault.
func consentTimeOf(t *testing.T, row string) string {
	t.Helper()
	var scratch Scratch
	var out Rows
	o := Options{Operation: Subscribe, Channels: EmailMarketing, ConsentedAt: "at"}
	checker(t, o).Check([]byte(row), true, &scratch, &out)
	if f := out.Rows[0].Fault; f != nil {
		if f.Code != ConsentedAtInvalid || f.Column != "at" {
			t.Errorf("%s: got %+v", row, *f)
		}
		return f.Detail
	}
	_, at, _ := strings.Cut(string(out.Data), `"consented_at":"`)
	at, _, _ = strings.Cut(at, `"`)
	return at
}

// FuzzConsentedAt compares the reading of a time with that of package time, and the refusal of all other texts.
func FuzzConsentedAt(f *testing.F) {
	for _, seed := range []string{"2024-01-08T06:30:00Z", "2024-01-08 06:30:00.123+09", "2024-01-08 06:30:00 UTC",
		"2024-02-30T00:00:00+14:00", "1704695400", "2024-01-08", "2024-01-08 06:30:00 -0330",
		"2024-01-08T06:30:00 UTC", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return
		}
		got, reason := parseTime([]byte(text))
		if reason != "" {
			at, err := time.Parse(time.RFC3339, text)
			if err == nil && at.Format(time.RFC3339Nano) == text && reason != noSuch {
				t.Errorf("%q: refused: %s", text, reason)
			}
			return
		}
		const date = len("2024-01-08")
		plain := strings.ToUpper(text[:date] + "T" + text[date+1:])
		plain = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(plain, " ", ""), "UTC", "Z"), "GMT", "Z")
		for _, form := range []string{"Z07:00", "Z0700", "Z07"} {
			if want, err := time.Parse("2006-01-02T15:04:05"+form, plain); err == nil {
				if !want.Truncate(time.Second).Equal(got) && !want.Equal(got) {
					t.Errorf("%q: got %v, want %v", text, got, want)
				}
				return
			}
		}
		t.Errorf("%q: got %v, package time refuses it", text, got)
	})
}
