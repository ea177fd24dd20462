//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

// usage returns the CPU time of an ended process and its peak resident memory in bytes. On Linux the peak is at
// least the memory that this process had when it started the other.
func usage(p *os.ProcessState) (cpu time.Duration, rss int64) {
	return p.UserTime() + p.SystemTime(), peak(p.SysUsage().(*syscall.Rusage))
}

// ownPeak returns the peak resident memory of this process in bytes.
func ownPeak() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return peak(&u)
}

func peak(u *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
