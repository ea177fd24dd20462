package main

import (
	"bytes"
	"encoding/json"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// made is what one run printed, line by line.
type made struct {
	lines    [][]byte
	verdicts []verdict
}

// generate runs the command with args and -expect.
func generate(t *testing.T, args ...string) (rows, expected []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "expected.ndjson")
	var out, errs bytes.Buffer
	if code := run(append(args, "-expect", file), &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("gen %v: exit status %d, %s", args, code, errs.Bytes())
	}
	expected, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), expected
}

// generatePairs runs the command and pairs each line with its verdict.
func generatePairs(t *testing.T, args ...string) made {
	t.Helper()
	rows, expected := generate(t, args...)
	if !bytes.HasSuffix(rows, []byte("\n")) {
		t.Fatal("the last row has no newline")
	}
	m := made{lines: bytes.Split(rows[:len(rows)-1], []byte{'\n'})}
	decoder := json.NewDecoder(bytes.NewReader(expected))
	decoder.DisallowUnknownFields()
	for decoder.More() {
		var v verdict
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if m.verdicts = append(m.verdicts, v); v.Row != len(m.verdicts) {
			t.Fatalf("verdict %d is of row %d", len(m.verdicts), v.Row)
		}
	}
	if len(m.lines) != len(m.verdicts) {
		t.Fatalf("%d rows and %d verdicts", len(m.lines), len(m.verdicts))
	}
	return m
}

func TestSamplesAreWhatIsPrinted(t *testing.T) {
	for _, c := range []struct{ rows, expected, args string }{
		{"profiles.ndjson", "profiles.expected.ndjson", "-n 1000 -seed 1"},
		{"removals.ndjson", "removals.expected.ndjson", "-n 200 -seed 1 -operation remove"},
	} {
		rows, expected := generate(t, strings.Fields(c.args)...)
		for name, want := range map[string][]byte{c.rows: rows, c.expected: expected} {
			path := filepath.Join("..", "..", "testdata", name)
			if got, err := os.ReadFile(path); err != nil {
				t.Error(err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s is not what gen %s prints", path, c.args)
			}
		}
		if len(rows) > 600_000 {
			t.Errorf("%s holds %d bytes", c.rows, len(rows))
		}
	}
}

func TestRowsFollowFromFlags(t *testing.T) {
	for _, operation := range []string{"add", "remove"} {
		rows, expected := generate(t, "-n", "3000", "-seed", "7", "-operation", operation)
		again, expectedAgain := generate(t, "-n", "3000", "-seed", "7", "-operation", operation)
		if !bytes.Equal(rows, again) || !bytes.Equal(expected, expectedAgain) {
			t.Errorf("%s: two runs differ", operation)
		}
		if fewer, _ := generate(t, "-n", "1000", "-seed", "7", "-operation", operation); !bytes.HasPrefix(rows, fewer) {
			t.Errorf("%s: 3000 rows don't begin with the 1000 rows of the same seed", operation)
		}
		if other, _ := generate(t, "-n", "3000", "-seed", "8", "-operation", operation); bytes.Equal(rows, other) {
			t.Errorf("%s: two seeds give the same rows", operation)
		}
		var alone bytes.Buffer
		if code := run([]string{"-n", "3000", "-seed", "7", "-operation", operation}, &alone, os.Stderr); code != 0 || !bytes.Equal(rows, alone.Bytes()) {
			t.Errorf("%s: without -expect: exit status %d, or other rows", operation, code)
		}
	}
}

func TestEveryCodeOccurs(t *testing.T) {
	common := "duplicate duplicate_member json_invalid not_an_object row_too_deep row_too_long type_wrong"
	for operation, codes := range map[string]string{
		"add":    common + " email_invalid email_missing name_reserved phone_invalid profile_too_large",
		"remove": common + " profile_id_invalid profile_id_missing",
	} {
		m := generatePairs(t, "-n", "100000", "-operation", operation)
		count := map[string]int{}
		size := 0
		for i, v := range m.verdicts {
			count[v.Code]++
			if v.Code != "row_too_long" && v.Code != "profile_too_large" {
				size += len(m.lines[i])
			}
			if long := len(m.lines[i]) > 1<<20; long != (v.Code == "row_too_long") {
				t.Errorf("%s: row %d of %d bytes has verdict %q", operation, v.Row, len(m.lines[i]), v.Code)
			}
		}
		delete(count, "")
		for code := range strings.FieldsSeq(codes) {
			if count[code] == 0 {
				t.Errorf("%s: no row gets %s", operation, code)
			}
			delete(count, code)
		}
		if len(count) > 0 {
			t.Errorf("%s: other codes: %v", operation, count)
		}
		if mean := size / len(m.lines); operation == "add" && (mean < 225 || mean > 275) {
			t.Errorf("a row has %d bytes on average", mean)
		}
	}
}

func TestShareOfBadRows(t *testing.T) {
	for _, c := range []struct {
		bad                string
		rejected, repeated [2]int // bounds
	}{
		{"0", [2]int{0, 0}, [2]int{0, 0}},
		{"3", [2]int{297, 303}, [2]int{40, 52}},
		{"50", [2]int{4990, 5010}, [2]int{300, 833}},
		{"100", [2]int{9999, 9999}, [2]int{0, 0}},
	} {
		m := generatePairs(t, "-n", "10000", "-bad", c.bad)
		count := map[string]int{}
		for _, v := range m.verdicts {
			count[v.Status]++
		}
		if n := count["rejected"]; n < c.rejected[0] || n > c.rejected[1] {
			t.Errorf("-bad %s: %d of 10,000 rows are rejected", c.bad, n)
		}
		if n := count["skipped"]; n < c.repeated[0] || n > c.repeated[1] {
			t.Errorf("-bad %s: %d of 10,000 rows are skipped", c.bad, n)
		}
		if v := m.verdicts[0]; v.Status != "valid" {
			t.Errorf("-bad %s: the first row is %s", c.bad, v.Status)
		}
	}
}

// TestKeys holds keys, duplicates and the faults of the required column against rules of its own.
func TestKeys(t *testing.T) {
	for _, c := range []struct {
		operation, column string
		same              func(string) string
	}{{"add", "email", strings.ToLower}, {"remove", "profile_id", strings.Clone}} {
		m := generatePairs(t, "-n", "12000", "-bad", "20", "-operation", c.operation)
		first := map[string]int{}
		spelled := map[int]string{}
		respelled, duplicates := 0, 0
		for i, v := range m.verdicts {
			var row map[string]any
			if json.Unmarshal(m.lines[i], &row) != nil || row == nil {
				continue
			}
			written, isText := row[c.column].(string)
			key := strings.TrimSpace(written)
			switch v.Status {
			case "valid":
				if first[c.same(key)] != 0 {
					t.Errorf("row %d: %s has been there in row %d", v.Row, key, first[c.same(key)])
				}
				first[c.same(key)] = v.Row
				spelled[v.Row] = key
			case "skipped":
				if first[c.same(key)] != v.Of || v.Code != "duplicate" {
					t.Errorf("row %d: %s was in row %d, verdict %+v", v.Row, key, first[c.same(key)], v)
				}
				if duplicates++; key != spelled[v.Of] {
					respelled++
				}
			}
			if good := v.Status != "rejected"; good && (v.Key != key || key == "") {
				t.Errorf("row %d: %q has the key %q", v.Row, written, v.Key)
			} else if !good && v.Key != "" {
				t.Errorf("row %d: a rejected row has the key %q", v.Row, v.Key)
			}
			if none := row[c.column] == nil || isText && key == ""; none != strings.HasSuffix(v.Code, "_missing") {
				t.Errorf("row %d: %s is %v, verdict %s", v.Row, c.column, row[c.column], v.Code)
			}
			if other := row[c.column] != nil && !isText; other != (v.Code == "type_wrong" && v.Column == c.column) {
				t.Errorf("row %d: %s is %v, verdict %s", v.Row, c.column, row[c.column], v.Code)
			}
			if c.operation == "add" && v.Status != "rejected" {
				if address, err := mail.ParseAddress(key); err != nil || address.Address != key || len(key) > 100 {
					t.Errorf("row %d: %s: %v", v.Row, key, err)
				}
			}
		}
		if c.operation == "add" && respelled < duplicates*9/10 || c.operation == "remove" && respelled > 0 {
			t.Errorf("%s: %d of %d duplicates in another case", c.operation, respelled, duplicates)
		}
	}
}

// TestDuplicatesStayInReach looks at rows far from the beginning.
func TestDuplicatesStayInReach(t *testing.T) {
	for _, remove := range []bool{false, true} {
		g := newGenerator(1_000_000, 1, 12, remove)
		nearest, farthest := reach, 0
		for row := 900_000; row < 905_000; row++ {
			_, v := g.appendRow(nil, row)
			if v.Status != "skipped" {
				continue
			}
			nearest, farthest = min(nearest, row-v.Of), max(farthest, row-v.Of)
			key := strings.ToLower(string(g.address))
			if _, of := g.appendRow(nil, v.Of); of.Status != "valid" || strings.ToLower(string(g.address)) != key {
				t.Errorf("remove %t: row %d is a duplicate of row %d, which is %s with the key %s", remove, row, v.Of, of.Status, g.address)
			}
		}
		if farthest > reach || farthest < reach/2 || nearest > reach/2 {
			t.Errorf("remove %t: duplicates lie from %d to %d rows after the first", remove, nearest, farthest)
		}
	}
}

// TestJSON holds the verdicts on JSON against encoding/json, which lets bad UTF-8 and halves of surrogate pairs pass.
func TestJSON(t *testing.T) {
	for _, operation := range []string{"add", "remove"} {
		m := generatePairs(t, "-n", "12000", "-bad", "20", "-operation", operation)
		for i, v := range m.verdicts {
			line := m.lines[i]
			var value any
			err := json.Unmarshal(line, &value)
			replaced := err == nil && utf8.Valid(line) && bytes.ContainsRune(marshal(t, value), utf8.RuneError)
			if wrong := err != nil || !utf8.Valid(line) || replaced; wrong != (v.Code == "json_invalid") {
				t.Errorf("row %d: %v, verdict %s: %.200s", v.Row, err, v.Code, line)
			}
			if v.Code == "json_invalid" {
				continue
			}
			if _, object := value.(map[string]any); object == (v.Code == "not_an_object") {
				t.Errorf("row %d: verdict %s: %.200s", v.Row, v.Code, line)
			}
			if deep := levels(value) > 100; deep != (v.Code == "row_too_deep") {
				t.Errorf("row %d has %d levels, verdict %s", v.Row, levels(value), v.Code)
			}
		}
	}
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// levels returns how deep value is nested.
func levels(value any) int {
	deepest := 0
	switch value := value.(type) {
	case map[string]any:
		for _, v := range value {
			deepest = max(deepest, levels(v))
		}
	case []any:
		for _, v := range value {
			deepest = max(deepest, levels(v))
		}
	default:
		return 0
	}
	return deepest + 1
}

// TestPhones holds the verdicts on phone numbers against the library that knows which numbers exist.
func TestPhones(t *testing.T) {
	m := generatePairs(t, "-n", "2500", "-bad", "20")
	var numbers, countries = 0, map[int32]bool{}
	for i, v := range m.verdicts {
		var row struct {
			Phone    *string `json:"phone_number"`
			Country  string  `json:"country"`
			Location struct {
				Country string `json:"country"`
			} `json:"location"`
		}
		if v.Status == "rejected" && v.Code != "phone_invalid" || json.Unmarshal(m.lines[i], &row) != nil || row.Phone == nil || strings.TrimSpace(*row.Phone) == "" {
			continue
		}
		number, valid := parsePhone(*row.Phone, row.Country+row.Location.Country)
		if valid != (v.Status != "rejected") {
			t.Errorf("row %d: %q in %q: %t, verdict %s %s", v.Row, *row.Phone, row.Country+row.Location.Country, valid, v.Status, v.Column)
		}
		if valid {
			numbers++
			countries[number.GetCountryCode()] = true
		}
	}
	if share := numbers * 100 / len(m.lines); share < 30 || len(countries) < 30 {
		t.Errorf("%d%% of the rows have phone numbers, of %d countries", share, len(countries))
	}
}

// parsePhone reads a number that may be written with what Klaviyo accepts in uploads and nothing else.
func parsePhone(written, region string) (*phonenumbers.PhoneNumber, bool) {
	written = strings.TrimPrefix(strings.TrimSpace(written), "tel:")
	if strings.Trim(written, "+0123456789 -.()\u00a0") != "" || strings.Count(written, "+") > 1 {
		return nil, false
	}
	number, err := phonenumbers.Parse(written, strings.ToUpper(region))
	return number, err == nil && phonenumbers.IsValidNumber(number)
}

func TestEveryPatternIsAPhoneNumber(t *testing.T) {
	var d dice
	d.throw(1, 0, 0)
	for _, m := range markets() {
		for _, pattern := range m.phones.patterns {
			for i := range 60 {
				digits := d.fill(nil, pattern)
				e164 := "+" + m.phones.calling + strings.ReplaceAll(string(digits), " ", "")
				if i > 0 {
					checkPhone(t, e164, "", e164)
					continue
				}
				for way := range international {
					checkPhone(t, string(m.phones.appendInternational(nil, digits, way)), "", e164)
				}
				for way := range national {
					if m.phones.trunk != noNational {
						checkPhone(t, string(m.phones.appendNational(nil, digits, way)), m.code, e164)
					}
				}
			}
		}
	}
}

func checkPhone(t *testing.T, written, region, e164 string) {
	t.Helper()
	number, valid := parsePhone(written, region)
	if !valid || phonenumbers.Format(number, phonenumbers.E164) != e164 {
		t.Errorf("%q in %q is not %s", written, region, e164)
	}
}

// TestColumns holds verdicts on the size and the names of columns against the row.
func TestColumns(t *testing.T) {
	m := generatePairs(t, "-n", "12000", "-bad", "20")
	reserved := regexp.MustCompile(`"\$[a-z]*": ?[^n ]`)
	for i, v := range m.verdicts {
		if found := reserved.Match(m.lines[i]); found && v.Code != "json_invalid" && v.Code != "name_reserved" || !found && v.Code == "name_reserved" {
			t.Errorf("row %d: verdict %q: %s", v.Row, v.Code, m.lines[i])
		}
		if size := len(m.lines[i]); size < 1<<20 && size > 100_000 != (v.Code == "profile_too_large") {
			t.Errorf("row %d of %d bytes has verdict %q", v.Row, size, v.Code)
		}
		if named := slices.Contains(strings.Fields("duplicate_member email_invalid email_missing name_reserved phone_invalid type_wrong"), v.Code); named != (v.Column != "") {
			t.Errorf("row %d: verdict %q names the column %q", v.Row, v.Code, v.Column)
		}
		if column := v.Column[strings.LastIndexByte(v.Column, '.')+1:]; v.Code == "name_reserved" && !bytes.Contains(m.lines[i], []byte(`"`+column+`":`)) {
			t.Errorf("row %d has no column %q", v.Row, v.Column)
		}
	}
}

func TestMostRowsAreNotASCII(t *testing.T) {
	rows, _ := generate(t, "-n", "5000", "-bad", "0")
	for _, want := range []string{"é", `\u00e9`, "佐", `\ud842\udfb7`, "ר", "م", "🎁"} {
		if !bytes.Contains(rows, []byte(want)) {
			t.Errorf("no %s in 5000 rows", want)
		}
	}
	international := 0
	for line := range bytes.Lines(rows) {
		if bytes.ContainsFunc(line, func(r rune) bool { return r > 0x7f }) || bytes.Contains(line, []byte(`\u0`)) {
			international++
		}
	}
	if international < 3000 {
		t.Errorf("%d of 5000 rows have other letters than ASCII", international)
	}
}

func TestGoodRowsNeedNoMemory(t *testing.T) {
	for _, remove := range []bool{false, true} {
		g := newGenerator(1_000_000, 1, 0, remove)
		var line []byte
		row := 0
		if n := testing.AllocsPerRun(5000, func() {
			row++
			line, _ = g.appendRow(line[:0], row)
		}); n != 0 {
			t.Errorf("remove %t: %v allocations a row", remove, n)
		}
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-n -1":            "gen: -n -1: below 0\n",
		"-bad 101":         "gen: -bad 101: not from 0 to 100\n",
		"-bad NaN":         "gen: -bad NaN: not from 0 to 100\n",
		"-operation merge": "gen: -operation \"merge\": neither add nor remove\n",
		"rows":             "gen: unexpected argument \"rows\"\n",
	} {
		var out, errs bytes.Buffer
		if code := run(strings.Fields(args), &out, &errs); code != 2 || out.Len() > 0 || errs.String() != want {
			t.Errorf("gen %s: exit status %d, stdout %q, stderr %q", args, code, out.String(), errs.String())
		}
	}
	if code := run([]string{"-expect", filepath.Join(t.TempDir(), "none", "file")}, new(bytes.Buffer), new(bytes.Buffer)); code != 1 {
		t.Errorf("a file that can't be made: exit status %d", code)
	}
	if code := run(nil, closed{}, new(bytes.Buffer)); code != 1 {
		t.Errorf("a closed stdout: exit status %d", code)
	}
}

// closed is a stream that nobody reads.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

func BenchmarkRows(b *testing.B) {
	for operation, remove := range map[string]bool{"add": false, "remove": true} {
		b.Run(operation, func(b *testing.B) {
			g := newGenerator(b.N, 1, 3, remove)
			var line []byte
			for row := range b.N {
				line, _ = g.appendRow(line[:0], row+1)
				b.SetBytes(int64(len(line)))
			}
		})
	}
}
