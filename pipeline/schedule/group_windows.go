package schedule

import (
	"os"
	"os/exec"
	"syscall"
)

var generateConsoleCtrlEvent = syscall.NewLazyDLL("kernel32.dll").NewProc("GenerateConsoleCtrlEvent")

func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// terminate asks a process that ownGroup was called for, and its children, to end, with Ctrl-Break, which is what
// Windows has. Without a console it kills the process itself.
func terminate(p *os.Process) {
	const ctrlBreak = 1
	if done, _, _ := generateConsoleCtrlEvent.Call(ctrlBreak, uintptr(p.Pid)); done == 0 {
		_ = p.Kill() // an error means that it has ended
	}
}

func exitStatus(s *os.ProcessState) int { return s.ExitCode() }
