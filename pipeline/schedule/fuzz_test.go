package schedule

import (
	"strings"
	"testing"
	"time"
)

// FuzzNext asks for the next time of any expression, from any time in zones of every kind. It comes at once, it is
// the first minute whose reading of the clock has all of the expression's bits, and what is said of the schedule in
// other words has lines of its own.
func FuzzNext(f *testing.F) {
	zones := []*time.Location{time.UTC}
	for _, name := range []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
		"Africa/Casablanca", "America/Sao_Paulo",
	} {
		zones = append(zones, zoneOf(f, name))
	}
	for i, text := range []string{
		"* * * * *", "30 2 * * *", "0 0 29 2 *", "0 0 1 * 1", "*/7 1-5/2 1,15 jan-mar sun", "@hourly", "59 23 31 12 *",
		"0 0 30,*/14 * *", "15 1,2,3 * 3,10,11 7", "0 0 31 2 1", "", "0 0 29 2 0-6",
	} {
		f.Add(text, int64(1_774_742_400+i*86_399), byte(i))
		f.Add(text, int64(1_325_239_200-i), byte(5))
		f.Add(text, int64(253_402_300_000), byte(i))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64, zone byte) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		s, err := Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "column ") || len(err.Error()) > 1000 {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if s.text != text {
			t.Errorf("%q became %q", text, s.text)
		}
		// From 1972, since when no zone's offset from UTC has odd seconds, to the year 9999.
		const first, last = 63_072_000, 253_402_300_799
		if unix %= last; unix < first {
			unix = first + (unix%first+first)%first
		}
		after := time.Unix(unix, int64(zone)).In(zones[int(zone)%len(zones)])
		next, ok := s.Next(after)
		switch {
		case text == "":
			if ok {
				t.Errorf("an expression that never fires fires at %v", next)
			}
			return
		case !ok && after.Year() < lastYear-400:
			t.Fatalf("%q after %v: never", text, after)
		case !ok:
		case !next.After(after) || !fires(s, next) || next.Location() != after.Location() || next.Year() > lastYear:
			t.Errorf("%q after %v: %v", text, after, next)
		}
		minute := after.Truncate(time.Minute)
		for range 3000 {
			if minute = minute.Add(time.Minute); ok && !minute.Before(next) || minute.Year() > lastYear {
				break
			}
			if fires(s, minute) {
				t.Fatalf("%q after %v: %v, and before that %v", text, after, next, minute)
			}
		}
		if ok {
			if again, _ := s.Next(next.Add(-1)); !again.Equal(next) {
				t.Errorf("%q: %v is next, and %v just before that", text, next, again)
			}
		}
		p := &Plan{Schedule: s, Location: after.Location()}
		for _, line := range p.Explain(after) {
			if line == "" || strings.ContainsAny(line, "\n\r") {
				t.Errorf("%q: %q", text, line)
			}
		}
		for _, system := range []string{"crontab", "systemd", "kubernetes"} {
			if config, err := p.Export(system, after, []string{"true"}); (err == nil) == (config == "") {
				t.Errorf("%q for %s: %q, %v", text, system, config, err)
			}
		}
	})
}

// fires reports whether the reading of the clock at a time has all of the schedule's bits.
func fires(s *Schedule, at time.Time) bool {
	has := func(bits uint64, value int) bool { return bits>>value&1 == 1 }
	return at.Second() == 0 && at.Nanosecond() == 0 &&
		has(s.spec.minute, at.Minute()) && has(s.spec.hour, at.Hour()) &&
		has(s.spec.month, int(at.Month())) && has(s.spec.monthDay, at.Day()) && has(s.spec.weekday, int(at.Weekday()))
}
