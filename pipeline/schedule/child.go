package schedule

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// noStatus is logged as the exit status of a command that could not be started or waited for.
const noStatus = -1

// child runs the command once for a scheduled time, which it passes on as SCHEDULED_TIME and SCHEDULED_UNIXTIME.
// The command is a process group of its own, so that a terminal's Ctrl-C does not reach it. When abort ends, the
// whole group gets SIGTERM, then SIGCONT, because stopped processes receive no other signal. It returns the exit
// status, which for a signal is 128 and its number as in shells, and an error when the command could not be started
// or its streams not be copied. It does not wait for processes that the command leaves behind.
func (r *runner) child(abort context.Context, at time.Time) (status int, err error) {
	cmd := &exec.Cmd{Path: r.program, Args: r.Command}
	cmd.Env = append(os.Environ(),
		"SCHEDULED_TIME="+at.Format(time.RFC3339), "SCHEDULED_UNIXTIME="+strconv.FormatInt(at.Unix(), 10))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r.Stdin, r.Stdout, r.Stderr
	cmd.WaitDelay = r.clock.linger // for processes that it leaves behind and that hold its streams open
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return noStatus, err
	}
	forget := context.AfterFunc(abort, func() { terminate(cmd.Process) })
	err = cmd.Wait()
	forget()
	if cmd.ProcessState == nil {
		return noStatus, err
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return exitStatus(cmd.ProcessState), err
}

// isGone reports whether a program no longer exists, or may no longer be run.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}
