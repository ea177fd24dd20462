package sink

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
)

// Kind tells why a run is over.
type Kind uint8

// Kinds of Error.
const (
	Setup   Kind = iota // key, list or request: something to mend before the next run
	Outage              // Klaviyo or the network gave up: run again later
	Stopped             // the context ended
)

// Error ends a run. Hint, where there is one, says what to do.
type Error struct {
	Kind   Kind
	Hint   string
	status int  // of the answer that it is about, 0 for none
	lost   bool // a request was sent whose answer is not known
	err    error
}

func (e *Error) Error() string { return e.err.Error() }

func (e *Error) Unwrap() error { return e.err }

func setupError(hint, format string, args ...any) *Error {
	return &Error{Kind: Setup, Hint: hint, err: fmt.Errorf(format, args...)}
}

// notFound is a setupError about an answer with status 404.
func notFound(hint, format string, args ...any) *Error {
	err := setupError(hint, format, args...)
	err.status = http.StatusNotFound
	return err
}

// apiError is one entry of a JSON:API errors array (klaviyo-api.md §9).
type apiError struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Source struct {
		Pointer string `json:"pointer"`
	} `json:"source"`
}

// maxSaid bounds what is kept of each text of an answer, in bytes: for every row that it is about, and in a line for people.
const maxSaid = 1000

// cut shortens text to maxSaid.
func cut(text string) string {
	if len(text) <= maxSaid {
		return text
	}
	end := maxSaid
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "…"
}

// text is what the error says to people.
func (e *apiError) text() string {
	if e.Detail == "" {
		return e.Title
	}
	return e.Detail
}

func (e *apiError) String() string {
	if e.Code == "" {
		return e.text()
	}
	return e.text() + " (" + e.Code + ")"
}

// apiErrors returns the errors of an answer's body, cut and without the key, and none when it is not a JSON:API error document.
func (c *Client) apiErrors(body []byte) []apiError {
	var doc struct {
		Errors []apiError `json:"errors"`
	}
	if decodeUpTo(maxErrorValues, body, &doc) != nil {
		return nil
	}
	for i := range doc.Errors {
		c.clean(&doc.Errors[i])
	}
	return doc.Errors
}

// clean takes the key out of an error's texts, and cuts them.
func (c *Client) clean(e *apiError) {
	for _, text := range []*string{&e.Code, &e.Title, &e.Detail, &e.Source.Pointer} {
		*text = cut(c.hide(*text))
	}
}

// explain puts an answer into one line for people.
func explain(status int, errs []apiError) string {
	texts := make([]string, 0, len(errs))
	for i := range errs {
		texts = append(texts, errs[i].String())
	}
	if len(texts) == 0 {
		return fmt.Sprintf("HTTP %d", status)
	}
	return fmt.Sprintf("HTTP %d: %s", status, cut(oneLine(strings.Join(texts, "; "))))
}

// oneLine puts blanks for line ends and other control characters.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

const (
	// maxDepth bounds the nesting of an answer: the decoder recurses without a bound of its own.
	maxDepth = 200
	// maxValues bounds the objects, arrays and values that follow others in an answer: each may take 150 bytes when it is decoded.
	maxValues = 1 << 20
	// maxErrorValues is for those of a refusal, of which there may be as many at once as requests under way. An error has some 12 of
	// them, so there may be two errors for each profile of an import; where there are more, halves are sent.
	maxErrorValues = 1 << 18
)

var (
	errTooDeep = errors.New("the answer is nested too deep")
	errTooMuch = errors.New("the answer holds too many values")
	errNotJSON = errors.New("the answer is not JSON")
)

// decode reads an answer's JSON into what v points to, over nothing that was there before. Its errors quote nothing of the answer.
func decode(body []byte, v any) error { return decodeUpTo(maxValues, body, v) }

// isObject reports whether an answer is a JSON object, and not the page of something on the way.
func isObject(body []byte) bool {
	var members struct{}
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && decode(body, &members) == nil
}

// decodeUpTo is decode with a bound of its own on the values.
func decodeUpTo(most int, body []byte, v any) error {
	reflect.ValueOf(v).Elem().SetZero()
	depth, values, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			values++
			if depth++; depth > maxDepth {
				return errTooDeep
			}
		case c == ',':
			values++
		case c == '}' || c == ']':
			depth--
		}
	}
	if values > most {
		return errTooMuch
	}
	if json.Unmarshal(body, v) != nil {
		return errNotJSON
	}
	return nil
}
