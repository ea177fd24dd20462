//go:build unix

package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// overwrites reports whether what is written to a file replaces what it holds, as after > and not after >>.
func overwrites(f *os.File) bool {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_APPEND == 0
}
