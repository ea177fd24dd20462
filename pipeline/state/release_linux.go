package state

import "syscall"

// release gives back the memory of mapped pages. They are read again from the system's cache.
func release(data, size uintptr) {
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, data, size, syscall.MADV_DONTNEED)
}
