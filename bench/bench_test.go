package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test's binary the processes that a comparison starts.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "bench" {
		main()
	}
	if os.Getenv("BENCH_TESTS") != "" {
		panic("a process that the tests started runs the tests")
	}
	os.Setenv("BENCH_TESTS", "running")
	os.Exit(m.Run())
}

// sample is the rows of testdata with their expectations.
func sample(t *testing.T) *data {
	t.Helper()
	d := &data{rows: 1000, mixed: "../testdata/profiles.ndjson", expected: "../testdata/profiles.expected.ndjson"}
	if err := errors.Join(d.describe(), d.expect()); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDataIsDescribed(t *testing.T) {
	d := sample(t)
	text, err := os.ReadFile(d.mixed)
	if err != nil {
		t.Fatal(err)
	}
	if d.bytes != int64(len(text)) || d.bad != 30 || d.valid != 965 {
		t.Errorf("%d bytes, %d bad, %d valid", d.bytes, d.bad, d.valid)
	}
	var other int64
	for line := range bytes.Lines(text) {
		if bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
			other++
		}
	}
	if d.nonASCII != other {
		t.Errorf("%d rows with other characters than ASCII, not %d", d.nonASCII, other)
	}
}

func TestLongRowsAreOneRow(t *testing.T) {
	d := &data{mixed: filepath.Join(t.TempDir(), "rows")}
	put(t, d.mixed, "é"+strings.Repeat("x", 200_000)+"\nplain\né")
	if err := d.describe(); err != nil || d.nonASCII != 2 || d.bytes != 200_011 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestServerCountsProfiles(t *testing.T) {
	for body, want := range map[string]int64{
		opening + closing: 0,
		opening + `{"type":"profile","attributes":{"email":"a@example.com","properties":{"n":{"a":{}}}}},{"type":"profile","attributes":{"email":"{b"}}` + closing: 2,
		`{"data": {"attributes": {"profiles": {"data": [{"attributes": {"email": "a@example.com"}, "type": "profile"}]}}, "type": "profile-bulk-import-job"}}`:     1,
		"": 0,
	} {
		if got := profiles([]byte(body)); got != want {
			t.Errorf("%d profiles, not %d, in %s", got, want, body)
		}
	}
}

func TestResultsAreJudged(t *testing.T) {
	expected, results := filepath.Join(t.TempDir(), "expected"), filepath.Join(t.TempDir(), "results")
	put(t, expected, `{"row":1,"status":"valid","key":"a"}`+"\n"+`{"row":2,"status":"rejected"}`+"\n"+`{"row":3,"status":"skipped"}`+"\n"+`{"row":4,"status":"valid"}`+"\n"+`{"row":5,"status":"rejected"}`+"\n")
	head := `{"type":"row","row":1,"status":"accepted"}` + "\n" + `{"type":"row","row":2,"status":"accepted"}` + "\n" +
		`{"type":"row","row":3,"status":"skipped"}` + "\n" + `{"type":"row","row":4,"status":"rejected"}` + "\n" + `{"type":"row","row":5,"status":"rejected"}` + "\n"
	put(t, results, head+`{"type":"report","status":"failed"}`+"\n")
	j, err := judge(results, expected)
	if want := (judgement{lines: 5, accepted: 2, lost: 1, leaked: 1}); err != nil || j != want {
		t.Errorf("%+v, %v, not %+v", j, err, want)
	}
	put(t, results, head+head)
	if _, err := judge(results, expected); err == nil {
		t.Error("more results than rows are no error")
	}
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Both forms of the plain job say of each row of the sample what is expected, and the server gets just the good ones.
func TestPlainJobs(t *testing.T) {
	for name, run := range map[string]func(*plain, io.Reader) error{"floor": (*plain).inSequence, "items": (*plain).byItems} {
		t.Run(name, func(t *testing.T) {
			d := sample(t)
			far := &server{}
			web := httptest.NewServer(far)
			defer web.Close()
			in, err := os.Open(d.mixed)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			var out bytes.Buffer
			job, err := newPlain(web.URL, &out)
			if err != nil {
				t.Fatal(err)
			}
			if err := run(job, in); err != nil {
				t.Fatal(err)
			}
			results := filepath.Join(t.TempDir(), "results")
			put(t, results, out.String())
			j, err := judge(results, d.expected)
			if want := (judgement{lines: 1000, accepted: d.valid}); err != nil || j != want || far.counts.Rows != d.valid {
				t.Errorf("%+v, %v, not %+v; %d rows reached the server", j, err, want, far.counts.Rows)
			}
		})
	}
}

// A body that is full is sent before the next row comes into it, and a row without a newline at the end is one.
func TestPlainJobFillsRequests(t *testing.T) {
	far := &server{}
	web := httptest.NewServer(far)
	defer web.Close()
	var rows strings.Builder
	for i := range mostRows + 1 {
		fmt.Fprintf(&rows, "\n"+`{"email":"a%d@example.com"}`, i)
	}
	job, err := newPlain(web.URL, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := job.inSequence(strings.NewReader(rows.String())); err != nil {
		t.Fatal(err)
	}
	if far.counts.Requests != 2 || far.counts.Rows != mostRows+1 {
		t.Errorf("%+v", far.counts)
	}
}

// The scripts that klaviyo-export is compared with do the job: they lose no good row, and count right.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	tools := &tools{dir: dir}
	installed, err := sdkModules()
	if err != nil {
		t.Log(err)
	} else if err := os.Symlink(installed, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, script := range []struct {
		name   string
		leaked int64 // wrong rows that the script takes
		find   func() (*peer, error)
	}{
		{"python", 16, func() (*peer, error) {
			path, err := exec.LookPath("python3")
			if err != nil {
				return nil, err
			}
			return tools.python(t.Context(), []string{path})
		}},
		{"node", 17, func() (*peer, error) {
			path, lacks := exec.LookPath("node")
			if err := errors.Join(err, lacks); err != nil {
				return nil, err
			}
			return tools.script(path)
		}},
	} {
		t.Run(script.name, func(t *testing.T) {
			p, err := script.find()
			if err != nil {
				t.Skip(err)
			}
			p.name = script.name
			run, err := p.run(t.Context(), sample(t), 0, filepath.Join(dir, "results"))
			if err != nil {
				t.Fatal(err)
			}
			if run.judged.lost > 0 || run.judged.leaked != script.leaked {
				t.Errorf("%d good rows lost, %d others sent", run.judged.lost, run.judged.leaked)
			}
			if run.cpu <= 0 || run.wall <= 0 || run.rss < 1e6 || run.counts.Requests != 1 {
				t.Errorf("%+v", run)
			}
		})
	}
}

// sdkModules returns the folder of Node's packages in $NODE_PATH, if klaviyo-api is there.
func sdkModules() (string, error) {
	path := os.Getenv("NODE_PATH")
	_, err := os.Stat(filepath.Join(path, "klaviyo-api"))
	return path, err
}

// A comparison from end to end, with the programs that are quick.
func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("builds klaviyo-export")
	}
	var out, said strings.Builder
	begun := time.Now()
	if code := run(t.Context(), []string{"compare", "-sizes", "400,5000", "-rounds", "1", "-peers", "floor, item,jq"}, stdio{nil, &out, &said}); code != 0 {
		t.Fatalf("exit %d: %s", code, &said)
	}
	t.Logf("took %v\n%s", time.Since(begun), &out)
	text := out.String()
	for _, want := range []string{
		"5,000 rows of ", "\n| klaviyo-export | ", "\n| floor: one goroutine | ", "\n| one channel item a row | ", "\n| 400 | ", "\n| 5,000 | ",
		"| heap allocations per row | ≤ 0.200 | ", "| wall time of Python | ≤ 1/15 |  | not measured here |", "| klaviyo-export | 400–5,000 | ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(text, "Python 3") {
		t.Error("a peer ran that was not asked for")
	}
	_, name, _ := strings.Cut(text, "\nplot: ")
	drawn, err := os.ReadFile(strings.TrimSpace(name))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, drawn)
}

// What a run of memory prints ends with its verdict.
func TestMemory(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("builds klaviyo-export, and reads /proc")
	}
	var out, said strings.Builder
	args := []string{"memory", "-rows", "250000", "-concurrency", "2", "-every", "1s", "-bound", "500"}
	if code := run(t.Context(), args, stdio{nil, &out, &said}); code != 0 {
		t.Fatalf("exit %d: %s%s", code, &said, &out)
	}
	if !strings.Contains(out.String(), "\n250000 rows, ") || !strings.Contains(out.String(), ", 2 under way at most. Peak RSS ") || !strings.Contains(out.String(), "bound 500 MB") {
		t.Error(out.String())
	}
	if code := run(t.Context(), append(args, "-bound", "1"), stdio{nil, &out, &said}); code != 1 || !strings.Contains(said.String(), "MB resident, the bound is 1\n") {
		t.Errorf("exit %d over the bound: %s", code, &said)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		nil, {"comapre"}, {"compare", "x"}, {"compare", "-rounds", "0"}, {"compare", "-sizes", "0"}, {"compare", "-sizes", "2000000"}, {"compare", "-sizes", "1e3"}, {"memory", "-rows", "x"},
	} {
		var out, said strings.Builder
		if code := run(t.Context(), args, stdio{nil, &out, &said}); code != 2 || out.Len() > 0 || said.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, &said)
		}
	}
}

func TestSizesAreSorted(t *testing.T) {
	got, err := parseSizes("1000000,10,10,20000000")
	if err != nil || fmt.Sprint(got) != "[10 1000000 20000000]" {
		t.Error(got, err)
	}
}

// The results stand between the README's two lines, and nothing else of it changes.
func TestRewrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "README.md")
	put(t, name, "before\n"+beginning+"old\n"+ending+"after\n")
	for range 2 {
		if err := rewrite(name, "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if want := "before\n" + beginning + "new\n" + ending + "after\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
	put(t, name, "nothing of the kind\n")
	if rewrite(name, "new\n") == nil {
		t.Error("a README without the lines is no error")
	}
	own, err := os.ReadFile("README.md")
	if err != nil || !bytes.Contains(own, []byte(beginning)) || !bytes.Contains(own, []byte(ending)) {
		t.Error("bench/README.md lacks the lines:", err)
	}
}

// made is a comparison of two programs over three sizes whose cost is 10 ms and 2 µs a row, or 5 times that.
func made() *comparison {
	c := &comparison{peers: []*peer{{name: ours, results: true}, {name: "Python <by> hand"}}}
	for _, rows := range []int{1000, 100_000, 1_000_000} {
		d := &data{rows: rows}
		for i, p := range c.peers {
			times := time.Duration(1 + 4*i)
			one := took{wall: times * (10*time.Millisecond + time.Duration(rows)*2*time.Microsecond), rss: 50e6 * int64(times)}
			one.cpu = one.wall
			c.series = append(c.series, &series{peer: p, data: d, runs: []took{one, one, one}})
		}
		c.main = d
	}
	c.facts.one, c.facts.two = c.series[0], c.series[0]
	return c
}

func TestFit(t *testing.T) {
	c := made()
	start, slope := fit(c.by(c.peers[1]), wall)
	if math.Abs(start-0.05) > 1e-9 || math.Abs(slope-10e-6) > 1e-12 {
		t.Errorf("%v s + %v s a row", start, slope)
	}
}

func TestGoals(t *testing.T) {
	c := made()
	c.facts.allocations = 0.3
	c.facts.narrow = took{rss: 60e6, counts: counts{AtOnce: 4}}
	c.facts.wide = took{rss: 120e6, counts: counts{AtOnce: 14}}
	got := map[string]goal{}
	for _, g := range c.goals() {
		got[g.what] = g
	}
	for what, want := range map[string]string{
		"whole job, CPU s per 1M rows":                     "2.01 **not met**",
		"wall time of Python":                              "1/5.0 **not met**",
		"wall time of Node":                                " not measured here",
		"heap allocations per row":                         "0.300 **not met**",
		"peak RSS in MB at concurrency 4, instant answers": "50.0 met",
		"peak RSS, 20M rows against 1M":                    "needs -sizes …,20000000 not measured here",
		"RSS in MB per request under way, server of 200ms": "6.0 (60 MB with 4, 120 MB with 14) met",
		"start to first byte in ms, one row":               "0.0 met",
	} {
		if g := got[what].measured + " " + got[what].met; g != want {
			t.Errorf("%s: %q, not %q", what, g, want)
		}
	}
}

// The plot is XML with a point for each size of each program in both panels and in the legend.
func TestPlot(t *testing.T) {
	drawn := made().plot()
	wellFormed(t, drawn)
	if n := bytes.Count(drawn, []byte("<circle")); n != 2*2*3+2 {
		t.Errorf("%d points", n)
	}
	if bytes.Contains(drawn, []byte("NaN")) || bytes.Contains(drawn, []byte("Inf")) {
		t.Error("a coordinate is no number")
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Memory may grow until the window of duplicates is full, and is compared from then on.
func TestHalves(t *testing.T) {
	w := &watch{samples: []float64{10, 90, 60, 61, 62, 80, 81, 82}}
	if first, last := w.halves(4 * window); first != 61 || last != 81 {
		t.Errorf("%v, %v", first, last)
	}
	if first, last := w.halves(4*window - 1); first != 0 || last != 0 {
		t.Errorf("%v, %v of a short run", first, last)
	}
}

func TestEndsAreKept(t *testing.T) {
	var l lastLine
	for _, part := range []string{"a\nb", "c\n", "d", "e\nfg", "h\n", "", "i\n"} {
		_, _ = io.WriteString(&l, part)
	}
	if string(l.text) != "i\n" {
		t.Errorf("%q", l.text)
	}
	var end tail
	for range 3 {
		_, _ = io.WriteString(&end, strings.Repeat("x", 1500)+"y")
	}
	if len(end.text) != tailSize || end.text[tailSize-1] != 'y' {
		t.Errorf("%d bytes", len(end.text))
	}
}

// A whole run takes next to nothing from the heap for a row. Rows are counted by what each takes when there are 40,000 more of them,
// so one more allocation for each shows: good rows, and bad ones, which have a reason made for them.
func TestAllocationsPerRow(t *testing.T) {
	web := httptest.NewServer(&server{})
	defer web.Close()
	good, bad := sampleRows(t)
	for _, kind := range []struct {
		name  string
		rows  []byte
		times int
		bound float64
	}{
		{"good", good, 40_000 / bytes.Count(good, []byte{'\n'}), 0.2},
		{"bad", slices.Concat(good[:bytes.IndexByte(good, '\n')+1], bad), 40_000 / (bytes.Count(bad, []byte{'\n'}) + 1), 6},
	} {
		t.Run(kind.name, func(t *testing.T) {
			count := func(times int) (rows, objects float64) {
				r, o, err := allocated(t.Context(), web.URL, repeated(kind.rows, times))
				if err != nil {
					t.Fatal(err)
				}
				return float64(r), float64(o)
			}
			count(kind.times / 4) // fills pools, and tables that are made when they are needed
			few, before := count(kind.times / 4)
			many, after := count(kind.times / 4 * 5)
			if many-few < 37_000 {
				t.Fatalf("only %v rows more", many-few)
			}
			perRow := (after - before) / (many - few)
			t.Logf("%.3f allocations per row", perRow)
			if perRow > kind.bound {
				t.Errorf("%.3f allocations per row, the bound is %v", perRow, kind.bound)
			}
		})
	}
}

// sampleRows returns the lines of testdata that are right, and those that are wrong.
func sampleRows(t *testing.T) (good, bad []byte) {
	d := sample(t)
	rows, err := os.ReadFile(d.mixed)
	expected, lacks := os.ReadFile(d.expected)
	if err := errors.Join(err, lacks); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(rows, []byte{'\n'})
	for i, want := range bytes.SplitAfter(expected, []byte{'\n'}) {
		switch {
		case status(want) == "rejected":
			bad = append(bad, lines[i]...)
		case status(want) == "valid":
			good = append(good, lines[i]...)
		}
	}
	return good, bad
}

// repeated is rows so many times, each time of other people.
func repeated(rows []byte, times int) io.Reader {
	parts := make([]io.Reader, times)
	for i := range parts {
		parts[i] = bytes.NewReader(bytes.ReplaceAll(rows, []byte("@"), fmt.Appendf(nil, "@r%d.", i)))
	}
	return io.MultiReader(parts...)
}
