// Command klaviyo-export adds the profiles that it reads as NDJSON to a Klaviyo list, or takes them off it,
// and says of every row what became of it.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/segmentio/encoding/json"
	"golang.org/x/term"

	"klaviyo-export/pipeline"
	"klaviyo-export/pipeline/job"
	"klaviyo-export/pipeline/schedule"
	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/validate"
)

func main() {
	// A closed pipe is an error of the write, which the results of deliveries depend on. The signal is not ignored, as
	// the commands that schedule starts would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(-1)
		headroom = make([]byte, 96<<20)
		time.AfterFunc(collectAfter, func() {
			debug.SetGCPercent(5)
			debug.FreeOSMemory() // what the start left behind
		})
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// headroom is never touched, so it takes no memory, but the garbage collector counts it: a small heap is not collected every
// millisecond then, and a large one hardly grows. Garbage takes 5 to 8 MB as a rule. Collecting begins when the start is over.
//
//lint:ignore U1000 the garbage collector counts it
var headroom []byte

const collectAfter = 15 * time.Millisecond

const (
	exitUsage = 2
	intro     = `Adds the profiles read from standard input, one JSON object a line, to a Klaviyo list, or takes them off it.
Writes one result line for every row and a report as the last line to standard output.`
	epilogue = `Exit status: 0 every row was taken, or skipped as a duplicate · 1 some were not · 2 could not run: mend something first ·
3 import jobs were not done in time · 4 Klaviyo or the network gave up: run again later · 130, 143 stopped by a signal`
)

// commands is the command line.
type commands struct {
	Add      addCommand      `cmd:"" help:"Add profiles to a list."`
	Remove   removeCommand   `cmd:"" help:"Take profiles off a list, by their profile_id."`
	Run      runCommand      `cmd:"" help:"Add or remove as the settings of a Treasure Data export say."`
	Check    checkCommand    `cmd:"" help:"Check rows without sending anything."`
	Wait     waitCommand     `cmd:"" help:"Wait for the import jobs of an earlier run."`
	Pick     pickCommand     `cmd:"" help:"Pass on rows by the status of their earlier results."`
	Report   reportCommand   `cmd:"" help:"Merge the reports of runs and show them as text, a page, or metrics."`
	Schedule scheduleCommand `cmd:"" help:"Run a command at the times of a Treasure Data cron schedule."`
	Doctor   doctorCommand   `cmd:"" help:"Check key, account and list, changing nothing."`
	Simulate simulateCommand `cmd:"" help:"Serve a local Klaviyo to try things on."`

	Completion kongcompletion.Completion `cmd:"" help:"Tell how to have a shell complete commands and flags (bash, zsh, fish)."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// console is what a command has of its surroundings.
type console struct {
	ctx   context.Context // ends with the first signal; it lives as long as the process
	abort context.Context // ends with the second one
	in    io.Reader
	out   io.Writer

	underWay atomic.Value // what a signal lets finish, for people

	mu    sync.Mutex
	err   io.Writer
	quiet bool
	log   *slog.Logger // nil: people read standard error
}

// note tells people something on standard error, as one line. It may be called at once.
func (c *console) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.quiet:
	case c.log != nil:
		c.log.Warn(text)
	default:
		fmt.Fprintf(c.err, "klaviyo-export: %s\n", report.Discreet(text))
	}
}

// fail tells people of an error and, unless hint is empty, what to do about it.
func (c *console) fail(text, hint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.log != nil && hint == "":
		c.log.Error(text)
	case c.log != nil:
		c.log.Error(text, "hint", hint)
	default:
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintf(c.err, "klaviyo-export: %s\n", report.Discreet(line))
		}
		if hint != "" {
			fmt.Fprintf(c.err, "hint: %s\n", report.Discreet(hint))
		}
	}
}

// expect tells somebody at a terminal that a command waits for its input.
func (c *console) expect(what string) {
	if isTerminal(c.in) {
		c.note("waiting for " + what + " on standard input; end with Ctrl-D")
	}
}

// aroundSimulator is nil but in tests, which put a check of the API's contract there.
var aroundSimulator func(http.Handler) http.Handler

// run is the whole program: it returns the exit status.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	left := false
	parser, err := newParser(new(commands), out, errs, func(int) { left = true })
	if err != nil {
		panic(err)
	}
	if kongcompletion.Register(parser); left {
		return 0 // a shell asked for completions
	}
	c := &console{in: in, out: out, err: errs}
	c.underWay.Store("requests under way are let finish; a second signal gives them up")
	defer c.heedSignals()()
	parsed, err := parser.Parse(args)
	if left {
		return 0 // --help or --version
	}
	if err != nil {
		command := commandOf(err)
		hint := "klaviyo-export " + command + "--help"
		if strings.HasPrefix(err.Error(), "unexpected argument") && slices.Contains([]string{"add ", "remove ", "run ", "check ", "wait ", "pick "}, command) {
			hint = "rows and results come by standard input: klaviyo-export … < FILE; " + hint
		}
		c.fail(err.Error(), hint)
		return exitUsage
	}
	return exit(c, parsed.Run(c))
}

func newParser(line *commands, out, errs io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(line,
		kong.Name("klaviyo-export"), kong.Description(intro+"\n\n"+epilogue),
		kong.Writers(out, errs), kong.Exit(exit),
		kong.Vars{
			"version":  "klaviyo-export " + version() + " " + runtime.Version(),
			"base_url": sink.DefaultBaseURL, "revision": sink.DefaultRevision,
		},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ExplicitGroups(groups),
	)
}

// exit prints a command's error and returns its exit status.
func exit(c *console, err error) int {
	if err == nil {
		return 0
	}
	var ended *ended
	if !errors.As(err, &ended) {
		c.fail(err.Error(), pipeline.Hint(err))
		return exitUsage
	}
	if ended.error != nil {
		c.fail(err.Error(), pipeline.Hint(err))
	}
	return ended.status
}

// ended is the error of a command with an exit status of its own. Without an error there is nothing to tell.
type ended struct {
	error
	status int
}

func (e *ended) Unwrap() error { return e.error }

// commandOf names the command whose flags could not be parsed, with a blank behind it.
func commandOf(err error) string {
	var failed *kong.ParseError
	if errors.As(err, &failed) && failed.Context.Command() != "" {
		name, _, _ := strings.Cut(failed.Context.Command(), " ")
		return name + " "
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
		cancel(interruption(first))
		go c.note(fmt.Sprintf("%v: %s", first, c.underWay.Load())) // nobody waits for it: standard error may be stuck
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

var groups = []kong.Group{
	{Key: "list", Title: "The list (one of the two):"},
	{Key: "rows", Title: "Rows:"},
	{Key: "sending", Title: "Sending:"},
	{Key: "klaviyo", Title: "Klaviyo:"},
	{Key: "settings", Title: "Settings:"},
	{Key: "runs", Title: "Runs:"},
	{Key: "looking", Title: "Instead of running:"},
	{Key: "messages", Title: "Messages on standard error:"},
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
	MaxInvalid      pipeline.Bound    `group:"rows" default:"0" placeholder:"N|N%" help:"How many rows may be rejected, here or by Klaviyo, without the run counting as failed, as a number or a share of the rows read (${default})."`
	StopOnInvalid   bool              `group:"rows" help:"Stop at the first rejected row beyond --max-invalid. A share is looked at from 1,000 rows on."`
	ExpectRows      *int64            `group:"rows" placeholder:"N" help:"How many rows there should be: any other number is an error at the end, or before anything is sent with --check-first."`
}

// klaviyoFlags say where Klaviyo is and who asks.
type klaviyoFlags struct {
	token         string // from settings
	fromSettings  bool
	holders       []string // files of settings, which may hold the key
	APIKeyFile    string   `name:"api-key-file" group:"klaviyo" placeholder:"FILE" help:"File that holds the private API key. Without it the key is taken from the environment variable KLAVIYO_API_KEY."`
	AllowInsecure bool     `group:"klaviyo" help:"Take a --base-url with http on another machine too: the key and the rows go there unencrypted. Certificates are checked all the same."`
	BaseURL       string   `name:"base-url" group:"klaviyo" default:"${base_url}" placeholder:"URL" help:"Klaviyo's address (${default})."`
	Revision      string   `group:"klaviyo" default:"${revision}" placeholder:"DATE" help:"API revision (${default})."`
}

// sendFlags say how batches are sent.
type sendFlags struct {
	CheckFirst  bool          `group:"sending" help:"Read and check all rows before the first is sent; when more than --max-invalid are rejected, or their number is not --expect-rows, nothing is sent. What comes by a pipe is kept in a temporary file meanwhile."`
	Resume      string        `group:"sending" placeholder:"RESULTS" help:"File with the results of a run that did not come to its end. Rows with a final result there (applied, accepted, skipped, rejected) are neither sent nor printed again."`
	DryRun      bool          `group:"sending" help:"Look up key and list and check the rows, but send and create nothing."`
	Concurrency int           `group:"sending" default:"4" placeholder:"N" help:"Requests under way at once (${default})."`
	BatchDelay  time.Duration `group:"sending" default:"5s" placeholder:"DURATION" help:"How long a row waits for others to fill its request (${default})."`
	RateShare   int           `group:"sending" default:"100" placeholder:"PERCENT" help:"Share of Klaviyo's rate limits to use, 10 to 100 (${default}); the rest is left to the account's other integrations."`
	NoRateLimit bool          `group:"sending" help:"Do not pace requests; a 429 is still obeyed. For proxies that pace; refused for klaviyo.com."`
	RetryFor    time.Duration `group:"sending" default:"10m" placeholder:"DURATION" help:"How long failures are retried while nothing gets through (${default})."`
	Simulate    bool          `group:"klaviyo" help:"Send to a simulated Klaviyo inside this process: no key, no account, nothing leaves the machine. It has the list, unless add creates it."`
}

// waitFlags say how long jobs are waited for.
type waitFlags struct {
	WaitTimeout time.Duration `group:"sending" placeholder:"DURATION" help:"How long the job of each request is waited for, from 5m to 24h (1h)."`
	MaxOpenJobs int           `group:"sending" default:"256" placeholder:"N" help:"Requests whose jobs are waited for at once (${default}); it bounds memory."`
}

// messageFlags say what people are told while a command works.
type messageFlags struct {
	Quiet     bool   `group:"messages" help:"Tell nothing but errors. Otherwise standard error shows the progress where it is a terminal and standard output is none."`
	LogFormat string `group:"messages" enum:"text,json," default:"" placeholder:"text|json" help:"Write events instead of messages, with the progress every 30 seconds: for runs that nobody watches."`
}

// transferFlags are those that add, remove and run share.
type transferFlags struct {
	listFlags
	Wait bool `group:"sending" negatable:"" help:"Wait until Klaviyo has worked off the import jobs, and report what became of each row. A removal is done when it is answered."`
	waitFlags
	rowFlags
	sendFlags
	klaviyoFlags
	messageFlags
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

type runCommand struct {
	Settings string            `arg:"" help:"YAML file of result_settings, or a digdag workflow (.dig)."`
	Task     string            `group:"settings" placeholder:"+NAME" help:"Task of the workflow, where several export to Klaviyo."`
	Set      map[string]string `group:"settings" mapsep:"none" placeholder:"NAME=VALUE" help:"Value of a variable $${NAME}. May be repeated."`
	Secrets  string            `group:"settings" placeholder:"FILE" help:"YAML file in which $${secret:NAME} is looked up before the environment (a.b is A_B there)."`
	Print    bool              `group:"settings" help:"Print the equivalent command line, without the key, and do nothing."`
	Schedule bool              `group:"runs" help:"Instead of reading rows, run COMMAND at the times of the workflow's own schedule section, as the command schedule does."`
	runFlags
	Command []string `arg:"" optional:"" passthrough:"partial" help:"With --schedule: command to run, after --."`
	addCommand
}

func (*runCommand) Help() string {
	return `Rows are read from standard input: the query of a workflow's task is not run. Flags win over the settings.

Example:
  td query -w -T presto -d shop -f json -c -o rows.json -q export_data.sql &&
    klaviyo-export run export.dig --secrets secrets.yml < rows.json > results.ndjson
  klaviyo-export run --schedule export.dig -- ./export.sh`
}

type scheduleCommand struct {
	Cron     string   `arg:"" help:"Five fields as one argument: minute, hour, day of month, month, day of week; or @hourly, @daily and the like; or \"\" for never."`
	Command  []string `arg:"" optional:"" passthrough:"partial" help:"Command to run, after --."`
	Timezone string   `default:"UTC" placeholder:"ZONE" help:"IANA name of the time zone, such as Asia/Tokyo (${default})."`

	Delay          int64         `group:"runs" placeholder:"SECONDS" help:"Start each run so much later than scheduled."`
	SkipOnOvertime bool          `group:"runs" help:"Leave out runs whose time comes while another one is under way. Otherwise they follow one by one."`
	SkipDelayedBy  time.Duration `group:"runs" placeholder:"DURATION" help:"Leave out runs that are later than this."`
	Start          schedule.Date `group:"runs" placeholder:"DATE" help:"First day, YYYY-MM-DD."`
	End            schedule.Date `group:"runs" placeholder:"DATE" help:"Last day, YYYY-MM-DD."`
	runFlags

	Next    int    `group:"looking" placeholder:"N" help:"Print the next N times, and run nothing."`
	From    string `group:"looking" placeholder:"TIME" help:"With --next: the times after this one, RFC 3339 or YYYY-MM-DD[THH:MM[:SS]] by the zone's clocks. Otherwise after now."`
	Explain bool   `group:"looking" help:"Say in words when it fires, and where other crons would differ."`
	Export  string `group:"looking" enum:"crontab,systemd,kubernetes," default:"" placeholder:"SYSTEM" help:"Print the same schedule for crontab, systemd or kubernetes, if it can be said there."`
}

// runFlags say how scheduled runs are looked after.
type runFlags struct {
	GiveUpAfter int    `group:"runs" default:"5" placeholder:"N" help:"End after so many runs in a row with exit status 2, which something has to be mended for first; 0 is never (${default})."`
	Log         string `group:"runs" placeholder:"FILE" help:"Append a JSON line for each run to this file. Otherwise standard error has them."`
}

func (*scheduleCommand) Help() string {
	return `The command finds its time in SCHEDULED_TIME and SCHEDULED_UNIXTIME. Of a day of month and a day of week that are both
restricted, the one that fires more often counts. SIGTERM lets the run under way finish; a second one is passed on to it.

Examples:
  klaviyo-export schedule --timezone Asia/Tokyo '30 6 * * *' -- ./export.sh
  klaviyo-export schedule --next 5 --timezone Europe/Berlin '0 0 1 * 1'`
}

type checkCommand struct {
	Operation string `enum:"add,remove" default:"add" placeholder:"add|remove" help:"What the rows are for: add or remove (${default})."`
	rowFlags
	messageFlags
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
GET /simulator/lists and /simulator/lists/ID/profiles show all it holds. Any key but "invalid" is taken.

Example:
  klaviyo-export simulate --addr 127.0.0.1:8025 &
  KLAVIYO_API_KEY=any klaviyo-export add --base-url http://127.0.0.1:8025 --list-name X < customers.ndjson`
}

type waitCommand struct {
	waitFlags
	klaviyoFlags
	messageFlags
}

func (*waitCommand) Help() string {
	return `Reads results on standard input. Rows that are accepted there get their final status; all others are passed on as they are.

Example:
  klaviyo-export wait < results.ndjson > final.ndjson`
}

type pickCommand struct {
	Status  []string `enum:"applied,accepted,skipped,rejected,unknown,unsent,valid,missing" default:"rejected,unknown,unsent,missing" placeholder:"STATUS" help:"Which rows: applied, accepted, skipped, rejected, unknown, unsent, valid, or missing for those without a result (${default})."`
	Results string   `arg:"" help:"File with the results of the run that read the same input."`
}

func (*pickCommand) Help() string {
	return `Reads the input of an earlier run on standard input and prints rows of it as they are. Where RESULTS has several lines for a row, the
last one counts.

Example:
  klaviyo-export pick --status unknown,unsent results.ndjson < customers.ndjson |
    klaviyo-export add --list-name Newsletter > again.ndjson`
}

type reportCommand struct {
	Format string   `enum:"json,text,html,prometheus" default:"json" placeholder:"FORMAT" help:"json, text, html for one page with charts, or prometheus for the node exporter's textfile collector (${default})."`
	Files  []string `arg:"" optional:"" name:"file" help:"Results or reports of one run or of many; - or none is standard input."`
}

func (*reportCommand) Help() string {
	return `The exit status is that of the merged report: the worst of all.

Examples:
  klaviyo-export report --format text results.ndjson
  klaviyo-export report --format html part-*.ndjson > report.html`
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

func (r *runCommand) Run(c *console, line *kong.Context) error {
	if r.Schedule {
		return r.atTimes(c, line)
	}
	if len(r.Command) > 0 {
		return fmt.Errorf("unexpected argument %s: a command needs --schedule", r.Command[0])
	}
	if r.Log != "" || r.GiveUpAfter != schedule.DefaultGiveUpAfter {
		return errors.New("--log and --give-up-after need --schedule")
	}
	keyless := r.Print || r.Simulate || r.APIKeyFile != ""
	settings, err := job.Read(r.Settings, job.Options{Task: r.Task, Set: r.Set, Secrets: r.Secrets, Env: os.LookupEnv, Keyless: keyless})
	if err != nil {
		return err
	}
	var more []string
	given := map[string]bool{}
	for _, step := range line.Path {
		if step.Flag == nil || given[step.Flag.Name] {
			continue
		}
		given[step.Flag.Name] = true
		if !slices.Contains(settingsFlags, step.Flag.Name) {
			more = append(more, words(step.Flag, line.FlagValue(step.Flag))...)
		}
	}
	if given["list-id"] || given["list-name"] {
		settings.ListID, settings.ListName = r.ListID, r.ListName
	}
	if given["wait"] {
		settings.Wait = r.Wait
	}
	if given["wait-timeout"] {
		settings.WaitTimeout = r.WaitTimeout
	}
	switch {
	case settings.Wait:
	case given["wait-timeout"]:
		return errors.New("--wait-timeout needs --wait")
	default:
		settings.WaitTimeout = 0
	}
	remove := settings.Operation == validate.Remove.String()
	if remove && given["opt-in"] {
		return errors.New("--opt-in is for lists that are created, and remove creates none")
	}
	r.ListID, r.ListName, r.Wait, r.WaitTimeout = settings.ListID, settings.ListName, settings.Wait, settings.WaitTimeout
	r.token, r.fromSettings, r.holders = settings.Key, true, []string{r.Settings, r.Secrets}
	switch {
	case r.Print:
		if err := r.valid(); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.out, settings.CommandLine(more...))
		return err
	case remove:
		return (&removeCommand{r.transferFlags}).Run(c)
	}
	return r.addCommand.Run(c)
}

// valid finds the mistakes in flags without doing anything.
func (f *transferFlags) valid() error {
	if _, err := f.job(validate.Add); err != nil {
		return err
	}
	if err := f.check(&f.klaviyoFlags, sink.ListRef{ID: f.ListID, Name: f.ListName}); err != nil {
		return err
	}
	return f.set(new(pipeline.Options), f.Wait)
}

// atTimes runs a command by the schedule of a workflow.
func (r *runCommand) atTimes(c *console, line *kong.Context) error {
	for _, step := range line.Path {
		if step.Flag != nil && !slices.Contains([]string{"schedule", "print", "log", "give-up-after"}, step.Flag.Name) {
			return fmt.Errorf("--%s has no effect with --schedule: give it to COMMAND", step.Flag.Name)
		}
	}
	plan, err := schedule.FromWorkflow(r.Settings)
	if err != nil {
		return err
	}
	if r.Print {
		for _, line := range plan.Explain(time.Now()) {
			if _, err := fmt.Fprintln(c.out, line); err != nil {
				return err
			}
		}
		return nil
	}
	return r.run(c, *plan, r.Command)
}

func (s *scheduleCommand) Run(c *console) error {
	plan, err := s.plan()
	if err != nil {
		return err
	}
	switch {
	case s.Next < 0:
		return errors.New("--next must not be negative")
	case s.From != "" && s.Next == 0:
		return errors.New("--from needs --next")
	case s.Next > 0 || s.Explain || s.Export != "":
		return s.look(c, plan)
	}
	return s.run(c, *plan, s.Command)
}

func (s *scheduleCommand) plan() (*schedule.Plan, error) {
	cron, err := schedule.Parse(s.Cron)
	if err != nil && len(s.Command) > 0 && s.Command[0] != "--" {
		return nil, fmt.Errorf("cron expression %s: it is one argument, in quotes, and -- stands before the command: '30 6 * * *' -- ./export.sh", s.Cron)
	}
	if err != nil {
		return nil, fmt.Errorf("cron expression %s: %w", s.Cron, err)
	}
	zone, err := schedule.Zone(s.Timezone)
	if err != nil {
		return nil, fmt.Errorf("--timezone: %w", err)
	}
	if s.Delay < 0 || s.Delay > 366*24*3600 {
		return nil, errors.New("--delay must be from 0 to 31622400 seconds")
	}
	if s.SkipDelayedBy < 0 {
		return nil, errors.New("--skip-delayed-by must not be negative")
	}
	plan := &schedule.Plan{
		Schedule: cron, Location: zone, Delay: time.Duration(s.Delay) * time.Second, Start: s.Start, End: s.End,
		SkipOnOvertime: s.SkipOnOvertime, SkipDelayedBy: s.SkipDelayedBy,
	}
	return plan, plan.Check()
}

// look prints what a schedule is instead of running it.
func (s *scheduleCommand) look(c *console, plan *schedule.Plan) error {
	var text strings.Builder
	at := time.Now()
	if s.From != "" {
		var err error
		if at, err = localTime(s.From, plan.Location); err != nil {
			return err
		}
	}
	if s.Explain {
		for _, line := range plan.Explain(at) {
			text.WriteString(line + "\n")
		}
	}
	if s.Export != "" {
		config, err := plan.Export(s.Export, at, command(s.Command))
		if err != nil {
			return err
		}
		text.WriteString(config)
	}
	out := bufio.NewWriter(c.out)
	_, err := out.WriteString(text.String())
	for n := 0; n < s.Next && err == nil; n++ {
		var ok bool
		if at, ok = plan.Next(at); !ok {
			break
		}
		_, err = fmt.Fprintf(out, `{"type":"time","at":"%s"}`+"\n", at.Format(time.RFC3339))
	}
	return cmp.Or(err, out.Flush())
}

// localTime reads a time with its offset, or one by a zone's clocks.
func localTime(text string, zone *time.Location) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(form, text, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--from %s: neither RFC 3339, such as 2024-01-08T06:30:00+09:00, nor YYYY-MM-DD[THH:MM[:SS]]", text)
}

// command takes off the -- before a command.
func command(words []string) []string {
	if len(words) > 0 && words[0] == "--" {
		return words[1:]
	}
	return words
}

// run runs a command by a plan until it ends or a signal comes.
func (f *runFlags) run(c *console, plan schedule.Plan, words []string) error {
	words = command(words)
	switch {
	case len(words) == 0:
		return errors.New("no command to run: give one after --")
	case f.GiveUpAfter < 0:
		return errors.New("--give-up-after must not be negative")
	}
	log := c.err
	if f.Log != "" {
		file, err := os.OpenFile(f.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("open the log of runs: %w", err)
		}
		defer file.Close()
		log = file
	}
	c.underWay.Store("a run under way is let finish; a second signal is passed on to it")
	err := schedule.Run(c.ctx, c.abort, schedule.Options{
		Plan: plan, GiveUpAfter: f.GiveUpAfter, Command: words, Stdin: c.in, Stdout: c.out, Stderr: c.err, Log: log,
	})
	if c.ctx.Err() != nil {
		return stopped(c.ctx)
	}
	return err
}

// settingsFlags are those of run that the settings and the command line it prints have anyway.
var settingsFlags = []string{"schedule", "log", "give-up-after", "task", "set", "secrets", "print", "list-id", "list-name", "wait", "wait-timeout"}

// words writes a flag as on the command line.
func words(flag *kong.Flag, value any) (list []string) {
	add := func(value string) {
		if name := "--" + flag.Name; strings.HasPrefix(value, "-") {
			list = append(list, name+"="+value)
		} else {
			list = append(list, name, value)
		}
	}
	switch v := value.(type) {
	case bool:
		if v {
			list = []string{"--" + flag.Name}
		}
	case []string:
		for _, one := range v {
			add(one)
		}
	case map[string]string:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			add(key + "=" + v[key])
		}
	case *int64:
		add(strconv.FormatInt(*v, 10))
	default:
		add(fmt.Sprint(v))
	}
	return list
}

func (r *reportCommand) Run(c *console) error {
	signal.Reset() // nothing is under way that a signal should let finish
	var merged *report.Report
	if len(r.Files) == 0 {
		r.Files = []string{"-"}
	}
	for _, name := range r.Files {
		one, notes, err := readReport(c, name)
		if err != nil {
			return err
		}
		for _, note := range notes {
			c.note(note)
		}
		merged = report.Merge(merged, one)
	}
	write := map[string]func(io.Writer, *report.Report) error{
		"json": func(w io.Writer, r *report.Report) error { return report.NewWriter(w).Report(r) }, "text": report.WriteText, "html": report.WriteHTML, "prometheus": report.WritePrometheus,
	}
	if err := write[r.Format](c.out, merged); err != nil {
		return err
	}
	return &ended{nil, merged.ExitCode}
}

func readReport(c *console, name string) (*report.Report, []string, error) {
	if name == "-" {
		c.expect("results or reports")
		return report.ReadStream("standard input", c.in)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("read a report: %w", err)
	}
	defer f.Close()
	return report.ReadStream(name, f)
}

func (w *waitCommand) Run(c *console) error {
	w.heed(c)
	job := &pipeline.Options{Version: version()}
	if err := w.waitFlags.set(job, true); err != nil {
		return err
	}
	client, err := w.client(c, job, time.Minute)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(c.abort, client.Abort)()
	if job.Err == nil {
		c.expect("the results of an earlier run")
	}
	done := w.show(c, job, "wait")
	rep, err := pipeline.Wait(c.ctx, job, c.in, c.out)
	done(rep)
	if err != nil {
		return &ended{err, rep.ExitCode}
	}
	return nil
}

func (p *pickCommand) Run(c *console) error {
	c.underWay.Store("ending")
	earlier, err := pipeline.OpenEarlier(c.ctx, p.Results)
	if err != nil {
		return err
	}
	defer earlier.Close()
	if earlier.Rows == 0 {
		c.note("there are no results in " + p.Results + ": all rows are missing there")
	}
	var selected pipeline.Selection
	if len(p.Status) == 0 {
		return errors.New("--status must name a status")
	}
	for _, name := range p.Status {
		if status, ok := report.ParseStatus(name); ok {
			selected.Statuses = append(selected.Statuses, status)
		} else {
			selected.Missing = true
		}
	}
	c.expect("the rows")
	if err := pipeline.Pick(c.ctx, selected, earlier, c.in, c.out); err != nil {
		if c.ctx.Err() != nil {
			return stopped(c.ctx)
		}
		return &ended{err, pipeline.ExitCode(err)}
	}
	return nil
}

func (d *doctorCommand) Run(c *console) error {
	var job pipeline.Options
	client, err := d.client(c, &job, 5*time.Second)
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
	k.heed(c)
	operation := validate.Add
	if k.Operation == validate.Remove.String() {
		operation = validate.Remove
	}
	job, err := k.job(operation)
	if err != nil {
		return err
	}
	job.Concurrency, job.BatchDelay = 1, time.Second
	return k.work(c, job)
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
		options.Plan, err = simulator.ReadPlan(s.Plan, text)
		_ = text.Close()
		if err != nil {
			return err
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
func (f *rowFlags) job(operation validate.Operation) (*pipeline.Options, error) {
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
	job := &pipeline.Options{Operation: operation, Checker: checker, Version: version()}
	if f.Duplicates == "first" {
		job.Window = f.DuplicateWindow
	}
	if f.ExpectRows != nil && *f.ExpectRows < 0 {
		return nil, errors.New("--expect-rows must not be negative")
	}
	job.MaxInvalid, job.StopOnInvalid, job.ExpectRows = f.MaxInvalid, f.StopOnInvalid, f.ExpectRows
	return job, nil
}

// transfer runs add and remove.
func (f *transferFlags) transfer(c *console, operation validate.Operation, list sink.ListRef) error {
	f.heed(c)
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
	if f.Resume != "" {
		earlier, err := pipeline.OpenEarlier(c.ctx, f.Resume)
		switch {
		case err != nil:
			job.Err = err
		case earlier.Rows == 0:
			c.note(fmt.Sprintf("there are no results in %s: all rows are sent (if there were some: a shell empties the file that > names, use >>)", f.Resume))
		}
		if err == nil {
			defer earlier.Close()
			job.Resume = earlier
			if earlier.Unended && f.Resume != "" && sameFile(f.Resume, c.out) {
				if _, err := io.WriteString(c.out, "\n"); err != nil { // what is appended must not go on with a line that was cut short
					return err
				}
			}
		}
	}
	options := f.options(c)
	options.Concurrency, options.RateShare, options.RetryFor = f.Concurrency, f.RateShare, f.RetryFor
	if f.NoRateLimit {
		options.RateShare = 0
	}
	if f.Simulate {
		sim := simulator.New(simulator.Options{RateLimits: !f.NoRateLimit, AnyProfile: true, Wrap: aroundSimulator})
		switch {
		case list.ID != "":
			sim.AddListAs(list.ID, "Simulated")
		case job.Resume != nil && job.Resume.Report != nil && job.Resume.Report.List != nil && job.Resume.Report.List.Name == list.Name && job.Resume.Report.List.ID != "":
			sim.AddListAs(job.Resume.Report.List.ID, list.Name)
		case !list.Create:
			sim.AddList(list.Name, "single_opt_in")
		}
		if options.BaseURL, err = sim.Start("127.0.0.1:0"); err != nil {
			return err
		}
		defer sim.Close()
		options.Key, options.Alone = "simulated", true
		c.note("simulating Klaviyo: nothing leaves this machine")
	} else {
		var err error
		if options.Key, err = f.key(c); job.Err == nil {
			job.Err = err
		}
	}
	client, err := sink.New(options)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(c.abort, client.Abort)()
	job.Client, job.List = client, list
	job.DryRun, job.Concurrency, job.BatchDelay, job.CheckFirst = f.DryRun, f.Concurrency, f.BatchDelay, f.CheckFirst
	return f.work(c, job)
}

// sameFile reports whether out writes to the file of that name.
func sameFile(name string, out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	there, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(there, named)
}

// work does a job and returns its error with the exit status that its report carries.
func (f *messageFlags) work(c *console, job *pipeline.Options) error {
	if job.Err == nil {
		c.expect("rows, one JSON object a line,")
	}
	done := f.show(c, job, job.Operation.String())
	rep, err := pipeline.Run(c.ctx, job, c.in, c.out)
	done(rep)
	switch {
	case rep.Rows.Read > 0:
		for _, name := range job.Checker.Unmet() {
			c.note(fmt.Sprintf("no row that was read had the column %q, which --map or --drop names", name))
		}
	case err == nil:
		c.note("no rows came on standard input")
	}
	if job.DryRun && err == nil && rep.List.ID == "" {
		c.note(fmt.Sprintf("list %q does not exist: add would create it", rep.List.Name))
	}
	if n := job.Gauge.EarlierAccepted(); n > 0 && job.Wait {
		c.note(fmt.Sprintf("%d rows are accepted in the earlier results, and were not waited for: klaviyo-export wait takes both results, one after the other", n))
	}
	if err != nil {
		return &ended{err, rep.ExitCode}
	}
	return nil
}

// logEvery is how often a log has the progress.
const logEvery = 30 * time.Second

// heed has messages written as the flags say.
func (f *messageFlags) heed(c *console) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet = f.Quiet
	if f.LogFormat != "" {
		c.log = report.NewLog(c.err, f.LogFormat)
	}
}

// show sets up what people are told while a job is done, which done ends.
func (f *messageFlags) show(c *console, job *pipeline.Options, title string) (done func(*report.Report)) {
	job.Gauge = new(pipeline.Gauge)
	if f.Quiet {
		return func(*report.Report) {}
	}
	if c.log != nil {
		c.log.Info("started", "command", title, "list_id", job.List.ID, "list_name", job.List.Name, "version", job.Version)
		stop := report.LogProgress(c.log, logEvery, job.Gauge.Moment)
		return func(rep *report.Report) {
			stop()
			c.log.Info("ended", "status", rep.Status, "exit_code", rep.ExitCode, "seconds", rep.Seconds, "rows", rep.Rows)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	terminal, ok := c.err.(*os.File)
	if !ok || !report.Interactive(terminal) || isTerminal(c.in) || isTerminal(c.out) {
		return func(*report.Report) {}
	}
	width := func() int {
		columns, _, _ := term.GetSize(int(terminal.Fd()))
		return columns
	}
	progress := report.NewProgress(terminal, title, width, job.Gauge.Moment)
	c.err = progress
	return func(rep *report.Report) {
		progress.Close()
		if rep.ExitCode == 0 {
			c.note(pipeline.Counts(rep.Rows))
		}
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// set puts the flags into a job.
func (f *waitFlags) set(job *pipeline.Options, wait bool) error {
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
	return sink.Options{BaseURL: f.BaseURL, AllowInsecure: f.AllowInsecure, Revision: f.Revision, UserAgent: "klaviyo-export/" + version(), Notice: c.note}
}

// client makes the client of a command that only asks Klaviyo, and puts it into the job with what is wrong with the key.
func (f *klaviyoFlags) client(c *console, job *pipeline.Options, retryFor time.Duration) (*sink.Client, error) {
	options := f.options(c)
	options.Concurrency, options.RateShare, options.RetryFor = 1, 100, retryFor
	options.Key, job.Err = f.key(c)
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
		return errors.New("missing flags: --list-id=ID or --list-name=NAME, and not an empty one")
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

// key reads the API key from its file or the environment. Its errors never hold the key. People are told of files that hold it
// and are open to others.
func (f *klaviyoFlags) key(c *console) (string, error) {
	key, from := os.Getenv("KLAVIYO_API_KEY"), "the environment variable KLAVIYO_API_KEY"
	if f.token != "" {
		key, from = f.token, "the settings"
	}
	if f.APIKeyFile != "" {
		text, err := readSmall(f.APIKeyFile)
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(f.APIKeyFile, "pk_") {
			return "", &pipeline.Error{Text: "read the API key: what --api-key-file names is no file, and looks like a key", Hint: "give the name of a file that holds the key, or set KLAVIYO_API_KEY"}
		}
		if err != nil {
			return "", &pipeline.Error{Text: "read the API key: " + err.Error(), Hint: "the file given by --api-key-file holds the key and nothing else"}
		}
		key, from = string(text), "the file "+f.APIKeyFile
	}
	key = strings.TrimSpace(key)
	if key == "" && f.fromSettings && f.APIKeyFile == "" {
		from = "api_token in the settings, like the environment variable KLAVIYO_API_KEY,"
	}
	if key == "" {
		return "", &pipeline.Error{Text: "no API key: " + from + " is empty or not there", Hint: "set KLAVIYO_API_KEY or give --api-key-file FILE; with --simulate no key is needed"}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &pipeline.Error{Text: "the API key in " + from + " holds blanks or characters that no key has", Hint: "it should hold the private API key alone, on one line"}
	}
	for _, name := range append(f.holders, f.APIKeyFile) {
		if isOpen(name) && holds(name, key) {
			c.note(fmt.Sprintf("%s holds the API key and is open to others than its owner: chmod 600 %s", name, name))
		}
	}
	return key, nil
}

// isOpen reports whether others than its owner may read or write a file.
func isOpen(name string) bool {
	state, err := os.Stat(name)
	return err == nil && state.Mode().IsRegular() && state.Mode().Perm()&0o066 != 0 && runtime.GOOS != "windows"
}

func holds(name, key string) bool {
	text, err := readSmall(name)
	return err == nil && strings.Contains(string(text), key)
}

// readSmall reads the first 1 MiB of a file: nothing that holds a key is longer.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}
