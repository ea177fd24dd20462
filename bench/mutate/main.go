//go:build unix

// Mutate makes small faults in the program, one at a time, and reports which test notices each. Start reading at
// sites.go for the faults, and at judge.go for how one is tried.
//
//	go run ./bench/mutate -n 200 -seed 1 > mutants.ndjson   # 200 mutants, drawn at random from all code
//	go run ./bench/mutate -n 200 -seed 1 -table             # the same as a table; known results are not tried again
//	go run ./bench/mutate -n 10 -file sink/poll.go          # mutants of one file
//	go run ./bench/mutate -mutant sink/poll.go:88:5:swap    # one mutant
//
// A mutant is the program with one such fault. All of them are compiled into one test binary per package, and a file
// says which one is on: it also reaches the processes that tests start. First every test runs twice without a fault:
// a test that fails is left out, and is named. One of these runs records which faults the test reaches, so that a
// mutant meets only those tests: its own package's first, and the fastest first. It is killed when one fails twice
// with it and passes once without it, or when a test takes 10 times as long as before and 5 seconds.
//
// Results and the tests' reach are kept in the folder -work until the code changes. After the time -for, the next
// call goes on.
//
// The file survivors.tsv names the survivors that no test can kill or should, with the reason.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// settings are the flags.
type settings struct {
	n, lanes           int
	seed               uint64
	file, mutant, work string
	table              bool
	bound, most        time.Duration
	targets, tests     []string // patterns of packages: where faults are made, and whose tests judge them
	dir, survivors     string   // the module, and the file of survivors.tsv's form
}

func main() {
	s := settings{
		targets: []string{"./pipeline/...", "./sink", "./validate/...", "./report/..."},
		tests:   []string{".", "./pipeline/...", "./sink", "./validate/...", "./report/..."},
		dir:     ".", survivors: "bench/mutate/survivors.tsv",
	}
	flag.IntVar(&s.n, "n", 200, "number of mutants")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the draw: a larger -n draws the same mutants and more")
	flag.StringVar(&s.file, "file", "", "draw from this file only")
	flag.StringVar(&s.mutant, "mutant", "", "try this mutant only, also when its result is known")
	flag.StringVar(&s.work, "work", filepath.Join(os.TempDir(), "mutate"), "folder of binaries and results")
	flag.IntVar(&s.lanes, "lanes", 1, "mutants tried at once")
	flag.BoolVar(&s.table, "table", false, "print a table instead of NDJSON")
	flag.DurationVar(&s.bound, "for", 24*time.Hour, "begin no test after this time")
	flag.DurationVar(&s.most, "most", time.Hour, "time of tests for a mutant; the default tries survivors again")
	flag.Parse()
	if signal.Ignored(os.Interrupt) {
		// Scripts start a command with & so that it ignores the signal, and its processes would, too. The tests stop
		// servers by it. A process does not ignore a signal that its parent catches.
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	if err := s.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// result is a line of the output: the outcome of one mutant.
type result struct {
	mutant
	Status  string  `json:"status"` // killed, timeout, survived, not covered; equivalent or accepted in survivors.tsv
	Test    string  `json:"test,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Untried int     `json:"untried,omitempty"` // slower tests that a survivor has not met, because of -most
	Seconds float64 `json:"seconds"`
}

// run tries the mutants that the settings draw, and prints their results.
func (s *settings) run(out io.Writer) error {
	ends := time.Now().Add(s.bound)
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	s.dir = dir
	mutants, files, err := instrument(s.dir, s.targets)
	if err != nil {
		return err
	}
	drawn := s.draw(mutants)
	if len(drawn) == 0 {
		return fmt.Errorf("no mutant to try: %d in all", len(mutants))
	}
	b, err := s.build(files, len(mutants))
	if err != nil {
		return err
	}
	if err := b.baseline(s.lanes, ends); err != nil {
		return err
	}
	results, err := s.results(b, ends, drawn)
	if err != nil {
		return err
	}
	if err := s.name(results); err != nil {
		return err
	}
	if s.table {
		writeTable(out, results, b.unstable())
		return nil
	}
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, r := range results {
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	for _, test := range b.unstable() {
		if err := lines.Encode(map[string]string{"left_out": test}); err != nil {
			return err
		}
	}
	return nil
}

// draw returns n mutants in the order of the seed. Each place of the code is as likely as any other.
func (s *settings) draw(mutants []mutant) []mutant {
	drawn := slices.Clone(mutants)
	rand.New(rand.NewPCG(s.seed, 0)).Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	if s.file != "" || s.mutant != "" {
		drawn = slices.DeleteFunc(drawn, func(m mutant) bool {
			return s.file != "" && m.File != s.file || s.mutant != "" && m.ID != s.mutant
		})
	}
	return drawn[:min(s.n, len(drawn))]
}

// results returns the drawn mutants' results: those in the file results.ndjson, and those that b finds in time.
func (s *settings) results(b *binaries, ends time.Time, drawn []mutant) ([]result, error) {
	known := map[string]result{}
	log, err := os.OpenFile(filepath.Join(b.dir, "results.ndjson"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err == nil { // a run that was killed may leave half a line
			known[r.ID] = r
		}
	}
	maps.DeleteFunc(known, func(_ string, r result) bool { return r.Untried > 0 && s.most == time.Hour })
	if s.mutant != "" {
		clear(known)
	}
	var (
		mu   sync.Mutex // of next, known and log
		next int
		wg   sync.WaitGroup
		errs = make([]error, s.lanes)
	)
	for lane := range s.lanes {
		wg.Go(func() {
			for {
				mu.Lock()
				for next < len(drawn) && known[drawn[next].ID].Status != "" {
					next++
				}
				if next == len(drawn) || time.Now().After(ends) || errs[lane] != nil {
					mu.Unlock()
					return
				}
				m := drawn[next]
				next++
				mu.Unlock()
				r := b.judge(lane, m, s.most)
				text, err := json.Marshal(r)
				mu.Lock()
				known[m.ID] = r
				if err == nil {
					_, err = fmt.Fprintf(log, "%s\n", text)
				}
				errs[lane] = err
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	var all []result
	for _, m := range drawn {
		if r, ok := known[m.ID]; ok {
			all = append(all, r)
		}
	}
	if len(all) < len(drawn) {
		fmt.Fprintf(os.Stderr, "mutate: %d of %d mutants tried\n", len(all), len(drawn))
	}
	return all, cmp.Or(errs...)
}

// name gives survivors the status and the reason that the file of survivors has for them. Its lines have five
// columns, with tabs between them: status, file, function, "before → after", reason.
func (s *settings) name(results []result) error {
	text, err := os.ReadFile(s.survivors)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		column := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(column) != 5 {
			return fmt.Errorf("%s: expected 5 columns: %s", s.survivors, line)
		}
		for i := range results {
			r := &results[i]
			lives := r.Status == "survived" || r.Status == "not covered"
			if lives && r.File == column[1] && r.Func == column[2] && r.Before+" → "+r.After == column[3] {
				r.Status, r.Reason = column[0], column[4]
			}
		}
	}
	return nil
}
