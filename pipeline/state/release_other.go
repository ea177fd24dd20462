//go:build !linux

package state

// release does nothing: the system takes mapped pages back by itself when memory is short.
func release(_, _ uintptr) {}

// readAhead does nothing.
func readAhead(_, _ uintptr) {}
