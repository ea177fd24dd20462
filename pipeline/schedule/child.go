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

// noStatus stands for the exit status of a command that could not be started, or waited for.
const noStatus = -1

// child runs the command once for a scheduled time, which it finds in SCHEDULED_TIME and SCHEDULED_UNIXTIME. It is a process group of
// its own, so that a terminal's Ctrl-C leaves it alone; when abort ends, all of the group get SIGTERM, and SIGCONT, as stopped ones heed nothing else. It returns the exit
// status, for a signal 128 and its number as shells do, and an error when the command could not be started or its streams not be copied. Processes
// that it left behind are not waited for.
func (r *runner) child(abort context.Context, at time.Time) (status int, err error) {
	cmd := &exec.Cmd{Path: r.program, Args: r.Command}
	cmd.Env = append(os.Environ(),
		"SCHEDULED_TIME="+at.Format(time.RFC3339), "SCHEDULED_UNIXTIME="+strconv.FormatInt(at.Unix(), 10))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r.Stdin, r.Stdout, r.Stderr
	cmd.WaitDelay = r.clock.linger // how long what it left behind may hold its streams open
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return noStatus, err
	}
	unheeded := context.AfterFunc(abort, func() { terminate(cmd.Process) })
	err = cmd.Wait()
	unheeded()
	if cmd.ProcessState == nil {
		return noStatus, err
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return exitStatus(cmd.ProcessState), err
}

// isGone tells that there is no program any more, or none that may be run.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}
