package cli

import (
	"math"
	"os"
	"runtime/debug"
	"time"
)

// The numbers below were measured with check on 1,000,000 generated rows (264 MB) on two cores, three runs each.
// Go's own default, GOGC=100, takes 74 MB RSS and 1.79 s of CPU; all three together take 70 MB and 1.63 s.
const (
	// headroomBytes are allocated and never touched: they take no memory, but the collector counts them as live
	// heap. A small heap is then not collected every few milliseconds. Without them: 68 MB and 1.93 s. 192 MiB: 74
	// MB and 1.77 s.
	headroomBytes = 96 << 20

	// headroomPiece is how much is allocated at a time. Go clears an allocation, and so touches all of it, when a part of
	// it was in use before, such as a stack of the start: one start in 100 took 96 MiB more with a single piece.
	headroomPiece = 1 << 20

	// gcPercent of the live heap, headroom included, is the garbage between two collections: 5 to 8 MB.
	// 20 percent: 79 MB and 1.71 s.
	gcPercent = 5

	// untouchedBytes are what the headroom takes of a memory limit: Go keeps 3 percent of a limit free. 4,000,000 rows
	// at GOMEMLIMIT=128MiB take 78 MB and 6.5 s; with Go's defaults 116 MB and 6.8 s.
	untouchedBytes = headroomBytes * 103 / 100

	// collectAfter is the time in which nothing is collected: the start fills tables that stay. From the beginning:
	// 72 MB and 1.85 s.
	collectAfter = 15 * time.Millisecond
)

// headroom keeps the allocations alive.
var headroom [headroomBytes / headroomPiece][]byte

// SetMemory sets the garbage collector for a long stream of short-lived rows. If GOGC is in the environment, it does
// nothing. GOMEMLIMIT is obeyed: the limit rises by the headroom, which Go counts though it takes no memory. It is
// called once, at the start.
func SetMemory() {
	if os.Getenv("GOGC") != "" {
		return
	}
	limit := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(limit, math.MaxInt64-untouchedBytes) + untouchedBytes)
	debug.SetGCPercent(-1)
	for i := range headroom {
		headroom[i] = make([]byte, headroomPiece)
	}
	time.AfterFunc(collectAfter, func() {
		debug.SetGCPercent(gcPercent)
		debug.FreeOSMemory() // garbage of the start
	})
}
