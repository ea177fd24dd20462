package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// root is the folder of the documents.
const root = "../.."

// TestDocuments runs the commands that README.md and GUIDE.md show: each does what its reader expects.
//
// Every block marked sh runs as a bash script with -e and -o pipefail. The blocks of one section run one after
// another, in a folder of the section's own that begins as a copy of testdata/guide. klaviyo-export sends to a
// simulated Klaviyo of the section's own, unless the command itself says where to send. A comment on the line
// before a block says what else holds for it:
//
//	<!-- exit status 1 -->   the block ends with this exit status, instead of 0
//	<!-- stand-in: bq -->    a bq that prints rows.ndjson runs in the place of the real one
//	<!-- needs: mlr -->      the block is skipped where mlr is not installed, unless RECIPES=all
//	<!-- not run: … -->      the block is only shown, for the reason given
//
// A free port takes the place of 8025, so that tests can run at the same time.
func TestDocuments(t *testing.T) {
	for _, program := range []string{"bash", "curl", "jq", "sqlite3"} {
		skipWithout(t, program)
	}
	for _, document := range []string{"README.md", "GUIDE.md"} {
		for _, section := range sectionsOf(t, document) {
			t.Run(document+"/"+section.title, func(t *testing.T) {
				t.Parallel()
				section.run(t)
			})
		}
	}
}

// skipWithout skips the test where a program is not installed. With RECIPES=all the test fails instead.
func skipWithout(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("RECIPES") == "all" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

// section is what stands between two headings of a document.
type section struct {
	title  string
	blocks []block
}

// block is one fenced block of shell commands.
type block struct {
	where    string // file and line
	commands string
	exit     int
	standIns []string
	needs    []string
	notRun   bool
}

var comment = regexp.MustCompile(`^<!-- (exit status|stand-in|needs|not run):? (.*) -->$`)

// sectionsOf reads the sections of a document that have blocks to run.
func sectionsOf(t *testing.T, document string) []section {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	var sections []section
	var next block   // what the comments before a block say of it
	var fence string // the line that opened the block, "" outside
	for number, line := range strings.Split(string(text), "\n") {
		where := fmt.Sprintf("%s:%d", document, number+1)
		said := comment.FindStringSubmatch(line)
		switch {
		case fence != "" && line == "```":
			if fence == "```sh" && !next.notRun {
				last := &sections[len(sections)-1]
				last.blocks = append(last.blocks, next)
			}
			fence, next = "", block{}
		case fence != "":
			next.commands += line + "\n"
		case strings.HasPrefix(line, "```"):
			fence, next.where = line, where
		case strings.HasPrefix(line, "#"):
			sections = append(sections, section{title: strings.Trim(line, "# ")})
		case said != nil:
			next.add(t, where, said[1], said[2])
		case strings.HasPrefix(line, "<!--"):
			t.Errorf("%s: a comment that this test does not know: %s", where, line)
		}
	}
	if fence != "" {
		t.Fatalf("%s: a block is never closed", document)
	}
	return slices.DeleteFunc(sections, func(s section) bool { return len(s.blocks) == 0 })
}

// add reads one comment before a block.
func (b *block) add(t *testing.T, where, name, value string) {
	t.Helper()
	switch name {
	case "exit status":
		exit, err := strconv.Atoi(value)
		if err != nil {
			t.Errorf("%s: exit status: expected a number, got %q", where, value)
		}
		b.exit = exit
	case "stand-in":
		b.standIns = strings.Fields(value)
	case "needs":
		b.needs = strings.Fields(value)
	case "not run":
		b.notRun = true
	}
}

// wrapper is the klaviyo-export of the blocks. It names the simulator for commands that do not say where to send.
const wrapper = `#!/bin/sh
case "$1 $*" in
*' --simulate'* | *' --base-url'*) ;;
'add '* | 'remove '* | 'mirror '* | 'subscribe '* | 'unsubscribe '* | 'run '* | 'wait '* | 'send '* | 'members '* | \
'doctor '*)
  command=$1
  shift
  set -- "$command" --base-url '%s' "$@"
  ;;
esac
exec '%s' "$@"
`

// run runs the blocks of a section.
func (s section) run(t *testing.T) {
	sim := simulator.New(simulator.Options{Wrap: described(t), JobTime: 10 * time.Millisecond, AnyProfile: true})
	sim.AddListAs("XyZ123", "Newsletter")
	for _, id := range []string{"01JD0X4VPQ", "01JD0X7M2C"} {
		sim.AddCampaign(simulator.Campaign{ID: id, Name: "Winter sale", Lists: []string{"Newsletter"}})
	}
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.Close() }()
	folder, bin := filepath.Join(t.TempDir(), "guide"), t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(root, "testdata/guide"))); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	executable(t, filepath.Join(bin, "klaviyo-export"), fmt.Sprintf(wrapper, url, self))
	environment := append(os.Environ(), asProgram+"=1", "URL="+url, "HOME="+folder, "KLAVIYO_API_KEY=pk_guide",
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for _, b := range s.blocks {
		t.Run(b.where, func(t *testing.T) { b.run(t, folder, bin, environment) })
	}
}

// endsJobs ends what a block left running in the background, when the block fails too.
const endsJobs = "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n"

// run runs the commands of one block. They find a key on standard input, as if somebody had pasted it.
func (b block) run(t *testing.T, folder, bin string, environment []string) {
	rows, err := filepath.Abs(filepath.Join(root, "testdata/guide/rows.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range b.needs {
		skipWithout(t, name)
	}
	for _, name := range b.standIns {
		executable(t, filepath.Join(bin, name), fmt.Sprintf("#!/bin/sh\nexec cat '%s'\n", rows))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	commands := strings.ReplaceAll(b.commands, "127.0.0.1:8025", freeAddress(t))
	command := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", endsJobs+commands)
	command.Dir, command.Env, command.Stdin = folder, environment, strings.NewReader("pk_guide\n")
	command.WaitDelay = 10 * time.Second
	said, err := command.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("%s: %v\n%s", b.where, err, said)
	}
	if got := command.ProcessState.ExitCode(); got != b.exit {
		t.Fatalf("%s: expected exit status %d, got %d\n%s\n%s", b.where, b.exit, got, b.commands, said)
	}
	t.Logf("%s", said)
}

// freeAddress returns a loopback address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func executable(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// The README shows what its first command really prints. Where it leaves something out, it says so with … alone.
func TestReadmeShowsRealOutput(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := os.Open(filepath.Join(root, "testdata/profiles.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	command := program(t, "add", "--simulate", "--list-name", "Newsletter")
	command.Stdin = rows
	printed, _ := command.CombinedOutput() // exit status 1, as first.txtar shows
	_, shown, _ := strings.Cut(string(text), "\n```text\n")
	shown, _, _ = strings.Cut(shown, "\n```\n")
	lines := 0
	for line := range strings.SplitSeq(shown, "\n") {
		if strings.Trim(line, "… ") == "" {
			continue
		}
		parts := strings.Split(line, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		if !regexp.MustCompile(`(?m)^` + strings.Join(parts, ".*") + `$`).Match(printed) {
			t.Errorf("the command does not print %s", line)
		}
		lines++
	}
	if lines < 6 {
		t.Errorf("expected the README to show 6 lines or more, got %d", lines)
	}
}

// The guide shows the files that engines start as they are: the tests of testdata/many run them.
func TestGuideShowsFilesOfEngines(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join(root, "GUIDE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"export.sh", "retry.sh", "crontab", "newsletter.service", "newsletter.timer", "cronjob.yaml", "airflow_dag.py",
		"dagster_job.py", "array.sbatch",
	} {
		text, err := os.ReadFile(filepath.Join(root, "testdata/guide", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(guide), "\n"+string(text)+"```\n") {
			t.Errorf("GUIDE.md does not show testdata/guide/%s as it is", name)
		}
	}
}
