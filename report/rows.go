package report

import (
	"log/slog"
	"slices"

	"github.com/segmentio/encoding/json"
)

// Rows counts rows by status. Read is the sum of the others.
type Rows struct {
	Read     int64 `json:"read"`
	Applied  int64 `json:"applied"`
	Accepted int64 `json:"accepted"`
	Skipped  int64 `json:"skipped"`
	Rejected int64 `json:"rejected"`
	Unknown  int64 `json:"unknown"`
	Unsent   int64 `json:"unsent"`
	Valid    int64 `json:"valid,omitempty"`
	Resumed  int64 `json:"resumed,omitempty"`
	// Continues says that the run resumed another one. Then resumed is written also when it is 0, because this is how
	// a reader tells such a run from one that began with the first row.
	Continues bool `json:"-"`
}

// counts is Rows without its methods.
type counts Rows

// MarshalJSON writes resumed when a run continued another one.
func (r Rows) MarshalJSON() ([]byte, error) {
	if !r.Continues {
		return json.Marshal(counts(r))
	}
	return json.Marshal(struct {
		counts
		Resumed int64 `json:"resumed"`
	}{counts(r), r.Resumed})
}

// UnmarshalJSON sets Continues when there is a resumed.
func (r *Rows) UnmarshalJSON(text []byte) error {
	var resumed struct {
		Resumed *int64 `json:"resumed"`
	}
	if _, err := json.Parse(text, &resumed, json.DontMatchCaseInsensitiveStructFields); err != nil {
		return err
	}
	_, err := json.Parse(text, (*counts)(r), json.DontMatchCaseInsensitiveStructFields)
	r.Continues = resumed.Resumed != nil
	return err
}

// ByStatus returns the counts, indexed by status.
func (r *Rows) ByStatus() [statuses]int64 {
	return [statuses]int64{
		r.Applied, r.Accepted, r.Skipped, r.Rejected, r.Unknown, r.Unsent, r.Valid, r.Resumed,
	}
}

// LogValue returns the counts as a group with the report's names.
func (r Rows) LogValue() slog.Value {
	group := []slog.Attr{slog.Int64("read", r.Read)}
	for status, n := range r.ByStatus() {
		group = append(group, slog.Int64(Status(status).String(), n))
	}
	return slog.GroupValue(group...)
}

func (r *Rows) add(o Rows) {
	r.Read += o.Read
	r.Applied += o.Applied
	r.Accepted += o.Accepted
	r.Skipped += o.Skipped
	r.Rejected += o.Rejected
	r.Unknown += o.Unknown
	r.Unsent += o.Unsent
	r.Valid += o.Valid
	r.Resumed += o.Resumed
}

func (r *Rows) subtract(o Rows) {
	r.add(Rows{
		Read: -o.Read, Applied: -o.Applied, Accepted: -o.Accepted, Skipped: -o.Skipped, Rejected: -o.Rejected,
		Unknown: -o.Unknown, Unsent: -o.Unsent, Valid: -o.Valid, Resumed: -o.Resumed,
	})
}

// sum adds up the counts of all statuses.
func (r *Rows) sum() int64 {
	sum := int64(0)
	for _, n := range r.ByStatus() {
		sum += n
	}
	return sum
}

// own returns the counts without the resumed rows: those that the run itself has lines for.
func (r Rows) own() Rows {
	r.Read -= r.Resumed
	r.Resumed, r.Continues = 0, false
	return r
}

// outOfRange reports whether a count is negative or greater than maxCount.
func (r *Rows) outOfRange() bool {
	counts := r.ByStatus()
	return min(r.Read, slices.Min(counts[:])) < 0 || max(r.Read, slices.Max(counts[:])) > maxCount
}
