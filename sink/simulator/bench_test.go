package simulator

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"
)

// largeList returns an account whose list LIST01 has n members, a thousand of them for each second since the returned
// time.
func largeList(n int) (s *Simulator, since time.Time) {
	since = time.Date(2026, 9, 4, 13, 40, 0, 0, time.UTC)
	at := since
	s = New(Options{Now: func() time.Time { return at }})
	s.AddListAs("LIST01", "x")
	for i := range n {
		at = since.Add(time.Duration(i/1000) * time.Second)
		s.list("LIST01").join(s.addProfile(fmt.Sprintf("p%d@example.org", i)), at)
	}
	return s, since
}

// readings are the requests with which a client reads such a list: the i-th of each, in no order that repeats soon.
func readings(n int, since time.Time) (names []string, paths []func(i int) string) {
	stretch := func(i int) string {
		from := since.Add(time.Duration(i%(n/1000)) * time.Second)
		return "greater-or-equal(joined_group_at," + from.Format(time.RFC3339) + "),less-than(joined_group_at," +
			from.Add(50*time.Second).Format(time.RFC3339) + ")"
	}
	hundred := func(i int) string {
		emails := make([]string, 100)
		for k := range emails {
			emails[k] = fmt.Sprintf(`"p%d@example.org"`, (i*100+k)*37%n)
		}
		return "any(email,[" + strings.Join(emails, ",") + "])"
	}
	for _, r := range []struct {
		name, path, more string
		filter           func(i int) string
	}{
		{"walk", "/api/lists/LIST01/profiles", "&fields[profile]=email,joined_group_at&sort=joined_group_at", stretch},
		{"look-up", "/api/lists/LIST01/profiles", "&fields[profile]=email,joined_group_at", hundred},
		{"look-up of ids", "/api/lists/LIST01/relationships/profiles", "", hundred},
		{"look-up of profiles", "/api/profiles", "&fields[profile]=email", hundred},
	} {
		names = append(names, r.name)
		paths = append(paths, func(i int) string {
			return r.path + "?page[size]=100" + r.more + "&filter=" + url.QueryEscape(r.filter(i))
		})
	}
	return names, paths
}

// read sends one GET, which must succeed.
func read(t testing.TB, s *Simulator, path string) {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Klaviyo-API-Key key")
	r.Header.Set("revision", "2026-07-15")
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != 200 {
		t.Fatal(w.Body.String())
	}
}

// BenchmarkReads measures one request to a list of 1,000,000 members.
func BenchmarkReads(b *testing.B) {
	const n = 1_000_000
	s, since := largeList(n)
	names, paths := readings(n, since)
	for k, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				read(b, s, paths[k](i))
			}
		})
	}
}

// Requests leave nothing behind: the account holds no more memory after thousands of them.
func TestReadsKeepNothing(t *testing.T) {
	const n = 5_000
	s, since := largeList(n)
	_, paths := readings(n, since)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what pools kept is gone after the second
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	rounds := func(from, to int) {
		for i := from; i < to; i++ {
			for _, path := range paths {
				read(t, s, path(i))
			}
		}
	}
	rounds(0, 25)
	before := heap()
	rounds(25, 275)
	if grown := heap() - before; grown > 256<<10 {
		t.Errorf("1,000 requests left %d bytes, want at most 256 KiB", grown)
	}
	runtime.KeepAlive(s)
}
