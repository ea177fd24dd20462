// Soak runs klaviyo-export against simulated Klaviyos with random faults, and compares the results with what the
// accounts show. Start reading at long.go for the long run, at round.go for the rounds, at draw.go for the commands,
// and at judge.go for the rules.
//
//	go run ./bench/soak -for 1h
//	go run ./bench/soak -seed 7 -round 12
//
// One run lasts the whole time. Meanwhile rounds follow each other. In a round some actors run all commands at the same
// time on one account, which some rounds share: processes are killed, resumed, picked from and waited for. Standard
// output has readings, rounds and a summary as NDJSON. The exit status is 1 when a result is wrong or when a figure of
// the long run grows. A breach names its seed and round, to be run again. Soak needs Linux, because it reads /proc.
//
// Soak draws add, remove, mirror, subscribe, unsubscribe, members, wait, pick and send. Rows name people by each of the
// columns, and lists in a column, or there is one list. There are state files, plans, and bounds on rows and removals.
// Some people share a phone number, have two addresses, or have to confirm. Rows are lines or elements of arrays, their
// emails may be in another column, and their phone numbers as people write them. A process that runs too long is a
// breach.
//
// Soak does not draw tasks in files, schedules and the page. All requests for consent arrive, because the program
// repeats a lost one only after half an hour.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/segmentio/encoding/json"
)

func main() {
	duration := flag.Duration("for", 30*time.Second, "duration")
	seed := flag.Uint64("seed", 1, "seed of all random choices except the moments of kills")
	only := flag.Int64("round", -1, "run only this round")
	binary := flag.String("binary", "", "program to run (default: klaviyo-export, built here)")
	flag.Parse()
	breached, err := soak(*duration, *seed, *only, *binary, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	if breached {
		fmt.Fprintln(os.Stderr, "soak: something is wrong: see the lines of type breach")
		os.Exit(1)
	}
}

// rounds is how many rounds share an account before it has become large.
const rounds = 8

// soak runs everything and reports whether anything is wrong.
func soak(duration time.Duration, seed uint64, only int64, binary string, out io.Writer) (bool, error) {
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		binary = filepath.Join(dir, "klaviyo-export")
		if said, err := exec.Command("go", "build", "-o", binary, "klaviyo-export").CombinedOutput(); err != nil {
			return false, fmt.Errorf("build klaviyo-export: %w: %s", err, said)
		}
	}
	j := &journal{out: out, started: time.Now()}
	all := &totals{Of: map[string]*tally{}}
	r := round{journal: j, binary: binary, dir: dir, seed: seed, totals: all}
	if only >= 0 {
		r.number, r.account = uint64(only), newAccount(seed, uint64(only)/rounds)
		r.run()
		return j.count() > 0, nil
	}
	ends := j.started.Add(duration)
	var long sync.WaitGroup
	var flat summary
	long.Go(func() { flat = runLong(j, binary, ends, seed) })
	for ; time.Now().Before(ends); r.number++ {
		if r.number%rounds == 0 {
			r.account = newAccount(seed, r.number/rounds)
			all.Accounts++
		}
		r.run()
		all.Rounds++
	}
	long.Wait()
	flat.Type, flat.Seconds, flat.Totals, flat.Breaches = "summary", j.seconds(), all, j.count()
	j.print(flat)
	return j.count() > 0, nil
}

// journal prints lines and counts breaches. Goroutines may share it.
type journal struct {
	mu       sync.Mutex
	out      io.Writer
	started  time.Time
	breaches int
}

// seconds returns the time since the start.
func (j *journal) seconds() float64 {
	return time.Since(j.started).Round(100 * time.Millisecond).Seconds()
}

// print prints line as JSON.
func (j *journal) print(line any) {
	text, err := json.Append(nil, line, 0)
	if err != nil {
		panic(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(j.out, "%s\n", text)
}

// count returns the number of breaches.
func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.breaches
}

// breach prints what is wrong and counts it.
func (j *journal) breach(where, format string, args ...any) {
	j.mu.Lock()
	j.breaches++
	j.mu.Unlock()
	j.print(struct {
		Type    string  `json:"type"`
		Seconds float64 `json:"seconds"`
		Where   string  `json:"where"`
		Detail  string  `json:"detail"`
	}{"breach", j.seconds(), where, fmt.Sprintf(format, args...)})
}
