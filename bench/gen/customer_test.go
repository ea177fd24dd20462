package main

import (
	"encoding/json"
	"net/mail"
	"strings"
	"testing"
)

// Keys, duplicates and faults of the required column are as simple rules on the decoded row say. Most duplicates of
// an address have another case.
func TestKeys(t *testing.T) {
	for _, c := range []struct {
		operation, column string
		same              func(string) string
	}{{"add", "email", strings.ToLower}, {"remove", "profile_id", strings.Clone}} {
		m := generatePairs(t, "-n", "12000", "-bad", "20", "-operation", c.operation)
		first := map[string]int{}
		spelled := map[int]string{}
		respelled, duplicates := 0, 0
		for i, want := range m.expectations {
			var row map[string]any
			if json.Unmarshal(m.lines[i], &row) != nil || row == nil {
				continue
			}
			written, isText := row[c.column].(string)
			key := strings.TrimSpace(written)
			switch want.Status {
			case "valid":
				if first[c.same(key)] != 0 {
					t.Errorf("row %d is valid, but row %d has the same key %s", want.Row, first[c.same(key)], key)
				}
				first[c.same(key)] = want.Row
				spelled[want.Row] = key
			case "skipped":
				if first[c.same(key)] != want.Of || want.Code != "duplicate" {
					t.Errorf("row %d: row %d has the same key %s, the expectation is %+v",
						want.Row, first[c.same(key)], key, want)
				}
				if duplicates++; key != spelled[want.Of] {
					respelled++
				}
			}
			if good := want.Status != "rejected"; good && (want.Key != key || key == "") {
				t.Errorf("row %d: %q has the key %q", want.Row, written, want.Key)
			} else if !good && want.Key != "" {
				t.Errorf("row %d is rejected: expected no key, got %q", want.Row, want.Key)
			}
			if none := row[c.column] == nil || isText && key == ""; none != strings.HasSuffix(want.Code, "_missing") {
				t.Errorf("row %d: %s is %v, the code is %q", want.Row, c.column, row[c.column], want.Code)
			}
			if other := row[c.column] != nil && !isText; other != (want.Code == "type_wrong" && want.Column == c.column) {
				t.Errorf("row %d: %s is %v, the code is %q", want.Row, c.column, row[c.column], want.Code)
			}
			if c.operation == "add" && want.Status != "rejected" {
				if address, err := mail.ParseAddress(key); err != nil || address.Address != key || len(key) > 100 {
					t.Errorf("row %d: %s: %v", want.Row, key, err)
				}
			}
		}
		if c.operation == "add" && respelled < duplicates*9/10 || c.operation == "remove" && respelled > 0 {
			t.Errorf("%s: %d of %d duplicates have another case", c.operation, respelled, duplicates)
		}
	}
}
