package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// breaches is where the processes of the scripts note what goes against the API's description.
var breaches = filepath.Join(os.TempDir(), fmt.Sprintf("klaviyo-export-breaches-%d", os.Getpid()))

// suite fails when a script's process noted a breach.
type suite struct{ *testing.M }

func (s suite) Run() int {
	os.Setenv("BREACHES", breaches)
	code := s.M.Run()
	if text, err := os.ReadFile(breaches); err == nil {
		fmt.Fprintf(os.Stderr, "against the API's description:\n%s", text)
		_ = os.Remove(breaches)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){"klaviyo-export": func() {
		aroundSimulator = checked
		main()
	}})
}

// checked puts the API's description around the simulator of a script's process, which has no test to fail.
func checked(next http.Handler) http.Handler {
	handler, err := contract.Layer(next, func(breach error) {
		f, err := os.OpenFile(os.Getenv("BREACHES"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		fmt.Fprintln(f, breach)
	})
	if err != nil {
		panic(err)
	}
	return handler
}

// TestScripts runs testdata/script. A script finds the repository in $REPO, the environment has no API key, and
// these commands come on top of testscript's:
//
//	klaviyo [NAME…]  serves a simulated Klaviyo with lists of these names; $URL is its address, KLAVIYO_API_KEY is set
//	stalling [NAME…] is klaviyo, but imports are never answered; the file stalled is written when one has come
//	silent           listens at $URL, never answers, and writes the file connected when somebody comes
//	get PATH FILE    reads from $URL
func TestScripts(t *testing.T) {
	repo, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPO", repo)
			e.Setenv("BREACHES", breaches)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"klaviyo": klaviyo, "stalling": stalling, "silent": silent, "get": get},
	})
}

func klaviyo(ts *testscript.TestScript, _ bool, names []string) { serve(ts, checked, names) }

func stalling(ts *testscript.TestScript, _ bool, names []string) {
	stalled := ts.MkAbs("stalled")
	serve(ts, func(next http.Handler) http.Handler {
		next = checked(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				next.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_ = os.WriteFile(stalled, []byte("yes"), 0o600)
			<-r.Context().Done()
		})
	}, names)
}

func serve(ts *testscript.TestScript, around func(http.Handler) http.Handler, names []string) {
	sim := simulator.New(simulator.Options{Wrap: around})
	for _, name := range names {
		sim.AddList(name, "single_opt_in")
	}
	url, err := sim.Start("127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ts.Check(sim.Close()) })
	ts.Setenv("URL", url)
	ts.Setenv("KLAVIYO_API_KEY", "pk_script")
}

func silent(ts *testscript.TestScript, _ bool, _ []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("URL", "http://"+listener.Addr().String())
	connected := ts.MkAbs("connected")
	done := make(chan struct{})
	go func() { // ends when the listener is closed, which Defer waits for
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_ = os.WriteFile(connected, []byte("yes"), 0o600)
		}
	}()
	ts.Defer(func() { _ = listener.Close(); <-done })
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	res, err := http.Get(ts.Getenv("URL") + args[0])
	ts.Check(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}

// The README's first two commands are the newcomer's way in. What the first does is shown by the script first.txtar.
func TestReadmeBeginsWithTheTwoCommands(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "go ") {
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	want := []string{"go run . add --simulate --list-name Newsletter < testdata/profiles.ndjson", "go test ./..."}
	if len(commands) < 2 || commands[0] != want[0] || commands[1] != want[1] {
		t.Errorf("the README's commands are %q", commands)
	}
}
