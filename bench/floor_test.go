package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Both plain runs give every row of the sample the expected result, and send exactly the good rows.
func TestPlainRuns(t *testing.T) {
	for name, run := range map[string]func(*plain, io.Reader) error{
		"floor":   (*plain).inSequence,
		"rowwise": (*plain).rowwise,
	} {
		t.Run(name, func(t *testing.T) {
			set := sample(t)
			far := &server{}
			web := httptest.NewServer(far)
			defer web.Close()
			in, err := os.Open(set.mixed)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			var out bytes.Buffer
			plain, err := newPlain(web.URL, &out)
			if err != nil {
				t.Fatal(err)
			}
			if err := run(plain, in); err != nil {
				t.Fatal(err)
			}
			results := filepath.Join(t.TempDir(), "results")
			put(t, results, out.String())
			got, err := score(results, set.expected)
			if want := (accuracy{lines: 1000, accepted: set.valid}); err != nil || got != want {
				t.Errorf("expected %+v, got %+v, %v", want, got, err)
			}
			if far.counts.Rows != set.valid {
				t.Errorf("expected %d rows on the server, got %d", set.valid, far.counts.Rows)
			}
		})
	}
}

// A plain run sends a full batch before it adds the next row, and reads a last row without a newline.
func TestPlainRunFillsRequests(t *testing.T) {
	far := &server{}
	web := httptest.NewServer(far)
	defer web.Close()
	var rows strings.Builder
	for i := range mostRows + 1 {
		fmt.Fprintf(&rows, "\n"+`{"email":"a%d@example.com"}`, i)
	}
	plain, err := newPlain(web.URL, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.inSequence(strings.NewReader(rows.String())); err != nil {
		t.Fatal(err)
	}
	if far.counts.Requests != 2 || far.counts.Rows != mostRows+1 {
		t.Errorf("expected 2 requests with %d rows, got %+v", mostRows+1, far.counts)
	}
}
