// Command soak runs klaviyo-export against simulated Klaviyos in which random things go wrong, and compares what
// its results claim with what the Klaviyos know.
//
//	go run ./bench/soak -for 1h
//
// One run goes on for the whole time; beside it short ones follow each other at full speed: add, kill, resume,
// wait, remove. Standard output has readings, rounds and a summary as NDJSON. The exit status is 1 when a result
// was wrong or a reading of the long run did not stay flat. It needs Linux, for /proc.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/segmentio/encoding/json"
)

func main() {
	duration := flag.Duration("for", 30*time.Second, "how long")
	seed := flag.Uint64("seed", 1, "of everything random but the moments of kills")
	binary := flag.String("binary", "", "klaviyo-export; without it, it is built from the folder that soak is started in")
	flag.Parse()
	breached, err := soak(*duration, *seed, *binary, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	if breached {
		os.Exit(1)
	}
}

// soak does everything and reports whether anything was wrong.
func soak(duration time.Duration, seed uint64, binary string, out io.Writer) (bool, error) {
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		binary = filepath.Join(dir, "klaviyo-export")
		if said, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			return false, fmt.Errorf("build klaviyo-export: %w: %s", err, said)
		}
	}
	j := &journal{out: out, started: time.Now()}
	ends := j.started.Add(duration)
	var long sync.WaitGroup
	var flat summary
	long.Go(func() { flat = runLong(j, binary, ends, seed) })
	var totals roundTotals
	for n := uint64(0); time.Now().Before(ends); n++ {
		r := round{journal: j, binary: binary, dir: dir, number: n, dice: rand.New(rand.NewPCG(seed, n))}
		r.run()
		totals.add(&r)
	}
	long.Wait()
	flat.Type, flat.Seconds, flat.Rounds, flat.Breaches = "summary", j.seconds(), totals, j.count()
	j.print(flat)
	return j.count() > 0, nil
}

// journal prints lines. It may be used at once.
type journal struct {
	mu       sync.Mutex
	out      io.Writer
	started  time.Time
	breaches int
}

func (j *journal) seconds() float64 {
	return time.Since(j.started).Round(100 * time.Millisecond).Seconds()
}

func (j *journal) print(line any) {
	text, err := json.Append(nil, line, 0)
	if err != nil {
		panic(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(j.out, "%s\n", text)
}

// count returns how many breaches there were.
func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.breaches
}

// breach tells what is wrong.
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
