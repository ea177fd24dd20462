package state

import "syscall"

// release gives back the memory of mapped pages. They are read again from the system's cache.
func release(data, size uintptr) { advise(data, size, syscall.MADV_DONTNEED) }

// readAhead lets the system read more than the page that is asked for, as Compare looks at most of a file, in order.
func readAhead(data, size uintptr) { advise(data, size, syscall.MADV_NORMAL) }

func advise(data, size uintptr, how uintptr) {
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, data, size, how) // an error only costs time or memory
}
