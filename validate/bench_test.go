package validate

import (
	"bytes"
	"fmt"
	"os"
	"testing"
)

// benchRows are rows as psql prints them, of some 250 bytes. Four in five have text that is not ASCII.
func benchRows(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		first, city := "太郎", "東京都渋谷区"
		if i%5 == 0 {
			first, city = "Thomas", "Springfield"
		}
		fmt.Fprintf(&b, `{"email":"customer%07d@example.com","external_id":"C-%07d",`+
			`"first_name":%q,"last_name":"O'Malley-Sørensen","city":%q,"country":"JP","plan":"premium",`+
			`"points":%d,"vip":%t,"last_order_at":"2026-10-%02dT09:15:00+09:00","tags":["a","b"]}`+"\n",
			i, i, first, city, i*37%10000, i%7 == 0, i%28+1)
	}
	return b.Bytes()
}

func BenchmarkCheck(b *testing.B) {
	const rows = 1000
	lines := benchRows(rows)
	c, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	var scratch Scratch
	var out Rows
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		c.Check(lines, false, &scratch, &out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	b.ReportMetric(float64(len(lines))/rows, "B/row")
}

// BenchmarkSample checks the sample rows. Two in five have a phone number with its country code, one in nine has one
// without.
func BenchmarkSample(b *testing.B) {
	lines, err := os.ReadFile("../testdata/profiles.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	var scratch Scratch
	var out Rows
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		c.Check(lines, true, &scratch, &out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(out.Rows)), "ns/row")
}
