package phone

import (
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

var long = flag.Bool("long", false, "run the long tests too")

// Every number, from any region and with any damage, gets the text or the reason that package phonenumbers gives it.
func TestSameAsLibrary(t *testing.T) {
	t.Parallel()
	numbers := 200_000
	if *long {
		numbers *= 20 // a minute
	}
	if raceDetector() {
		numbers /= 20 // the library is ten times slower then
	}
	source := newSource(t)
	const workers = 2
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range numbers / workers {
				if difference := source.draw().difference(); difference != "" {
					t.Error(difference)
					return
				}
			}
		})
	}
	wait.Wait()
}

func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// sample is a number and the region of numbers without a country code.
type sample struct{ text, region string }

// difference describes how Append reads the number in another way than package phonenumbers. "" is no difference.
func (s sample) difference() string {
	number, reason := normalize(s.text, s.region)
	wantNumber, wantReason := readByLibrary(s.text, s.region)
	if number == wantNumber && reason == wantReason {
		return ""
	}
	return fmt.Sprintf("%s in %q\ngot  %q, %q\nwant %q, %q", s.text, s.region, number, reason, wantNumber, wantReason)
}

// normalize is Append without a buffer, with the reason where Append fails.
func normalize(text, region string) (number, reason string) {
	b, ok := Append(nil, []byte(text), region)
	if !ok {
		reason = Reason([]byte(text), region).Reason
	}
	return string(b), reason
}

// readByLibrary is read by package phonenumbers alone.
func readByLibrary(text, region string) (number, reason string) {
	digits, problem, char := appendDigits(nil, []byte(text))
	switch {
	case problem != 0:
		return "", reading{problem: problem, char: char}.reason()
	case digits[0] == '+':
		region = phonenumbers.UNKNOWN_REGION
	case region == "":
		return "", "has no country code"
	}
	parsed, err := phonenumbers.Parse(string(digits), region)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return "", "begins with a country code that does not exist"
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return "", "has too many digits"
	case err != nil:
		return "", "has too few digits"
	case !phonenumbers.IsValidNumber(parsed):
		return "", fmt.Sprintf("is not a valid number in the numbering plan of +%d", parsed.GetCountryCode())
	}
	number = phonenumbers.Format(parsed, phonenumbers.E164)
	if !e164.MatchString(number) {
		return "", fmt.Sprintf("has %d digits with its country code; expected 7 to 15", len(number)-len("+"))
	}
	return number, ""
}
