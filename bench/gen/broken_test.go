package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// Rows are invalid JSON, not an object or too deep exactly where encoding/json says so. That package accepts invalid
// UTF-8 and halves of surrogate pairs, so the test looks for these itself.
func TestJSON(t *testing.T) {
	for _, operation := range []string{"add", "remove"} {
		m := generatePairs(t, "-n", "12000", "-bad", "20", "-operation", operation)
		for i, want := range m.expectations {
			line := m.lines[i]
			var value any
			err := json.Unmarshal(line, &value)
			replaced := err == nil && utf8.Valid(line) && bytes.ContainsRune(marshal(t, value), utf8.RuneError)
			if wrong := err != nil || !utf8.Valid(line) || replaced; wrong != (want.Code == "json_invalid") {
				t.Errorf("row %d: encoding/json says %v, the code is %q: %.200s", want.Row, err, want.Code, line)
			}
			if want.Code == "json_invalid" {
				continue
			}
			if _, object := value.(map[string]any); object == (want.Code == "not_an_object") {
				t.Errorf("row %d is an object: %t, the code is %q: %.200s", want.Row, object, want.Code, line)
			}
			if deep := levels(value) > 100; deep != (want.Code == "row_too_deep") {
				t.Errorf("row %d has %d levels, the code is %q", want.Row, levels(value), want.Code)
			}
		}
	}
}

// marshal returns value as JSON.
func marshal(t *testing.T, value any) []byte {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// levels returns the nesting depth of value.
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
