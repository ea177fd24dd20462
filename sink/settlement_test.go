package sink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"
)

// jobError is an import-error as Klaviyo may send it.
func jobError(pointer, payload, detail string) string {
	return fmt.Sprintf(`{"type":"import-error","id":"e","attributes":{"code":"invalid","title":"T","detail":%q,`+
		`"source":{"pointer":%s},"original_payload":%s}}`, detail, pointer, payload)
}

// at is the pointer of an error about the profile at a place.
func at(place int) string {
	return fmt.Sprintf(`"/data/attributes/profiles/data/%d/attributes/phone_number"`, place)
}

// nowhereAt is the pointer of an error that names no profile.
const nowhereAt = `"/data"`

// settlementOf settles rows by a page of errors. failed and total are as Klaviyo counts.
func settlementOf(t *testing.T, failed, total int, addresses []string, errs ...string) Settlement {
	t.Helper()
	job := jobOf("J", addresses...)
	s := settling{
		rows: job.Rows, keys: job.Keys, failed: failed, total: total, texts: new(Client).newTexts(),
		faults: map[int]*Fault{},
	}
	if _, _, err := readErrors([]byte(`{"data":[`+strings.Join(errs, ",")+`]}`), s.attribute); err != nil {
		t.Fatal(err)
	}
	return s.settlement()
}

// jobRows are the addresses of a job's rows.
var jobRows = []string{
	"a@example.com", "B@Example.com", "c@example.com", "many@example.com", "Many@example.com", "MANY@example.com",
}

// settled is a Settlement in short: the details of Faults and the code of RestFault.
type settled struct {
	Faults map[int]string
	Rest   Status
	Code   string
}

// TestSettle: an error is attributed by the address in it, and otherwise by its place. If an error matches no row, or
// fewer rows are named than failed, no other row counts as applied.
func TestSettle(t *testing.T) {
	email := func(address string) string { return `{"email":"` + address + `"}` }
	one := func(place int) settled { return settled{map[int]string{place: "bad"}, Applied, ""} }
	unmatched := settled{Rest: Unknown, Code: "error_unmatched"}
	for _, c := range []struct {
		name   string
		errors []string
		failed int
		want   settled
	}{
		{"no errors", nil, 0, settled{Rest: Applied}},
		{"no errors, not counted", nil, -1, settled{Rest: Applied}},
		{"by address", []string{jobError(nowhereAt, email("c@example.com"), "bad")}, 1, one(2)},
		{"by address in other letter case", []string{jobError(`null`, email("b@EXAMPLE.com"), "bad")}, 1, one(1)},
		{
			"by address below attributes",
			[]string{
				jobError(nowhereAt, `{"type":"profile","id":null,"attributes":{"email":"a@example.com"}}`, "bad"),
			}, 1, one(0),
		},
		{"the address wins over the place", []string{jobError(at(0), email("c@example.com"), "bad")}, 1, one(2)},
		{"by place", []string{jobError(at(2), `null`, "bad")}, 1, one(2)},
		{"by place, payload without an address", []string{jobError(at(1), `{"phone_number":"+1"}`, "bad")}, 1, one(1)},
		{"by place, payload of another type", []string{jobError(at(1), `"text"`, "bad")}, 1, one(1)},
		{"address of several rows", []string{jobError(at(4), email("many@example.com"), "bad")}, 1, one(4)},
		{"first row of an address of several", []string{jobError(at(3), email("many@example.com"), "bad")}, 1, one(3)},
		{"last row of an address of several", []string{jobError(at(5), email("many@example.com"), "bad")}, 1, one(5)},
		{
			"address of several rows, place of another",
			[]string{jobError(at(0), email("many@example.com"), "bad")}, 1, unmatched,
		},
		{
			"address of several rows, no place",
			[]string{jobError(nowhereAt, email("many@example.com"), "bad")}, 1, unmatched,
		},
		{"address of no row", []string{jobError(at(0), email("x@example.com"), "bad")}, 1, unmatched},
		{
			"neither address nor place",
			[]string{jobError(nowhereAt, `null`, "bad"), jobError(at(0), `null`, "worse")}, 2,
			settled{map[int]string{0: "worse"}, Unknown, "error_unmatched"},
		},
		{"a place behind the last row", []string{jobError(at(6), `null`, "bad")}, 1, unmatched},
		{
			"two errors of one row", []string{jobError(at(0), `null`, "bad"), jobError(at(0), `null`, "and worse")}, 1,
			settled{map[int]string{0: "bad; and worse"}, Applied, ""},
		},
		{
			"two errors of one row, two rows failed",
			[]string{jobError(at(0), `null`, "bad"), jobError(at(0), `null`, "and worse")}, 2,
			settled{map[int]string{0: "bad; and worse"}, Unknown, "errors_incomplete"},
		},
		{
			"fewer than counted", []string{jobError(at(0), `null`, "bad")}, 2,
			settled{map[int]string{0: "bad"}, Unknown, "errors_incomplete"},
		},
		{"no errors though counted", nil, 3, settled{Rest: Unknown, Code: "errors_incomplete"}},
		{
			"more than counted", []string{jobError(at(0), `null`, "bad"), jobError(at(1), `null`, "bad")}, 1,
			settled{map[int]string{0: "bad", 1: "bad"}, Applied, ""},
		},
		{"errors, not counted", []string{jobError(at(1), `null`, "bad")}, -1, one(1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := settlementOf(t, c.failed, len(jobRows), jobRows, c.errors...)
			got := settled{Rest: s.Rest}
			for i := range jobRows {
				f := s.Fault(i)
				if f == nil {
					continue
				}
				if got.Faults == nil {
					got.Faults = map[int]string{}
				}
				got.Faults[i] = f.Detail
				if f.Code != "invalid" {
					t.Errorf("code %q", f.Code)
				}
			}
			if s.RestFault != nil {
				got.Code = s.RestFault.Code
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSettleOtherStates: without a complete job no row is applied or rejected.
func TestSettleOtherStates(t *testing.T) {
	for state, code := range map[JobState]string{Cancelled: "job_cancelled", Expired: "job_expired"} {
		if s := endOf(state, 0).Settlement; s.Rest != Unknown || s.RestFault.Code != code {
			t.Errorf("state %v: %+v", state, s)
		}
	}
	if s := endOf(Open, 0).Settlement; s.Rest != Accepted || s.RestFault != nil {
		t.Errorf("open: %+v", s)
	}
}

// TestSettlePartOfAJob: if rows of the job are missing here, a place in it proves nothing, but an address does.
func TestSettlePartOfAJob(t *testing.T) {
	errs := []string{jobError(at(0), `null`, "bad"), jobError(at(0), `{"email":"c@example.com"}`, "bad")}
	for _, total := range []int{3, -1} {
		s := settlementOf(t, 2, total, jobRows, errs...)
		if s.Rest != Unknown || len(s.named) != 1 || s.Fault(2) == nil {
			t.Errorf("5 rows of a job of %d: %+v", total, s)
		}
	}
}

// TestElements: an array is cut where its elements end, whatever is in them.
func TestElements(t *testing.T) {
	for _, text := range []string{
		`[]`, ` [ ] `, `[1]`, `[ 1 , "a,b]" , {"a":[1,2],"b":"}"} ,[[],[{}]], null ]`,
		`["\"","\\",{"\"]":"\\\""}]`, `[[1,2],3]`,
	} {
		var want []json.RawMessage
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		i := 0
		for one := range elements([]byte(strings.TrimSpace(text))) {
			if i >= len(want) || strings.TrimSpace(string(one)) != string(want[i]) {
				t.Errorf("%s: element %d is %s", text, i, one)
			}
			i++
		}
		if i != len(want) {
			t.Errorf("%s: %d elements, want %d", text, i, len(want))
		}
	}
}

// Errors name rows by whatever identifier the rows have: of several in a payload, those count that rows have, and two
// that fit different rows prove nothing without the place.
func TestSettleByOtherIdentifiers(t *testing.T) {
	phones := []string{"+4930901820", "+4930901821"}
	externals := []string{"ann@example.com", "B", "b"}
	unknown := []int{-1}
	for _, c := range []struct {
		name  string
		rows  []string
		error string
		want  []int // the rows that are rejected, -1 for none because the error matches no row
	}{
		{"phone number", phones, jobError(nowhereAt, `{"phone_number":"+4930901821"}`, "bad"), []int{1}},
		{"phone number beside an email", phones,
			jobError(nowhereAt, `{"email":"x@example.com","phone_number":"+4930901820"}`, "bad"), []int{0}},
		{"external id", externals, jobError(nowhereAt, `{"attributes":{"external_id":"ann@example.com"}}`, "bad"), []int{0}},
		{"an email that is the external id of another row", externals,
			jobError(nowhereAt, `{"email":"ann@example.com","external_id":"B"}`, "bad"), unknown},
		{"the same with the place", externals,
			jobError(at(1), `{"email":"ann@example.com","external_id":"B"}`, "bad"), []int{1}},
		{"external ids that differ in case, with the place", externals,
			jobError(at(2), `{"external_id":"b"}`, "bad"), []int{2}},
		{"external ids that differ in case", externals, jobError(nowhereAt, `{"external_id":"b"}`, "bad"), unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := settlementOf(t, 1, len(c.rows), c.rows, c.error)
			var got []int
			for i := range c.rows {
				if s.Fault(i) != nil {
					got = append(got, i)
				}
			}
			if s.Rest == Unknown {
				got = append(got, -1)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}
