package validate

import "testing"

// A column whose name has a byte order mark, quotes or blanks around it, or an invisible character in it, rejects the
// row with the remedy, and is never sent as a property.
func TestMisnamedColumns(t *testing.T) {
	const mark = "the name begins with a byte order mark; read the file as utf-8-sig in Python, " +
		`or remove the mark with sed '1s/^\xef\xbb\xbf//'`
	quoted := func(bare string) string {
		return `the name is in quotes; use AS "` + bare + `" in the query, or read the file with mlr -S --icsv --ojsonl cat`
	}
	blank := func(where, bare string) string {
		return "the name " + where + `; use AS "` + bare + `" in the query, or add clean-whitespace -k to mlr`
	}
	one := func(where, bare string) string {
		return "the name " + where + ` with a quote; use AS "` + bare +
			`" in the query, or read the file with mlr -S --icsv --ojsonl cat`
	}
	const key = `"a@b.co"`
	for _, test := range []struct {
		name, row string
		key       string
		required  Required
		column    string
		shown     string // the column as the detail quotes it
		detail    string
	}{
		{"a byte order mark", `{"\ufefffirst_name":"Ann","email":"a@b.co"}`,
			key, Present, "\ufefffirst_name", `\ufefffirst_name`, mark},
		{"a byte order mark, unescaped", "{\"\ufefffirst_name\":\"Ann\",\"email\":\"a@b.co\"}",
			key, Present, "\ufefffirst_name", `\ufefffirst_name`, mark},
		{"a byte order mark before the required column", `{"\ufeffemail":"a@b.co"}`,
			"", Missing, "\ufeffemail", `\ufeffemail`, mark},
		{"a byte order mark before quotes", `{"\ufeff\"email\"":"a@b.co"}`,
			"", Missing, "\ufeff\"email\"", `\ufeff\"email\"`, mark},
		{"a byte order mark before a null", `{"\ufeffx":null,"email":"a@b.co"}`,
			key, Present, "\ufeffx", `\ufeffx`, mark},
		{"double quotes", `{"\"email\"":"a@b.co"}`, "", Missing, `"email"`, `\"email\"`, quoted("email")},
		{"single quotes", `{"email":"a@b.co","'plan'":1}`, key, Present, "'plan'", "'plan'", quoted("plan")},
		{"backticks", "{\"email\":\"a@b.co\",\"`plan`\":1}", key, Present, "`plan`", "`plan`", quoted("plan")},
		{"curly quotes", `{"email":"a@b.co","“plan”":1}`, key, Present, "“plan”", "“plan”", quoted("plan")},
		{"blanks in quotes", `{"email":"a@b.co","' plan '":1}`, key, Present, "' plan '", "' plan '", quoted("plan")},
		{"a blank before", `{" email":"a@b.co"}`, "", Missing, " email", " email", blank("begins with a blank", "email")},
		{"a blank after", `{"email":"a@b.co","plan ":1}`,
			key, Present, "plan ", "plan ", blank("ends with a blank", "plan")},
		{"a no-break space", `{"email":"a@b.co","plan\u00a0":1}`,
			key, Present, "plan\u00a0", `plan\u00a0`, blank("ends with a blank", "plan")},
		{"a tab", `{"email":"a@b.co","\tplan":1}`, key, Present, "\tplan", `\tplan`, blank("begins with a blank", "plan")},
		{"a zero-width space", `{"email":"a@b.co","plan\u200b":1}`, key, Present, "plan\u200b", `plan\u200b`,
			blank(`ends with the invisible character '\u200b'`, "plan")},
		{"nothing but a blank", `{"email":"a@b.co"," ":1}`, key, Present, " ", " ",
			"the name begins with a blank; add clean-whitespace -k to mlr"},
		{"a byte order mark inside", `{"email":"a@b.co","pl\ufeffan":1}`, key, Present, "pl\ufeffan", `pl\ufeffan`,
			`the name contains the invisible character '\ufeff'; use AS "plan" in the query`},
		{"a control character inside", `{"em\u0000ail":"a@b.co"}`, "", Missing, "em\x00ail", `em\x00ail`,
			`the name contains the invisible character '\x00'; use AS "email" in the query`},
		{"every escape", `{"email":"a@b.co","x\b\f\n\r\t\/\"\\😀":1}`,
			key, Present, "x\b\f\n\r\t/\"\\😀", `x\b\f\n\r\t/\"\\😀`,
			`the name contains the invisible character '\b'; use AS "x/"\😀" in the query`},
		{"a quote before", `{"email":"a@b.co","'n":1}`, key, Present, "'n", "'n", one("begins", "n")},
		{"a quote after", `{"email\"":"a@b.co"}`, "", Missing, `email"`, `email\"`, one("ends", "email")},
		{"a curly quote after", `{"email":"a@b.co","n”":1}`, key, Present, "n”", "n”", one("ends", "n")},
		{"a blank in properties", `{"email":"a@b.co","properties":{" a":1}}`, key, Present, "properties. a",
			"properties. a", `the name begins with a blank; name it "a" in the query`},
		{"a quote in properties, at a null", `{"email":"a@b.co","properties":{"b":1,"'a":null}}`,
			key, Present, "properties.'a", "properties.'a",
			`the name begins with a quote; name it "a" in the query`},
		{"a byte order mark in properties", `{"email":"a@b.co","properties":{"\ufeffa":1}}`,
			key, Present, "properties.\ufeffa", `properties.\ufeffa`,
			`the name begins with a byte order mark; name it "a" in the query`},
		{"quotes in location", `{"email":"a@b.co","location":{"'city'":"X"}}`,
			key, Present, "location.'city'", "location.'city'",
			`the name is in quotes; name it "city" in the query`},
		{"an invisible character in location", `{"email":"a@b.co","location":{"ci\u200bty":"X"}}`,
			key, Present, "location.ci\u200bty", `location.ci\u200bty`,
			`the name contains the invisible character '\u200b'; name it "city" in the query`},
		{"an attribute's name too", `{"email":"a@b.co","zip":"1"," zip":"2"}`,
			key, Present, " zip", " zip", blank("begins with a blank", "zip")},
	} {
		want := result{Key: test.key, Required: test.required, Fault: Fault{
			ColumnNameInvalid, test.column, `column "` + test.shown + `": ` + test.detail}}
		if got := check(t, Options{}, test.row); got != want {
			t.Errorf("%s: %s\ngot  %+v\nwant %+v", test.name, test.row, got, want)
		}
	}
}

// A name with quotes or blanks in other places, or that the options name, is a name as any other.
func TestNamesAsTheyAre(t *testing.T) {
	named := Options{Map: mapping{" mail": "email", "\ufeffa": "properties.a"}, Drop: []string{"'b'"}}
	for _, test := range []struct {
		name       string
		o          Options
		row        string
		attributes string
	}{
		{"inside, and nothing but quotes", Options{},
			`{"email":"a@b.co","a b":1,"it's":2,"'":3,"''":4,"\"\"":5,"\"'":6}`,
			`"email":"a@b.co","properties":{"a b":1,"it's":2,"'":3,"''":4,"\"\"":5,"\"'":6}`},
		{"in other objects", Options{}, `{"email":"a@b.co","x":{"'b'":2," a":1,"c\ufeff":3}}`,
			`"email":"a@b.co","properties":{"x":{"'b'":2," a":1,"c\ufeff":3}}`},
		{"mapped and dropped", named, `{" mail":"a@b.co","\ufeffa":1,"'b'":2}`, `"email":"a@b.co","properties":{"a":1}`},
	} {
		profile := `{"type":"profile","attributes":{` + test.attributes + `}}`
		want := result{Profile: profile, Key: `"a@b.co"`, Required: Present}
		if got := check(t, test.o, test.row); got != want {
			t.Errorf("%s: %s\ngot  %+v\nwant %+v", test.name, test.row, got, want)
		}
	}
}

// For a removal only the name of the required column matters.
func TestMisnamedForRemove(t *testing.T) {
	o := Options{Operation: Remove}
	want := result{Profile: `{"type":"profile","id":"P"}`, Key: `"P"`, Required: Present}
	if got := check(t, o, `{"\ufeffemail":"a@b.co","profile_id":"P"," x":1}`); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	got := check(t, o, `{"\ufeffprofile_id":"P"}`)
	if got.Fault.Code != ColumnNameInvalid || got.Fault.Column != "\ufeffprofile_id" || got.Required != Missing {
		t.Errorf("got %+v", got)
	}
}
