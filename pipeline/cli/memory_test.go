package cli

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
)

// TestMemorySettings guards that the memory limit of the environment counts memory that is used, and that GOGC leaves
// Go's own settings alone.
func TestMemorySettings(t *testing.T) {
	if os.Getenv("MEMORY_SETTINGS") != "" {
		SetMemory()
		fmt.Printf("limit %d, headroom %d\n", debug.SetMemoryLimit(-1), len(headroom))
		return
	}
	for env, want := range map[string]string{
		"GOMEMLIMIT=64MiB":          "limit 170792058, headroom 100663296",
		"GOMEMLIMIT=128MiB":         "limit 237900922, headroom 100663296",
		"GOMEMLIMIT=off":            "limit 9223372036854775807, headroom 100663296",
		"GOMEMLIMIT=":               "limit 9223372036854775807, headroom 100663296",
		"GOMEMLIMIT=64MiB GOGC=100": "limit 67108864, headroom 0",
		"GOGC=50":                   "limit 9223372036854775807, headroom 0",
	} {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command(self, "-test.run=^TestMemorySettings$")
		command.Env = append(os.Environ(), "MEMORY_SETTINGS=1", "GOGC=", "GOMEMLIMIT=")
		command.Env = append(command.Env, strings.Fields(env)...)
		out, err := command.Output()
		if got, _, _ := strings.Cut(string(out), "\n"); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", env, got, err, want)
		}
	}
}
