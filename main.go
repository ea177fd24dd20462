// Command klaviyo-export adds the profiles that it reads as NDJSON to a Klaviyo list, or takes them off it,
// and says of every row what became of it.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/segmentio/encoding/json"
	"golang.org/x/term"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/validate"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error of the write, which the results of deliveries depend on
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(20) // little garbage is made, and memory stays flat
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

const (
	exitUsage = 2
	intro     = `Adds the profiles read from standard input, one JSON object a line, to a Klaviyo list, or takes them off it.
Writes one result line for every row and a report as the last line to standard output.`
	epilogue = `Exit status: 0 every row got there · 1 some did not · 2 could not run: mend something first ·
3 import jobs were not done in time · 4 Klaviyo or the network gave up: run again later · 130, 143 stopped by a signal`
)

// commands is the command line.
type commands struct {
	Add      addCommand      `cmd:"" help:"Add profiles to a list."`
	Remove   removeCommand   `cmd:"" help:"Take profiles off a list, by their profile_id."`
	Check    checkCommand    `cmd:"" help:"Check rows without sending anything."`
	Wait     waitCommand     `cmd:"" help:"Wait for the import jobs of an earlier run."`
	Doctor   doctorCommand   `cmd:"" help:"Check key, account and list, changing nothing."`
	Simulate simulateCommand `cmd:"" help:"Serve a local Klaviyo to try things on."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// console is what a command has of its surroundings.
type console struct {
	ctx    context.Context // ends with the first signal; it lives as long as the process
	abort  context.Context // ends with the second one
	in     io.Reader
	out    io.Writer
	err    io.Writer
	notice sync.Mutex
}

// note tells people something on standard error, as one line. It may be called at once.
func (c *console) note(text string) {
	c.notice.Lock()
	defer c.notice.Unlock()
	fmt.Fprintf(c.err, "klaviyo-export: %s\n", printable(text))
}

// aroundSimulator is nil but in tests, which put a check of the API's contract there.
var aroundSimulator func(http.Handler) http.Handler

// run is the whole program: it returns the exit status.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	var line commands
	left := false
	parser, err := kong.New(&line,
		kong.Name("klaviyo-export"), kong.Description(intro+"\n\n"+epilogue),
		kong.Writers(out, errs), kong.Exit(func(int) { left = true }),
		kong.Vars{
			"version":  "klaviyo-export " + version() + " " + runtime.Version(),
			"base_url": sink.DefaultBaseURL, "revision": sink.DefaultRevision,
		},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ExplicitGroups(groups),
	)
	if err != nil {
		panic(err)
	}
	c := &console{in: in, out: out, err: errs}
	defer c.heedSignals()()
	parsed, err := parser.Parse(args)
	if left {
		return 0 // --help or --version
	}
	if err != nil {
		c.note(err.Error())
		fmt.Fprintf(errs, "hint: klaviyo-export %s--help\n", commandOf(err))
		return exitUsage
	}
	return exit(c, parsed.Run(c))
}

// exit prints a command's error and returns its exit status.
func exit(c *console, err error) int {
	if err == nil {
		return 0
	}
	c.note(err.Error())
	if hint := pipeline.Hint(err); hint != "" {
		fmt.Fprintf(c.err, "hint: %s\n", printable(hint))
	}
	var ended *ended
	if errors.As(err, &ended) {
		return ended.status
	}
	return exitUsage
}

// ended is the error of a run that wrote its report, with the exit status that stands there.
type ended struct {
	error
	status int
}

func (e *ended) Unwrap() error { return e.error }

// commandOf names the command whose flags could not be parsed, with a blank behind it.
func commandOf(err error) string {
	var failed *kong.ParseError
	if errors.As(err, &failed) && failed.Context.Command() != "" {
		return failed.Context.Command() + " "
	}
	return ""
}

// heedSignals sets the console's contexts. The third signal finds the system's default again. It returns what
// gives the signals back.
func (c *console) heedSignals() (release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	abort, abandon := context.WithCancel(context.Background())
	c.ctx, c.abort = ctx, abort
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() { // ends with release, which waits for it
		defer close(done)
		first, ok := <-signals
		if !ok {
			return
		}
		c.note(fmt.Sprintf("%v: requests under way are let finish; a second signal gives them up", first))
		cancel(interruption(first))
		if _, ok := <-signals; ok {
			abandon()
			signal.Stop(signals)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
		cancel(nil)
		abandon()
	}
}

func interruption(s os.Signal) error {
	switch s {
	case os.Interrupt:
		return &pipeline.Interrupted{Signal: "SIGINT", ExitCode: 130}
	case syscall.SIGHUP:
		return &pipeline.Interrupted{Signal: "SIGHUP", ExitCode: 143}
	}
	return &pipeline.Interrupted{Signal: "SIGTERM", ExitCode: 143}
}

// version is the module's, with the commit where the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := strings.Trim(info.Main.Version, "()")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "devel" {
			v += "+" + s.Value[:min(len(s.Value), 12)]
		}
	}
	return cmp.Or(v, "devel")
}

// printable escapes what could work on a terminal instead of being shown.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '�'
		}
		return r
	}, text)
}

var groups = []kong.Group{
	{Key: "list", Title: "The list (one of the two):"},
	{Key: "rows", Title: "Rows:"},
	{Key: "sending", Title: "Sending:"},
	{Key: "klaviyo", Title: "Klaviyo:"},
}

// listFlags name the target.
type listFlags struct {
	ListID   string `group:"list" xor:"list" placeholder:"ID" help:"Id of the list."`
	ListName string `group:"list" xor:"list" placeholder:"NAME" help:"Exact name of the list."`
}

// rowFlags say what the rows hold.
type rowFlags struct {
	Map             map[string]string `group:"rows" mapsep:"none" placeholder:"COLUMN=TARGET" help:"Send a column as another attribute, location member, or properties.NAME. May be repeated."`
	Drop            []string          `group:"rows" sep:"none" placeholder:"COLUMN" help:"Leave a column out. May be repeated."`
	DefaultCountry  string            `group:"rows" placeholder:"CC" help:"Country of phone numbers that have no country code, as two letters, where the row has no country of its own."`
	Duplicates      string            `group:"rows" enum:"first,send" default:"first" placeholder:"first|send" help:"Of rows with the same email (for remove: profile_id) send only the first, or send them all (${default})."`
	DuplicateWindow int               `group:"rows" default:"1000000" placeholder:"ROWS" help:"Rows among which duplicates are found (${default})."`
}

// klaviyoFlags say where Klaviyo is and who asks.
type klaviyoFlags struct {
	APIKeyFile string `name:"api-key-file" group:"klaviyo" placeholder:"FILE" help:"File that holds the private API key. Without it the key is taken from the environment variable KLAVIYO_API_KEY."`
	BaseURL    string `name:"base-url" group:"klaviyo" default:"${base_url}" placeholder:"URL" help:"Klaviyo's address (${default})."`
	Revision   string `group:"klaviyo" default:"${revision}" placeholder:"DATE" help:"API revision (${default})."`
}

// sendFlags say how batches are sent.
type sendFlags struct {
	DryRun      bool          `group:"sending" help:"Look up key and list and check the rows, but send and create nothing."`
	Concurrency int           `group:"sending" default:"4" placeholder:"N" help:"Requests under way at once (${default})."`
	BatchDelay  time.Duration `group:"sending" default:"5s" placeholder:"DURATION" help:"How long a row waits for others to fill its request (${default})."`
	RateShare   int           `group:"sending" default:"100" placeholder:"PERCENT" help:"Share of Klaviyo's rate limits to use, 10 to 100 (${default}); the rest is left to the account's other integrations."`
	NoRateLimit bool          `group:"sending" help:"Do not pace requests; a 429 is still obeyed. For proxies that pace; refused for klaviyo.com."`
	RetryFor    time.Duration `group:"sending" default:"10m" placeholder:"DURATION" help:"How long failures are retried while nothing gets through (${default})."`
	Simulate    bool          `group:"klaviyo" help:"Send to a simulated Klaviyo inside this process: no key, no account, nothing leaves the machine."`
}

// waitFlags say how long jobs are waited for.
type waitFlags struct {
	WaitTimeout time.Duration `group:"sending" placeholder:"DURATION" help:"How long the job of each request is waited for, from 5m to 24h (1h)."`
	MaxOpenJobs int           `group:"sending" default:"256" placeholder:"N" help:"Requests whose jobs are waited for at once (${default}); it bounds memory."`
}

// transferFlags are those that add and remove share.
type transferFlags struct {
	listFlags
	Wait bool `group:"sending" help:"Wait until Klaviyo has worked off the import jobs, and report what became of each row. A removal is done when it is answered."`
	waitFlags
	rowFlags
	sendFlags
	klaviyoFlags
}

type addCommand struct {
	transferFlags
	OptIn string `group:"list" enum:"single,double," default:"" placeholder:"PROCESS" help:"Opt-in process of a list that is created: single or double. Otherwise the account's default."`
}

func (a *addCommand) Help() string {
	return `A list that no name finds is created when the first rows are ready to go.
Joining a list is not consent: suppressed profiles stay suppressed. Flows that start with the list may start.

Example:
  psql -AtXqc "select row_to_json(t) from (select email, first_name from customers) t" |
    klaviyo-export add --list-name Newsletter > results.ndjson`
}

type removeCommand struct{ transferFlags }

func (*removeCommand) Help() string {
	return `Consent stays as it is: nobody is unsubscribed. A list that no name finds is an error.

Example:
  duckdb -jsonlines shop.db -c "select profile_id from lapsed" |
    klaviyo-export remove --list-id XyZ123 > results.ndjson`
}

type checkCommand struct {
	Operation string `enum:"add,remove" default:"add" help:"What the rows are for: add or remove (${default})."`
	rowFlags
}

func (*checkCommand) Help() string {
	return `Good rows get the status valid. Nothing is contacted and no key is needed.

Example:
  klaviyo-export check < customers.ndjson | jq -c 'select(.status=="rejected")'`
}

type simulateCommand struct {
	Addr        string        `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Loopback address to listen on; port 0 picks a free one (${default})."`
	NoRateLimit bool          `help:"Answer any number of requests."`
	JobTime     time.Duration `default:"1s" placeholder:"DURATION" help:"How long a job is queued, and as long again processing (${default})."`
	Ledger      bool          `help:"Keep account of who reached which list by which job, for GET /simulator/ledger."`
	Plan        string        `placeholder:"FILE" help:"What is to go wrong: a YAML file such as testdata/plan.yaml, which explains itself."`
}

func (*simulateCommand) Help() string {
	return `Prints one line with its URL when it listens, and serves until it is stopped.
GET /simulator/lists and /simulator/lists/ID/profiles show all it holds. Any key but "invalid" is taken.`
}

type waitCommand struct {
	waitFlags
	klaviyoFlags
}

func (*waitCommand) Help() string {
	return `Reads results on standard input. Rows that are accepted there get their final status; all others are passed on as they are.

Example:
  klaviyo-export wait < results.ndjson > final.ndjson`
}

type doctorCommand struct {
	ListID   string `group:"list" xor:"list" placeholder:"ID" help:"Id of a list to look up."`
	ListName string `group:"list" xor:"list" placeholder:"NAME" help:"Exact name of a list to look up."`
	klaviyoFlags
}

func (*doctorCommand) Help() string {
	return `Prints a line for each thing that was looked at. Exit status 0 when all is well, 2 when not.

Example:
  klaviyo-export doctor --list-name Newsletter`
}

func (a *addCommand) Run(c *console) error {
	optIn := map[string]string{"single": "single_opt_in", "double": "double_opt_in"}[a.OptIn]
	return a.transfer(c, validate.Add, sink.ListRef{ID: a.ListID, Name: a.ListName, Create: true, OptIn: optIn})
}

func (r *removeCommand) Run(c *console) error {
	return r.transfer(c, validate.Remove, sink.ListRef{ID: r.ListID, Name: r.ListName})
}

func (w *waitCommand) Run(c *console) error {
	job := &pipeline.Job{Version: version()}
	if err := w.waitFlags.set(job, true); err != nil {
		return err
	}
	client, err := w.client(c, job)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(c.abort, client.Abort)()
	rep, err := pipeline.Wait(c.ctx, job, c.in, c.out)
	if err != nil {
		return &ended{err, rep.ExitCode}
	}
	return nil
}

func (d *doctorCommand) Run(c *console) error {
	var job pipeline.Job
	client, err := d.client(c, &job)
	if err != nil {
		return err
	}
	defer client.Close()
	if job.Err != nil {
		return job.Err
	}
	return doctor(c, client, sink.ListRef{ID: d.ListID, Name: d.ListName})
}

// doctor prints what is found and fails when anything of it is wrong.
func doctor(c *console, client *sink.Client, list sink.ListRef) error {
	failed := 0
	for finding := range client.Examine(c.ctx, list) {
		if !finding.OK {
			failed++
		}
		line, err := json.Append(nil, finding, 0)
		if err != nil {
			return err
		}
		if _, err := c.out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	if c.ctx.Err() != nil {
		return stopped(c.ctx)
	}
	if failed > 0 {
		return fmt.Errorf("%d of the checks failed", failed)
	}
	return nil
}

func (k *checkCommand) Run(c *console) error {
	operation := validate.Add
	if k.Operation == validate.Remove.String() {
		operation = validate.Remove
	}
	job, err := k.job(operation)
	if err != nil {
		return err
	}
	job.Concurrency, job.BatchDelay = 1, time.Second
	return work(c, job)
}

func (s *simulateCommand) Run(c *console) error {
	if s.JobTime <= 0 {
		return errors.New("--job-time must be above 0")
	}
	options := simulator.Options{RateLimits: !s.NoRateLimit, JobTime: s.JobTime, Ledger: s.Ledger, Wrap: aroundSimulator}
	if s.Plan != "" {
		text, err := os.Open(s.Plan)
		if err != nil {
			return fmt.Errorf("read the plan of faults: %w", err)
		}
		options.Plan, err = simulator.ReadPlan(text)
		_ = text.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", s.Plan, err)
		}
	}
	sim := simulator.New(options)
	url, err := sim.Start(s.Addr)
	if err != nil {
		return err
	}
	defer sim.Close()
	if _, err := fmt.Fprintf(c.out, `{"type":"simulator","url":"%s"}`+"\n", url); err != nil {
		return err
	}
	<-c.ctx.Done()
	return stopped(c.ctx)
}

// stopped is the error of a command that a signal has ended.
func stopped(ctx context.Context) error {
	var signal *pipeline.Interrupted
	if errors.As(context.Cause(ctx), &signal) {
		return &ended{signal, signal.ExitCode}
	}
	return context.Cause(ctx)
}

// job begins a job with what the rows' flags say.
func (f *rowFlags) job(operation validate.Operation) (*pipeline.Job, error) {
	if f.DuplicateWindow < 1 || f.DuplicateWindow > 100_000_000 {
		return nil, errors.New("--duplicate-window must be from 1 to 100000000")
	}
	for _, name := range f.Drop {
		if strings.Contains(name, ",") {
			return nil, fmt.Errorf("--drop %s: one column each; repeat the flag for more", name)
		}
	}
	checker, err := validate.New(validate.Options{Operation: operation, DefaultCountry: f.DefaultCountry, Map: f.Map, Drop: f.Drop})
	if err != nil {
		return nil, err
	}
	job := &pipeline.Job{Operation: operation, Checker: checker, Version: version()}
	if f.Duplicates == "first" {
		job.Window = f.DuplicateWindow
	}
	return job, nil
}

// transfer runs add and remove.
func (f *transferFlags) transfer(c *console, operation validate.Operation, list sink.ListRef) error {
	job, err := f.job(operation)
	if err != nil {
		return err
	}
	if err := f.check(&f.klaviyoFlags, list); err != nil {
		return err
	}
	if err := f.set(job, f.Wait); err != nil {
		return err
	}
	options := f.options(c)
	options.Concurrency, options.RateShare, options.RetryFor = f.Concurrency, f.RateShare, f.RetryFor
	if f.NoRateLimit {
		options.RateShare = 0
	}
	if f.Simulate {
		sim := simulator.New(simulator.Options{RateLimits: !f.NoRateLimit, Wrap: aroundSimulator})
		if options.BaseURL, err = sim.Start("127.0.0.1:0"); err != nil {
			return err
		}
		defer sim.Close()
		options.Key = "simulated"
		c.note("simulating Klaviyo: nothing leaves this machine")
	} else {
		options.Key, job.Err = f.key()
	}
	client, err := sink.New(options)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(c.abort, client.Abort)()
	job.Client, job.List = client, list
	job.DryRun, job.Concurrency, job.BatchDelay = f.DryRun, f.Concurrency, f.BatchDelay
	return work(c, job)
}

// work does a job and returns its error with the exit status that its report carries.
func work(c *console, job *pipeline.Job) error {
	if f, ok := c.in.(*os.File); ok && job.Err == nil && term.IsTerminal(int(f.Fd())) {
		c.note("waiting for rows on standard input, one JSON object a line; end with Ctrl-D")
	}
	rep, err := pipeline.Run(c.ctx, job, c.in, c.out)
	if job.DryRun && err == nil && rep.List.ID == "" {
		c.note(fmt.Sprintf("list %q does not exist: add would create it", rep.List.Name))
	}
	if err != nil {
		return &ended{err, rep.ExitCode}
	}
	return nil
}

// set puts the flags into a job.
func (f *waitFlags) set(job *pipeline.Job, wait bool) error {
	switch {
	case f.WaitTimeout != 0 && !wait:
		return errors.New("--wait-timeout needs --wait")
	case f.WaitTimeout != 0 && (f.WaitTimeout < 5*time.Minute || f.WaitTimeout > 24*time.Hour):
		return errors.New("--wait-timeout must be from 5m to 24h")
	case f.MaxOpenJobs < 1 || f.MaxOpenJobs > 10_000:
		return errors.New("--max-open-jobs must be from 1 to 10000")
	}
	job.Wait, job.WaitTimeout, job.MaxOpenJobs = wait, cmp.Or(f.WaitTimeout, time.Hour), f.MaxOpenJobs
	return nil
}

// options are what all clients have in common.
func (f *klaviyoFlags) options(c *console) sink.Options {
	return sink.Options{BaseURL: f.BaseURL, Revision: f.Revision, UserAgent: "klaviyo-export/" + version(), Notice: c.note}
}

// client makes the client of a command that only asks Klaviyo, and puts it into the job with what is wrong with the key.
func (f *klaviyoFlags) client(c *console, job *pipeline.Job) (*sink.Client, error) {
	options := f.options(c)
	options.Concurrency, options.RateShare, options.RetryFor = 1, 100, time.Minute
	options.Key, job.Err = f.key()
	client, err := sink.New(options)
	if err != nil {
		return nil, err
	}
	job.Client = client
	return client, nil
}

// check finds the mistakes in flags that their types allow.
func (f *sendFlags) check(far *klaviyoFlags, list sink.ListRef) error {
	switch {
	case list.ID == "" && list.Name == "":
		return errors.New("missing flags: --list-id=ID or --list-name=NAME")
	case f.Concurrency < 1 || f.Concurrency > 100:
		return errors.New("--concurrency must be from 1 to 100")
	case f.BatchDelay < 10*time.Millisecond || f.BatchDelay > time.Hour:
		return errors.New("--batch-delay must be from 10ms to 1h")
	case f.RateShare < 10 || f.RateShare > 100:
		return errors.New("--rate-share must be from 10 to 100")
	case f.NoRateLimit && !f.Simulate && sink.IsKlaviyo(far.BaseURL):
		return errors.New("--no-rate-limit is refused for klaviyo.com: its quota would be overrun")
	case f.RetryFor < 0:
		return errors.New("--retry-for must not be negative")
	case f.Simulate && (far.BaseURL != sink.DefaultBaseURL || far.APIKeyFile != ""):
		return errors.New("--simulate takes neither --base-url nor --api-key-file")
	}
	return nil
}

// key reads the API key from its file or the environment. Its errors never hold the key.
func (f *klaviyoFlags) key() (string, error) {
	key, from := os.Getenv("KLAVIYO_API_KEY"), "the environment variable KLAVIYO_API_KEY"
	if f.APIKeyFile != "" {
		text, err := os.ReadFile(f.APIKeyFile)
		if err != nil {
			return "", &pipeline.Error{Text: "read the API key: " + err.Error(), Hint: "the file given by --api-key-file holds the key and nothing else"}
		}
		key, from = string(text), "the file "+f.APIKeyFile
	}
	key = strings.TrimSpace(key)
	if key == "" {
		return "", &pipeline.Error{Text: "no API key: " + from + " is empty or not there", Hint: "set KLAVIYO_API_KEY or give --api-key-file FILE; with --simulate no key is needed"}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &pipeline.Error{Text: "the API key in " + from + " holds blanks or characters that no key has", Hint: "it should hold the private API key alone, on one line"}
	}
	return key, nil
}
