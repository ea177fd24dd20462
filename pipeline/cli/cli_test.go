package cli

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"klaviyo-export/sink/simulator/contract"
)

var long = flag.Bool("long", false, "run the long tests too")

// asProgram in the environment makes the test binary klaviyo-export.
const asProgram = "KLAVIYO_EXPORT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}.Run(os.Args[1:]))
	}
	_ = flag.Set("test.parallel", "8") // most parallel tests wait for simulated jobs
	os.Exit(m.Run())
}

// program returns klaviyo-export as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, args...)
	command.Env = append(os.Environ(), asProgram+"=1")
	return command
}

// called runs klaviyo-export in this process.
func called(t *testing.T, input string, args ...string) (exit int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := Program{In: strings.NewReader(input), Out: &stdout, Err: &stderr, AroundSimulator: described(t)}
	exit = p.Run(args)
	return exit, stdout.String(), stderr.String()
}

// described compares what goes to a simulator and comes back with the API's description.
func described(t *testing.T) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		handler, err := contract.Layer(next, func(breach error) { t.Error(breach) })
		if err != nil {
			t.Fatal(err)
		}
		return handler
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
