package sink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"
)

// failure is an import-error as Klaviyo may send it.
func importFailure(pointer, payload, detail string) string {
	return fmt.Sprintf(`{"type":"import-error","id":"e","attributes":{"code":"invalid","title":"T","detail":%q,"source":{"pointer":%s},"original_payload":%s}}`, detail, pointer, payload)
}

func at(place int) string {
	return fmt.Sprintf(`"/data/attributes/profiles/data/%d/attributes/phone_number"`, place)
}

// Errors are attributed by what proves the row: its address first, then its place. What fits no row, or is too
// little, leaves no other row proved.
func TestJudge(t *testing.T) {
	people := []string{"a@example.com", "B@Example.com", "c@example.com", "twice@example.com", "Twice@example.com"}
	key := func(i int) []byte { return []byte(people[i]) }
	type want struct {
		Faults map[int]string
		Rest   Status
		Code   string
	}
	for _, c := range []struct {
		name   string
		errors []string
		failed int
		want   want
	}{
		{"none", nil, 0, want{Rest: Applied}},
		{"not counted, none", nil, -1, want{Rest: Applied}},
		{"by address", []string{importFailure(`"/data"`, `{"email":"c@example.com"}`, "bad")}, 1, want{map[int]string{2: "bad"}, Applied, ""}},
		{"by address in other letters", []string{importFailure(`null`, `{"email":"b@EXAMPLE.com"}`, "bad")}, 1, want{map[int]string{1: "bad"}, Applied, ""}},
		{"by address below attributes", []string{importFailure(`"/data"`, `{"type":"profile","id":null,"attributes":{"email":"a@example.com"}}`, "bad")}, 1, want{map[int]string{0: "bad"}, Applied, ""}},
		{"the address wins over the place", []string{importFailure(at(0), `{"email":"c@example.com"}`, "bad")}, 1, want{map[int]string{2: "bad"}, Applied, ""}},
		{"by place", []string{importFailure(at(2), `null`, "bad")}, 1, want{map[int]string{2: "bad"}, Applied, ""}},
		{"by place, payload without an address", []string{importFailure(at(1), `{"phone_number":"+1"}`, "bad")}, 1, want{map[int]string{1: "bad"}, Applied, ""}},
		{"by place, payload of another kind", []string{importFailure(at(1), `"text"`, "bad")}, 1, want{map[int]string{1: "bad"}, Applied, ""}},
		{"an address that several rows have", []string{importFailure(at(4), `{"email":"twice@example.com"}`, "bad")}, 1, want{map[int]string{4: "bad"}, Applied, ""}},
		{"an address that several rows have, another's place", []string{importFailure(at(0), `{"email":"twice@example.com"}`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"an address that several rows have, no place", []string{importFailure(`"/data"`, `{"email":"twice@example.com"}`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"an address of nobody", []string{importFailure(at(0), `{"email":"x@example.com"}`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"nothing to go by", []string{importFailure(`"/data"`, `null`, "bad"), importFailure(at(0), `null`, "worse")}, 2, want{map[int]string{0: "worse"}, Unknown, "error_unmatched"}},
		{"a place outside", []string{importFailure(at(5), `null`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"two errors of one row", []string{importFailure(at(0), `null`, "bad"), importFailure(at(0), `null`, "and worse")}, 1, want{map[int]string{0: "bad; and worse"}, Applied, ""}},
		{"two errors of one row of two", []string{importFailure(at(0), `null`, "bad"), importFailure(at(0), `null`, "and worse")}, 2, want{map[int]string{0: "bad; and worse"}, Unknown, "errors_incomplete"}},
		{"fewer than counted", []string{importFailure(at(0), `null`, "bad")}, 2, want{map[int]string{0: "bad"}, Unknown, "errors_incomplete"}},
		{"none though counted", nil, 3, want{Rest: Unknown, Code: "errors_incomplete"}},
		{"more than counted", []string{importFailure(at(0), `null`, "bad"), importFailure(at(1), `null`, "bad")}, 1, want{map[int]string{0: "bad", 1: "bad"}, Applied, ""}},
		{"not counted, some", []string{importFailure(at(1), `null`, "bad")}, -1, want{map[int]string{1: "bad"}, Applied, ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &End{State: Complete, failed: c.failed, total: len(people)}
			if err := json.Unmarshal([]byte("["+strings.Join(c.errors, ",")+"]"), &e.errors); err != nil {
				t.Fatal(err)
			}
			v := e.Settle(len(people), key)
			got := want{Rest: v.Rest}
			for i, f := range v.Faults {
				if got.Faults == nil {
					got.Faults = map[int]string{}
				}
				got.Faults[i] = f.Detail
				if f.Code != "invalid" {
					t.Errorf("code %q", f.Code)
				}
			}
			if v.RestFault != nil {
				got.Code = v.RestFault.Code
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for state, code := range map[JobState]string{Cancelled: "job_cancelled", Expired: "job_expired"} {
		if v := (&End{State: state}).Settle(1, key); v.Rest != Unknown || v.RestFault.Code != code {
			t.Errorf("state %v: %+v", state, v)
		}
	}
	if v := (&End{State: Open}).Settle(1, key); v.Rest != Accepted || v.RestFault != nil {
		t.Errorf("open: %+v", v)
	}
	// Results of which a job's rows are missing: its places say nothing, its addresses do.
	partial := &End{State: Complete, failed: 2, total: 3}
	if err := json.Unmarshal([]byte("["+importFailure(at(0), `null`, "bad")+","+importFailure(at(0), `{"email":"c@example.com"}`, "bad")+"]"), &partial.errors); err != nil {
		t.Fatal(err)
	}
	for _, partial.total = range []int{3, -1} {
		if v := partial.Settle(5, key); v.Rest != Unknown || len(v.Faults) != 1 || v.Faults[2] == nil {
			t.Errorf("a part of a job of %d rows: %+v", partial.total, v)
		}
	}
}
