package cli

import (
	"os"
	"runtime/debug"
	"time"
)

func SetMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(-1)
	headroom = make([]byte, 96<<20)
	time.AfterFunc(collectAfter, func() {
		debug.SetGCPercent(5)
		debug.FreeOSMemory() // what the start left behind
	})
}

var headroom []byte

const collectAfter = 15 * time.Millisecond
