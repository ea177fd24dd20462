package cli

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// TestMemorySettings guards that the memory limit of the environment counts memory that is used, and that GOGC leaves
// Go's own settings alone.
func TestMemorySettings(t *testing.T) {
	if os.Getenv("MEMORY_SETTINGS") != "" {
		SetMemory()
		held := 0
		for _, piece := range headroom {
			held += len(piece)
		}
		fmt.Printf("limit %d, headroom %d\n", debug.SetMemoryLimit(-1), held)
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

// The headroom takes no memory, also where a part of the heap was in use before: Go clears such a part.
func TestHeadroomIsNotTouched(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("resident memory is read from /proc")
	}
	if os.Getenv("HEADROOM") != "" {
		used := make([]byte, 512<<10)
		for i := range used {
			used[i] = 1
		}
		runtime.KeepAlive(used)
		runtime.GC() // used is free again
		SetMemory()
		status, err := os.ReadFile("/proc/self/status")
		_, size, _ := strings.Cut(string(status), "VmHWM:")
		var kb int
		fmt.Sscan(size, &kb)
		fmt.Printf("peak %d kB, %v\n", kb, err)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, "-test.run=^TestHeadroomIsNotTouched$")
	command.Env = append(os.Environ(), "HEADROOM=1", "GOGC=", "GOMEMLIMIT=")
	out, err := command.Output()
	var kb int
	if _, scanned := fmt.Sscanf(string(out), "peak %d kB", &kb); err != nil || scanned != nil || kb > headroomBytes>>10 {
		t.Errorf("expected a peak below the headroom's 96 MiB: %v, %s", err, out)
	}
}
