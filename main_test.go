package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

var long = flag.Bool("long", false, "run the long tests too")

// breaches is the file in which the processes of the scripts record what the API's description does not allow.
var breaches = filepath.Join(os.TempDir(), fmt.Sprintf("klaviyo-export-breaches-%d", os.Getpid()))

// suite fails when a script's process recorded a breach.
type suite struct{ *testing.M }

func (s suite) Run() int {
	os.Setenv("BREACHES", breaches)
	code := s.M.Run()
	if text, err := os.ReadFile(breaches); err == nil {
		fmt.Fprintf(os.Stderr, "the API's description does not allow:\n%s", text)
		_ = os.Remove(breaches)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	// Scripts mostly wait for simulated jobs: more of them than there are processors run at once.
	_ = flag.Set("test.parallel", "8")
	testscript.Main(suite{m}, map[string]func(){
		"klaviyo-export": func() { os.Exit(run(checked)) },
		"await":          await,
		"foreground":     foreground,
	})
}

// checked compares what goes to a simulator and comes back with the API's description. A script's process has no
// test to fail, so it writes to the file breaches.
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

// The command line does what its help says: each script in testdata/script shows one promise.
//
// A script finds the repository in $REPO. The environment has no API key. The scripts have these commands of their
// own:
//
//	klaviyo [NAME…]   serves a simulated Klaviyo with lists of these names; sets $URL and KLAVIYO_API_KEY
//	stalling [NAME…]  is klaviyo, but imports are never answered; writes the file stalled when one has come
//	silent            listens at $URL, never answers, and writes the file connected when a client connects
//	get PATH FILE     saves what $URL answers
//
// Shell scripts also have await FILE [TEXT], which returns when the file has the text, or anything at all, and
// foreground COMMAND…, which becomes that command without the ignored SIGINT of a shell's background job.
func TestScripts(t *testing.T) { testscript.Run(t, scripts(t, "testdata/script")) }

// What goes wrong around the program (disk, input, signals) costs no row its result. The scripts in
// testdata/faults need a process of their own to show it.
func TestFaults(t *testing.T) { testscript.Run(t, scripts(t, "testdata/faults")) }

// The key is in no output, and other promises that take some hundred processes to show.
func TestLong(t *testing.T) {
	if !*long {
		t.Skip("only with -long")
	}
	testscript.Run(t, scripts(t, "testdata/long"))
}

// What query clients print, really or as recorded, goes in by the pipelines of the README.
func TestRecipes(t *testing.T) {
	if !*long {
		t.Skip("only with -long")
	}
	testscript.Run(t, withClients(t, "testdata/recipes"))
}

// Many processes at once, and engines that run the program as one of their steps, lose no row.
func TestMany(t *testing.T) {
	if !*long {
		t.Skip("only with -long")
	}
	testscript.Run(t, withClients(t, "testdata/many"))
}

// withClients is for scripts that need other programs. A script whose programs are not installed is skipped, but
// fails when the environment has RECIPES=all. Its conditions are all, for RECIPES=all; root; and duckdb, when
// $NODE_PATH has @duckdb/node-api. PostgreSQL's servers are on its $PATH.
func withClients(t *testing.T, dir string) testscript.Params {
	p := scripts(t, dir)
	servers, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		path := append([]string{e.Getenv("PATH"), "/usr/sbin"}, servers...)
		e.Setenv("PATH", strings.Join(path, string(filepath.ListSeparator)))
		e.Setenv("NODE_PATH", os.Getenv("NODE_PATH"))
		return setup(e)
	}
	p.Condition = func(name string) (bool, error) {
		switch name {
		case "all":
			return os.Getenv("RECIPES") == "all", nil
		case "duckdb":
			_, err := os.Stat(filepath.Join(os.Getenv("NODE_PATH"), "@duckdb", "node-api"))
			return err == nil, nil
		case "root":
			return os.Geteuid() == 0, nil
		}
		return false, fmt.Errorf("no condition %q", name)
	}
	return p
}

func scripts(t *testing.T, dir string) testscript.Params {
	repo, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPO", repo)
			e.Setenv("BREACHES", breaches)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"klaviyo": klaviyo, "stalling": stalling, "silent": silent, "get": get,
		},
	}
}

// await is a program for shell scripts: it returns when another process has written a file.
func await() {
	deadline := time.After(time.Minute)
	for tick := time.Tick(10 * time.Millisecond); ; {
		text, err := os.ReadFile(os.Args[1])
		if err == nil && len(text) > 0 && strings.Contains(string(text), strings.Join(os.Args[2:], " ")) {
			os.Exit(0)
		}
		select {
		case <-tick:
		case <-deadline:
			fmt.Fprintf(os.Stderr, "await %q: not after a minute\n", os.Args[1:])
			os.Exit(1)
		}
	}
}

// foreground is a program for shell scripts: it becomes the command of its arguments, which SIGINT stops as at a
// terminal. Shells start background jobs with SIGINT ignored.
func foreground() {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // a caught signal has its default effect after the next line
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		err = syscall.Exec(path, os.Args[1:], os.Environ())
	}
	fmt.Fprintf(os.Stderr, "foreground: %v\n", err)
	os.Exit(1)
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
	sim := simulator.New(simulator.Options{Wrap: around, Consent: simulator.Consent{Time: 10 * time.Millisecond}})
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

// A newcomer's first two commands are the README's first two. The script first.txtar shows what the first one does.
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

// The documents call query clients with the flags that the recipes show to be right.
func TestDocumentsCallClientsAsRecipesDo(t *testing.T) {
	recipes, clients := recipes(t), 0
	for _, section := range []struct{ file, title string }{
		{"README.md", "\n### From other clients\n"}, {"GUIDE.md", "\n## Send rows from your query client\n"},
	} {
		text, _ := os.ReadFile(section.file) // the section is in one of the two
		_, body, _ := strings.Cut(string(text), section.title)
		body, _, _ = strings.Cut(body, "\n## ")
		body = regexp.MustCompile(`\n +`).ReplaceAllString(body, " ") // one line per command
		for line := range strings.Lines(body) {
			client, _, found := strings.Cut(line, "klaviyo-export add")
			if !found || client == "" || strings.HasPrefix(client, "klaviyo-export") {
				continue
			}
			client, _, _ = strings.Cut(client, "select") // columns differ
			client, _, _ = strings.Cut(client, "{")
			if client = strings.TrimRight(client, " |&"); !strings.Contains(recipes, client) {
				t.Errorf("%s: no recipe has %q", section.file, client)
			}
			clients++
		}
	}
	if clients < 10 {
		t.Errorf("expected 10 clients or more in the documents, got %d", clients)
	}
}

// recipes returns the commands of all recipes.
func recipes(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("testdata/recipes/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, file := range files {
		script, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range script.Files {
			if f.Name == "recipe" {
				text.Write(f.Data)
			}
		}
	}
	return text.String()
}
