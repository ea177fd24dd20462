package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"klaviyo-export/report"
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
func TestScripts(t *testing.T) { testscript.Run(t, scripts(t, "testdata/script")) }

// TestRecipes runs testdata/recipes: what query clients print, really or as recorded, through the pipelines of the README.
func TestRecipes(t *testing.T) { testscript.Run(t, others(t, "testdata/recipes")) }

// TestMany runs testdata/many: the program as a step of engines that run many of it, and many of it at once.
func TestMany(t *testing.T) { testscript.Run(t, others(t, "testdata/many")) }

// others is for scripts that need programs of others: a script whose programs are not installed is skipped, but fails when the
// environment has RECIPES=all. Scripts have as conditions all, for that, root, and duckdb: $NODE_PATH has @duckdb/node-api. Servers are
// on their $PATH.
func others(t *testing.T, dir string) testscript.Params {
	p := scripts(t, dir)
	servers, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		e.Setenv("PATH", strings.Join(append([]string{e.Getenv("PATH"), "/usr/sbin"}, servers...), string(filepath.ListSeparator)))
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

// TestFaults runs testdata/faults: what goes wrong around the program, where a process of its own is needed to show it.
func TestFaults(t *testing.T) { testscript.Run(t, scripts(t, "testdata/faults")) }

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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"klaviyo": klaviyo, "stalling": stalling, "silent": silent, "get": get},
	}
}

var long = flag.Bool("long", false, "run the scripts in testdata/long too")

// TestLong runs testdata/long, which starts some hundred processes: go test . -run TestLong -long
func TestLong(t *testing.T) {
	if !*long {
		t.Skip("only with -long")
	}
	testscript.Run(t, scripts(t, "testdata/long"))
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

// A run that is killed at any moment is taken up from its own results: in the end every row has one, and everybody is on the list
// who should be, and nobody else.
func TestKilledRunsAreResumed(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	rows, want := killRows(30_000)
	whole := resumedRound(t, rows, want, time.Hour)
	for range 3 {
		resumedRound(t, rows, want, whole)
	}
}

// resumedRound runs a job over and over until it comes to its end, killing it after up to so long at first, and compares what the
// results say and who is on the list with what is wanted. It returns how long the last run took.
func resumedRound(t *testing.T, rows string, want []killRow, upTo time.Duration) (took time.Duration) {
	t.Helper()
	sim := simulator.New(simulator.Options{Wrap: checked, JobTime: time.Millisecond})
	defer func() { _ = sim.Close() }()
	list := sim.AddList("News", "single_opt_in")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	input, results := filepath.Join(dir, "rows"), filepath.Join(dir, "results")
	write(t, input, rows)
	write(t, results, "")
	kills := 0
	for exit := -1; exit == -1; kills++ {
		args := []string{"add", "--base-url", url, "--list-id", list, "--batch-delay", "10ms", "--concurrency", "2", "--resume", results}
		if kills%2 == 1 {
			args = append(args, "--wait")
		}
		begun := time.Now()
		exit = killed(t, args, input, results, rand.N(upTo)+time.Duration(kills)*upTo/4)
		took = time.Since(begun)
	}
	t.Logf("%d kills, the last run took %v", kills-1, took)
	text, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := report.OpenResults(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	on := map[string]bool{}
	for _, email := range sim.Members(list) {
		on[email] = true
	}
	for i, person := range want {
		last, ok, err := earlier.Of(int64(i + 1))
		if err != nil || !ok {
			t.Fatalf("row %d has no result: %v", i+1, err)
		}
		if got := last.Status.String(); got != person.status && !(person.status == "accepted" && got == "applied") {
			t.Fatalf("row %d is %s, not %s", i+1, got, person.status)
		}
		if person.status == "accepted" && !on[person.email] {
			t.Fatalf("row %d is not on the list", i+1)
		}
		delete(on, person.email)
	}
	if len(on) > 0 {
		t.Fatalf("on the list without a row: %v", on)
	}
	return took
}

type killRow struct{ email, status string }

// killRows returns rows, of which some are bad and some repeat others, with the statuses that they should get.
func killRows(n int) (string, []killRow) {
	var text strings.Builder
	want := make([]killRow, n)
	for i := range want {
		email := fmt.Sprintf("somebody%d@example.com", i)
		switch {
		case i%1000 == 17:
			want[i] = killRow{"", "rejected"}
			email = "nobody"
		case i%1000 == 500:
			want[i] = killRow{"", "skipped"}
			email = fmt.Sprintf("SOMEBODY%d@example.com", i-300)
		default:
			want[i] = killRow{email, "accepted"}
		}
		fmt.Fprintf(&text, `{"email":"%s","n":%d}`+"\n", email, i)
	}
	return text.String(), want
}

// killed runs klaviyo-export with results appended to a file, kills it after some time, and returns its exit status, -1 if it was killed.
func killed(t *testing.T, args []string, input, results string, after time.Duration) int {
	t.Helper()
	in, err := os.Open(input)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(results, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	command := exec.Command(self)
	command.Args = append([]string{"klaviyo-export"}, args...)
	command.Env = append(os.Environ(), "KLAVIYO_API_KEY=pk_killed", "BREACHES="+breaches)
	command.Stdin, command.Stdout, command.Stderr = in, out, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	_ = command.Wait()
	exit := command.ProcessState.ExitCode()
	if exit > 1 {
		t.Fatalf("exit %d: %s", exit, &said)
	}
	return exit
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A clock that is set forward by two hours four times a second, and back by as much in the end, neither ends a run nor holds it up, and its report has the true duration.
func TestClockSteps(t *testing.T) {
	if !*long {
		t.Skip("only with -long: it builds the standard library")
	}
	stepped := filepath.Join(t.TempDir(), "klaviyo-export")
	buildStepped(t, stepped)
	sim := simulator.New(simulator.Options{Wrap: checked, JobTime: time.Second, Plan: &simulator.Plan{Faults: []simulator.Fault{
		{On: "POST /api/profile-bulk-import-jobs", Do: "status", Status: 503, Times: 3},
		{On: "POST /api/profile-bulk-import-jobs", Do: "throttle", Skip: 3},
		{On: "GET /api/profile-bulk-import-jobs/{id}", Do: "status", Status: 500, Times: 2},
	}}})
	defer func() { _ = sim.Close() }()
	list := sim.AddList("News", "single_opt_in")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := killRows(50_000)
	command := exec.Command(stepped, "add", "--base-url", url, "--list-id", list, "--wait", "--concurrency", "1", "--max-invalid", "1%")
	command.Env = append(os.Environ(), "KLAVIYO_API_KEY=pk_script")
	command.Stdin = strings.NewReader(rows)
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	started := time.Now()
	err = command.Run()
	took := time.Since(started)
	rep, _, notRead := report.ReadStream("results", &out)
	if err != nil || notRead != nil {
		t.Fatalf("%v, %v: %s", err, notRead, &said)
	}
	if rep.Rows.Applied != 49_900 || rep.Requests.Retried != 4 || rep.Requests.Resent != 4 {
		t.Errorf("rows %+v, requests %+v: %s", rep.Rows, rep.Requests, &said)
	}
	if took > time.Minute || rep.Seconds < 3 || rep.Seconds > took.Seconds() {
		t.Errorf("the run took %v, its report says %v s", took, rep.Seconds)
	}
}

// buildStepped builds the program with a time.Now whose wall clock somebody keeps setting. What interposes on system calls does not reach it:
// the runtime reads the clock in the vdso.
func buildStepped(t *testing.T, binary string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const read = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), read) != 1 {
		t.Fatalf("%s reads the clock in another way", original)
	}
	dir := t.TempDir()
	patched := filepath.Join(dir, "time.go")
	write(t, patched, strings.Replace(string(text), read, read+"\tsec += 7200 * min(mono/250e6%40, 9*(39-mono/250e6%40))\n", 1))
	overlay := filepath.Join(dir, "overlay.json")
	write(t, overlay, fmt.Sprintf(`{"Replace":{%q:%q}}`, original, patched))
	build := exec.Command("go", "build", "-overlay", overlay, "-o", binary, ".")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

// The README calls the clients with the flags that the recipes show to be right.
func TestReadmeCallsClientsAsRecipesDo(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/recipes/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var recipes strings.Builder
	for _, file := range files {
		script, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range script.Files {
			if f.Name == "recipe" {
				recipes.Write(f.Data)
			}
		}
	}
	_, section, _ := strings.Cut(string(text), "\n### From other clients\n")
	section, _, _ = strings.Cut(section, "\n#")
	clients := 0
	for line := range strings.Lines(section) {
		client, _, found := strings.Cut(line, "klaviyo-export add")
		if !found {
			continue
		}
		client, _, _ = strings.Cut(client, "select") // columns are each one's own
		client, _, _ = strings.Cut(client, "{")
		if client = strings.TrimRight(client, " |&"); !strings.Contains(recipes.String(), client) {
			t.Errorf("no recipe has %q", client)
		}
		clients++
	}
	if clients < 10 {
		t.Errorf("the README has %d clients", clients)
	}
}

// Every flag of every command stands in the manual page.
func TestManualHasAllFlags(t *testing.T) {
	text, err := os.ReadFile("man/klaviyo-export.1")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := newParser(new(commands), io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), `\-`, "-")
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		switch n := node.(type) {
		case *kong.Flag:
			if !regexp.MustCompile(`Fl -(\\&)?` + n.Name + `\b`).MatchString(page) {
				t.Errorf("--%s is missing", n.Name)
			}
		case *kong.Command:
			if !strings.Contains(page, "Cm "+n.Name) && !strings.Contains(page, "Ic "+n.Name) {
				t.Errorf("the command %s is missing", n.Name)
			}
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
}
