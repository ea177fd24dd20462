package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"klaviyo-export/sink"
)

// benchRows are rows of some 250 bytes, four of five with text that isn't ASCII, one of two with a telephone
// number.
func benchRows(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		first, city := "太郎", "東京都渋谷区"
		if i%5 == 0 {
			first, city = "Thomas", "Springfield"
		}
		phone := ""
		if i%2 == 0 {
			phone = fmt.Sprintf(`"phone_number":"+8190%08d",`, 12_345_678+i)
		}
		fmt.Fprintf(&b, `{"email":"customer%07d@example.com","external_id":"C-%07d","first_name":%q,`+
			`"last_name":"O'Malley-Sørensen",%s"city":%q,"country":"JP","plan":"premium",`+
			`"points":%d,"vip":%t,"last_order_at":"2026-10-%02dT09:15:00+09:00"}`+"\n",
			i, i, first, phone, city, i*37%10000, i%7 == 0, i%28+1)
	}
	return b.Bytes()
}

// BenchmarkRun measures whole runs: without a network, and with a server on this machine that reads requests and
// answers them.
func BenchmarkRun(b *testing.B) {
	const rows = 50_000
	input := benchRows(rows)
	run := func(b *testing.B, o *Options) {
		b.SetBytes(int64(len(input)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Run(b.Context(), o, bytes.NewReader(input), io.Discard); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	}
	b.Run("check", func(b *testing.B) {
		o := checkOptions(b)
		o.Window = 1_000_000
		run(b, o)
	})
	b.Run("send", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(takeAll))
		defer server.Close()
		o := checkOptions(b)
		o.Client = newClient(b, &sink.Options{BaseURL: server.URL, Concurrency: 4, RetryFor: time.Minute})
		o.Window, o.List, o.Concurrency, o.BatchDelay = 1_000_000, sink.ListRef{ID: "L1"}, 4, 5*time.Second
		run(b, o)
	})
}

// BenchmarkCheck measures runs without Klaviyo over the sample rows.
func BenchmarkCheck(b *testing.B) {
	sample, err := os.ReadFile("../testdata/profiles.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	in := bytes.Repeat(sample, 50)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		o := checkOptions(b)
		if rep, _ := Run(b.Context(), o, bytes.NewReader(in), io.Discard); rep.Rows.Read != 50_000 {
			b.Fatalf("%+v", rep.Rows)
		}
	}
}

// takeAll answers look-ups with a list and imports with an import job.
func takeAll(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusAccepted)
	}
	_, _ = io.WriteString(w, `{"data":{"id":"L1"}}`)
}
