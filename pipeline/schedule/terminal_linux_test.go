package schedule

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// TestTerminal guards that a run does not get a terminal as its input, because reading it would stop the run.
func TestTerminal(t *testing.T) {
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer far.Close()
	var unlocked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &number} {
		_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, far.Fd(), request, uintptr(unsafe.Pointer(value)))
		if failed != 0 {
			t.Skip(failed)
		}
	}
	near, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer near.Close()
	s := newStage(t, "59 23 * * *", "UTC", "2026-01-01T00:00:00Z", "sh", "-c", "test -t 0").until("2026-01-01")
	s.Stdin = near
	expect(t, s.play(nil), "2026-01-01T23:59:00Z 23:59:00 23:59:00 1")
}
