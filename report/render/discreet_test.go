package render

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Texts for people contain no address, no key and no control character, whatever type they have in a log.
func TestDiscreet(t *testing.T) {
	const key = "pk_0123456789abcdef0123456789abcdef01"
	for _, other := range []string{"pk_wXyZ56789GHIJKL0123456789mnopqrst01", "pk_ABCDEFGHIJKLMNOPQRST"} {
		if got := Discreet("key=" + other + "."); got != "key=pk_***." {
			t.Errorf("%s becomes %s", other, got)
		}
	}
	text := "open " + key + ": ann@example.com\x1b[2J\r\n\u009b\u202e\x00\x7f\xff (" + key + ")"
	want := `open pk_***: a***@example.com\x1b[2J\r\n\u009b\u202e\x00\x7f\xff (pk_***)`
	if got := Discreet(text); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := Discreet("pk_customer_number pk_email pk_1"); got != "pk_customer_number pk_email pk_1" {
		t.Errorf("column names that look like keys become %s", got)
	}
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		NewLog(&out, format).Error(text, "string", text, "error", fmt.Errorf("%s", text), "bytes", []byte(text),
			"stringer", &bytes.Buffer{})
		line := strings.TrimSuffix(out.String(), "\n")
		if strings.ContainsAny(line, "\x1b\r\n\x00\x7f\u009b\u202e") {
			t.Errorf("%s: %q contains a control character", format, line)
		}
		if strings.Contains(line, "0123456789") || strings.Contains(line, "ann@") {
			t.Errorf("%s: %q contains the key or the address", format, line)
		}
		if n := strings.Count(line, "a***@example.com"); n != 4 {
			t.Errorf("%s: %q contains the masked address %d times, expected 4", format, line, n)
		}
	}
}
