package sink

import (
	"bytes"
	"errors"
	"reflect"
	"strings"

	"github.com/segmentio/encoding/json"
)

const (
	// maxDepth bounds the nesting of an answer: the decoder recurses without a bound of its own.
	maxDepth = 200
	// maxValues bounds the objects, arrays and further values of an answer: each may take 150 bytes once decoded.
	maxValues = 1 << 20
	// maxErrorValues is the bound for a refusal, of which there may be one for each request in flight. An error has
	// some 12 values, so there may be two errors for each profile of an import. Beyond that, halves are sent.
	maxErrorValues = 1 << 18
)

var (
	errTooDeep = errors.New("the answer is nested too deeply")
	errTooMuch = errors.New("the answer holds too many values")
	errNotJSON = errors.New("the answer is not JSON")
	errShape   = errors.New("a value in the answer is of another type than expected")
	errNoData  = errors.New("the answer has no data")
	errLongID  = errors.New("an id in the answer is too long")
	errOddID   = errors.New("an id in the answer has characters that Klaviyo's ids do not have")
)

// decode reads an answer's JSON into the value that v points to, which it clears first. Its errors quote nothing of
// the answer.
func decode(body []byte, v any) error { return decodeUpTo(maxValues, body, v) }

// isObject reports whether an answer is a JSON object, and not the page of a proxy or firewall.
func isObject(body []byte) bool {
	var members struct{}
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && decode(body, &members) == nil
}

// decodeUpTo is decode with its own bound on the values.
func decodeUpTo(most int, body []byte, v any) error {
	reflect.ValueOf(v).Elem().SetZero()
	return decodeInto(most, body, v, 0)
}

// decodeShared is decode without clearing and copying: the values share the memory of the body.
func decodeShared(body []byte, v any) error {
	return decodeInto(maxValues, body, v, json.ZeroCopy|json.DontMatchCaseInsensitiveStructFields)
}

func decodeInto(most int, body []byte, v any, flags json.ParseFlags) error {
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
	switch rest, err := json.Parse(body, v, flags); {
	case err == nil && len(rest) == 0:
		return nil
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && json.Valid(body):
		return errShape
	}
	return errNotJSON
}

// decodeID reads an answer into doc and returns an error when the id in it is not usable.
func (c *Client) decodeID(a *answer, doc any, id *string) error {
	if err := decode(a.body, doc); err != nil {
		return err
	}
	return c.usable(*id)
}

// usable returns an error for an id that is empty, is too long to be repeated for every row, has other characters than
// the visible ones of ASCII, or holds the key. So an id needs no escapes, wherever it is shown.
func (c *Client) usable(id string) error {
	switch {
	case id == "":
		return errNoData
	case len(id) > maxText:
		return errLongID
	case c.hide(id) != id || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errOddID
	}
	return nil
}
