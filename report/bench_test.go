package report

import (
	"io"
	"testing"
)

// BenchmarkWriter writes the results of 10,000 rows, of which 3 % are rejected.
func BenchmarkWriter(b *testing.B) {
	const rows = 10_000
	accepted := Line{
		Key: []byte(`"customer0000017@example.com"`), Status: Accepted,
		Job: "QWJDMTIzX21haW50ZW5hbmNlLkJlbmNoMS4xNzkwMDAwMDAwLjAwMDAwMQ",
	}
	rejected := Line{
		Key: accepted.Key, Status: Rejected, Stage: "validate", Code: "email_invalid", Column: "email",
		Detail: "`bob@` has nothing after the @",
	}
	results := func(out io.Writer) {
		w := NewWriter(out)
		for row := range int64(rows) {
			line := &accepted
			if row%100 < 3 {
				line = &rejected
			}
			line.Row = row + 1
			w.Line(line)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	size := int64(0)
	results(writerFunc(func(p []byte) (int, error) { size += int64(len(p)); return len(p), nil }))
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		results(io.Discard)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
