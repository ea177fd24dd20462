package report

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/segmentio/encoding/json"
)

// NoResult is the error of a line that is not a result.
type NoResult struct {
	Line int64
	Text string // the line, or the names of its members, cut behind a word to maxShown characters; without an API key
	Hint string // how to get the results alone; "" when the file is rather the input of a run
	why  error
}

// maxShown bounds the part of a line that an error shows, in characters.
const maxShown = 80

func (e *NoResult) Error() string {
	return fmt.Sprintf("line %d is not a result: %v: %#q", e.Line, e.why, e.Text)
}

// Unwrap returns what is wrong with the line.
func (e *NoResult) Unwrap() error { return e.why }

// noResult returns the error of line n. The line may be a message of klaviyo-export (2>&1) or of what ran it (kubectl
// logs). known says that there is a result before it.
func noResult(n int64, text []byte, why error, known bool) error {
	shown := string(text[:min(len(text), 4*maxShown)])
	var row map[string]json.RawMessage
	if why == errNoType && json.Unmarshal(text, &row) == nil { // a customer, perhaps: only the columns are named
		shown = "{" + strings.Join(slices.Sorted(maps.Keys(row)), ", ") + "}"
	}
	if before, _, found := strings.Cut(shown, "pk_"); found { // a file with an API key was passed for results
		shown = before + "pk_***"
	}
	e := &NoResult{Line: n, Text: shortened(shown, maxShown), why: why}
	if short, isCut := strings.CutSuffix(e.Text, "…"); isCut { // half of an email address could not be masked
		e.Text = short[:strings.LastIndexAny(short, " \t\",:;<>()[]{}")+1] + "…"
	}
	switch i := bytes.Index(text, begin); {
	case i > 0 && why == errNotJSON:
		e.Hint = `the results begin in the middle of their lines; cut them out: grep -o '{"type":.*' RESULTS`
	case known || why != errNoType || bytes.Contains(text, []byte(`"level":`)):
		e.Hint = `keep the results alone: grep '^{"type":' RESULTS`
	}
	return e
}
