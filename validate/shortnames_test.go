package validate

import (
	"strings"
	"testing"
)

// A name that an earlier row had is not found in a name that goes on with zeros, which is no JSON.
func TestZerosAfterAName(t *testing.T) {
	longest := strings.Repeat("x", shortName)
	good := `{"email":"a@b.co","":1,"` + longest + `":1,"properties":{"p":1},"location":{"city":"c"}}` + "\n"
	for _, row := range []string{
		"{\"email\x00\":\"a@b.co\"}",
		"{\"email\x00\x00\":\"a@b.co\"}",
		"{\"email\":\"a@b.co\",\"\x00\":1}",
		"{\"email\":\"a@b.co\",\"" + longest + "\x00\":1}",
		"{\"email\":\"a@b.co\",\"" + longest + "\x00\",\"12345:\"}",
		"{\"email\":\"a@b.co\",\"properties\":{\"p\x00\":1,\"and so on, and so on\":1}}",
		"{\"email\":\"a@b.co\",\"location\":{\"city\x00\":\"c\",\"and so on, and so on\":1}}",
	} {
		c := checker(t, Options{})
		var s Scratch
		var out Rows
		c.Check([]byte(good+row+"\n"+strings.Repeat(" ", 40)), true, &s, &out)
		if len(out.Rows) != 2 || out.Rows[1].Fault == nil || out.Rows[1].Fault.Code != JSONInvalid {
			t.Errorf("%q: %+v, want code %s", row, out.Rows, JSONInvalid)
		}
	}
}
