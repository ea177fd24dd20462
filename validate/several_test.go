package validate

import (
	"strings"
	"testing"
)

// A rejected row says whether it may hold several rows, so that a tolerance for bad rows never covers them.
func TestSeveral(t *testing.T) {
	page := `{"data":[` + strings.Repeat(`{"email":"a@b.co"},`, MaxRow/10) + `{"email":"a@b.co"}]}`
	for _, test := range []struct {
		name, line string
		o          Options
		want       bool
	}{
		{"data", `{"data":[{"email":"a@b.co"},{"email":"c@d.co"}]}`, Options{}, true},
		{"rows", ` {"rows" : [ {"x":1,"email" :"a@b.co"},{"email":null}], "next": "u"}`, Options{}, true},
		{"another case", `{"data":[{"EMAIL":"a@b.co"}]}`, Options{}, true},
		{"an escaped name", `{"data":[{"em\u0061il":"a@b.co"}]}`, Options{}, true},
		{"an object in each row", `{"data":[{"type":"profile","attributes":{"email":"a@b.co"}}]}`, Options{}, true},
		{"a wrapper in a wrapper", `{"result":{"data":[{"email":"a@b.co"}]}}`, Options{}, true},
		{"a mapped column", `{"data":[{"mail":"a@b.co"}]}`, Options{Map: mapping{"mail": "email"}}, true},
		{"a removal", `{"data":[{"profile_id":"P"},{"profile_id":"Q"}]}`, Options{Operation: Remove}, true},
		{"another fault first", `{"data":[{"email":"a@b.co"}],"data":1}`, Options{}, true},
		{"a cut wrapper", `{"data":[{"email":"a@b.co"},{"ema`, Options{}, true},
		{"a wrapper that is too deep", `{"data":[{"email":"a@b.co","x":` + strings.Repeat("[", 101) +
			strings.Repeat("]", 101) + `}]}`, Options{}, true},
		{"a wrapper that is too long", page, Options{}, true},

		{"orders of a person without an email", `{"name":"Ann","orders":[{"sku":1},{"sku":2}]}`, Options{}, false},
		{"a bad email", `{"email":"x","contacts":[{"email":"a@b.co"},{"email":"c@d.co"}]}`, Options{}, false},
		{"a null email after an array", `{"contacts":[{"email":"a@b.co"}],"email":null}`, Options{}, false},
		{"a name as a value", `{"fields":["email"],"x":[{"a":"email"}]}`, Options{}, false},
		{"a name in a text", `{"x":[{"a":"\"email\":1"}]}`, Options{}, false},
		{"brackets in a text", `{"note":"[","user":{"email":"a@b.co"}}`, Options{}, false},
		{"an object", `{"user":{"email":"a@b.co"}}`, Options{}, false},
		{"another column", `{"data":[{"email":"a@b.co"}]}`, Options{Operation: Remove}, false},
		{"a long row of a person", `{"email":"a@b.co","x":[{"email":"` + strings.Repeat("x", MaxRow) + `"}]}`,
			Options{}, false},
		{"a good row", `{"email":"a@b.co","x":[{"email":"c@d.co"}]}`, Options{}, false},

		{"an array of objects", `[{"email":"a@b.co"},{"email":"c@d.co"}]`, Options{}, true},
		{"an array of values", `["a@b.co","x"]`, Options{}, false},
		{"brackets in quotes in a value", `["a@b.co","\"[x] {y}\""]`, Options{}, false},
		// Quadratic work on these would take minutes.
		{"rows behind a long text", `{"x":"` + strings.Repeat("x", MaxRow/2) + `\""} {}`, Options{}, true},
		{"rows behind many escapes", `{"x":"` + strings.Repeat(`x\n`, MaxRow/4) + `"} {}`, Options{}, true},
		{"a long text without an end", `{"x":"` + strings.Repeat("x{", MaxRow/4), Options{}, false},
	} {
		var scratch Scratch
		var out Rows
		checker(t, test.o).Check([]byte(test.line), true, &scratch, &out)
		if len(out.Rows) != 1 || out.Rows[0].Several != test.want {
			t.Errorf("%s: got %+v, want several %t", test.name, out.Rows, test.want)
		}
	}
}
