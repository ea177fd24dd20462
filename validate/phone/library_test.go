package phone

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
)

var long = flag.Bool("long", false, "run the long tests too")

// Every number, from any region and with any damage, gets the text or the reason that package phonenumbers gives it,
// or is refused with both of its readings.
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

// difference describes how Append reads the number in another way than package phonenumbers. "" is no difference. The
// package chooses one reading of a number without +. Append tries both, with and without a country code at the start,
// and accepts the number only if they leave one.
func (s sample) difference() string {
	number, reason := normalize(s.text, s.region)
	wantNumber, wantReason := readByLibrary(s.text, s.region)
	coded, plain, how := s.readings()
	same := number == wantNumber && reason == wantReason
	if number != "" && wantNumber != "" && number != wantNumber {
		return fmt.Sprintf("%s in %q: got %s, the library reads %s", s.text, s.region, number, wantNumber)
	}
	switch {
	case how == onlyPlain && strings.HasPrefix(reason, "begins with 00, "):
		same = wantNumber == "" && strings.HasPrefix(s.digits(), "00")
	case how == both && coded != "" && plain != "" && coded != plain:
		same = number == "" && reason == twoReadings(coded, plain)
	case how == both && coded+plain != "":
		same = number == cmp.Or(coded, plain) && reason == ""
	case how == both:
		same = number == "" && reason != "" // of either reading
	case how == codedAtLeast && number == "" && coded != "":
		same = strings.HasPrefix(reason, "can be read as ") && strings.Contains(reason, coded)
	case how == codedAtLeast && number == "":
		same = reason != ""
	case how == codedAtLeast:
		same = (number == coded || number == plain || number == wantNumber) && reason == ""
	}
	if same {
		return ""
	}
	return fmt.Sprintf("%s in %q\ngot  %q, %q\nwant %q, %q; with its code %q, without %q",
		s.text, s.region, number, reason, wantNumber, wantReason, coded, plain)
}

// twoReadings is the reason for a number that has these readings.
func twoReadings(one, two string) string {
	return "can be read as " + one + " or as " + two + "; write it as +…"
}

// digits returns the + and the digits of the number.
func (s sample) digits() string {
	digits, _ := appendDigits(nil, []byte(s.text))
	return string(digits)
}

// normalize is Append without a buffer, with the reason where Append fails.
func normalize(text, region string) (number, reason string) {
	b, ok := Append(nil, []byte(text), region)
	if !ok {
		reason = Reason([]byte(text), region).Reason
	}
	return string(b), reason
}

// readByLibrary is normalize by package phonenumbers alone.
func readByLibrary(text, region string) (number, reason string) {
	digits, problem := appendDigits(nil, []byte(text))
	switch {
	case problem != 0:
		return "", Reason([]byte(text), "").Reason // package phonenumbers accepts almost any text
	case digits[0] == '+':
		region = unknownRegion
	case region == "":
		return "", Reason([]byte(text), "").Reason
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

// The readings that package phonenumbers is known to have of a sample.
const (
	onlyPlain    = iota // the digits cannot begin with a country code
	both                // with and without a country code
	codedAtLeast        // with a country code; the other reading may follow other rules
)

// readings returns the numbers that package phonenumbers reads when it is told that the digits begin with a country
// code, and that they do not.
func (s sample) readings() (coded, plain string, how int) {
	digits := s.digits()
	if digits == "" || digits[0] == '+' || s.region == "" {
		return "", "", onlyPlain
	}
	region := libraryRegions()[s.region]
	abroad := region.abroad.FindStringIndex(digits)
	switch {
	case abroad != nil && (abroad[1] == len(digits) || digits[abroad[1]] != '0'):
		coded, _ = readByLibrary("+"+digits[abroad[1]:], "")
	case strings.HasPrefix(digits, region.code):
		coded, _ = readByLibrary("+"+digits, "")
	default:
		return "", "", onlyPlain
	}
	plain, _ = readByLibrary("+"+region.code+digits, "") // by the rules of the code's main region
	if !region.main || !strings.HasSuffix(digits, strings.TrimPrefix(plain, "+"+region.code)) {
		return coded, plain, codedAtLeast
	}
	return coded, plain, both
}

// libraryRegion is what the library knows of a region.
type libraryRegion struct {
	code   string
	main   bool // of the code's regions
	abroad *regexp.Regexp
}

var libraryRegions = sync.OnceValue(func() map[string]libraryRegion {
	all := map[string]libraryRegion{}
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic(err)
	}
	for _, m := range collection.GetMetadata() {
		code := int(m.GetCountryCode())
		all[m.GetId()] = libraryRegion{
			strconv.Itoa(code), phonenumbers.GetRegionCodeForCountryCode(code) == m.GetId(),
			regexp.MustCompile("^(?:" + m.GetInternationalPrefix() + ")"),
		}
	}
	return all
})
