package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"klaviyo-export/sink/simulator"
)

// terminal returns both ends of a pseudo-terminal: what is written to near is read from far.
func terminal(t *testing.T) (near, far *os.File) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	var unlocked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &number} {
		_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, far.Fd(), request, uintptr(unsafe.Pointer(value)))
		if failed != 0 {
			t.Skip(failed)
		}
	}
	near, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	return near, far
}

// At a terminal doctor prints one line of text per check, with a mark that says whether it passed, and what to do
// about a check that failed. A retirement date that is near is a warning.
func TestDoctorAtTerminal(t *testing.T) {
	sim := simulator.New(simulator.Options{Wrap: described(t), Plan: &simulator.Plan{Retirement: "2026-12-31"}})
	sim.AddListAs("XyZ123", "News")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.Close() }()
	t.Setenv("KLAVIYO_API_KEY", "pk_doctor")
	near, far := terminal(t)
	var errs bytes.Buffer
	p := Program{In: strings.NewReader(""), Out: near, Err: &errs}
	exit := p.Run([]string{"doctor", "--base-url", url, "--list-name", "Nobody"})
	_ = near.Close()
	printed, _ := io.ReadAll(far) // a closed terminal ends with an error
	lines := strings.Split(strings.TrimSuffix(string(printed), "\r\n"), "\r\n")
	for _, want := range []string{
		"✓ key: Klaviyo knows the API key", "✓ account: account ", "✓ scope lists:read: lists can be read; rate limits 75, ",
		"✓ scope profiles:read: import jobs can be read; ",
		"! revision: Klaviyo serves API revision 2026-07-15, and retires it on 2026-12-31",
		"  hint: update klaviyo-export, or pass a newer date to --revision, before 2026-12-31",
		"✓ command add: needs ", "✓ command remove: needs ", "✓ command subscribe: needs ",
		"✓ command unsubscribe: needs ", "✓ command wait: needs ", "✓ command members: needs ",
		"✓ command send: needs campaigns:read, campaigns:write, templates:read",
		`✗ list: look up list "Nobody": no list has this name`,
		"  hint: check the exact name, letter case included",
	} {
		if len(lines) == 0 || !strings.HasPrefix(lines[0], want) {
			t.Fatalf("expected %q, got %q", want, lines)
		}
		lines = lines[1:]
	}
	if exit != 2 || len(lines) > 0 || errs.String() != "klaviyo-export: failed: list\n" {
		t.Errorf("exit %d, %q, %s", exit, lines, &errs)
	}
}

// While requests are retried, the display says why and when the run gives up. Later it says whose error pages it reads.
func TestRetriesAtTerminal(t *testing.T) {
	plan := &simulator.Plan{Faults: []simulator.Fault{
		{On: "GET /api/lists", Do: "status", Status: 503, Headers: map[string]string{"Retry-After": "1"}},
		{
			On: "GET /api/profile-bulk-import-jobs/{id}/import-errors", Do: "status", Status: 502, As: "page",
			Headers: map[string]string{"Retry-After": "1"},
		},
		{Do: "fail", Times: -1, Addresses: []string{"bad@*"}, Code: "invalid", Detail: "Bad."},
	}}
	sim := simulator.New(simulator.Options{Wrap: described(t), JobTime: time.Millisecond, Plan: plan})
	sim.AddListAs("XyZ123", "News")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.Close() }()
	t.Setenv("KLAVIYO_API_KEY", "pk_retries")
	t.Setenv("TERM", "xterm")
	near, far := terminal(t)
	var out bytes.Buffer
	p := Program{In: strings.NewReader(`{"email":"bad@example.com"}` + "\n"), Out: &out, Err: near}
	exit := make(chan int, 1)
	go func() { // ends with the run
		exit <- p.Run([]string{"add", "--base-url", url, "--list-name", "News", "--wait"})
		_ = near.Close()
	}()
	printed, _ := io.ReadAll(far) // a closed terminal ends with an error
	if got := <-exit; got != 1 {
		t.Errorf("exit %d: %s", got, &out)
	}
	for _, want := range []string{
		`rows 0 · .*retrying: HTTP 503, gives up in 9m5\ds`,
		`rows 1 · .*retrying: HTTP 502, gives up in 59m5\ds`,
		`waiting: reading the error pages of 1 \[=*>?\] 100 % · gives up in 59m5\ds`,
	} {
		if !regexp.MustCompile(want).Match(printed) {
			t.Errorf("expected %q in %q", want, printed)
		}
	}
}
