package state

import "golang.org/x/sys/unix"

// release gives back mapped memory. It is read from the file again where it is needed.
func release(from, size uintptr) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, size, unix.MADV_DONTNEED)
}
