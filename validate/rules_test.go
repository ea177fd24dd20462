package validate

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Rows made of the names and values that matter get the verdict and the profile that the rules of FuzzRow ask for.
func TestRules(t *testing.T) {
	checkers := []*Checker{
		checker(t, Options{}), checker(t, Options{Operation: Remove}),
		checker(t, Options{DefaultCountry: "US", Map: map[string]string{"a": "properties.b", "x": "city", "EMAIL": "email"}, Drop: []string{"d"}}),
	}
	column := rapid.SampledFrom([]string{
		"email", "em\\u0061il", "EMAIL", "phone_number", "external_id", "_kx", "title", "city", "zip", "country", "latitude", "a", "b", "x", "\\u0078",
		"d", "", "$a", "\\u0024a", "profile_id", "location", "properties", "loc\\u0061tion", "location.city", "properties.b", "é", "\\u00e9",
	})
	value := rapid.SampledFrom([]string{
		"null", "null", `"a@b.co"`, `" a\u0040b.co"`, `"A@B.CO\t"`, `"JP"`, `"us"`, `"Japan"`, `"+12015550123"`, `"(201) 555-0123"`, `"090-1234-5678"`,
		`" "`, `""`, `"x"`, "1", "-1.50e+3", "true", "{}", "[]", `[{"a":1,"a":2}]`, `{"x":1}`,
	})
	rapid.Check(t, func(t *rapid.T) {
		object := func(values *rapid.Generator[string], label string) string {
			var b strings.Builder
			for i := range rapid.IntRange(0, 5).Draw(t, label) {
				if i > 0 {
					b.WriteString(rapid.SampledFrom([]string{",", " , "}).Draw(t, "comma"))
				}
				b.WriteString(`"` + column.Draw(t, "name") + `"` + rapid.SampledFrom([]string{":", ": ", " :"}).Draw(t, "colon") + values.Draw(t, "value"))
			}
			return b.String()
		}
		nested := rapid.Custom(func(t *rapid.T) string { return value.Draw(t, "scalar") })
		row := "{" + object(value, "members")
		for _, name := range []string{"email", "EMAIL", "profile_id", "location", "properties"} {
			if rapid.Bool().Draw(t, name) {
				v := `"a@b.co"`
				switch name {
				case "profile_id":
					v = `"P"`
				case "location", "properties":
					v = "{" + object(nested, name) + "}"
				}
				row += `,"` + name + `":` + v
			}
		}
		row = strings.Replace(row, "{,", "{", 1) + "}"
		var shared Rows
		for _, c := range checkers {
			for range 2 {
				shared.Reset()
				c.Check([]byte(row), false, &shared)
				compare(t, c, row, verdicts(&shared))
			}
		}
	})
}
