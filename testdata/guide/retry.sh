#!/bin/sh
# retry.sh TIMES SECONDS COMMAND… runs a command up to so many times, with a pause between, and ends with its last exit
# status. 0, 1 and 2 end it at once: nothing is left to do, or somebody has to look.
times=$1 pause=$2
shift 2
trap 'stopped=yes' HUP INT TERM
while :; do
  status=0
  "$@" || status=$?
  case $status in 0 | 1 | 2) exit $status ;; esac
  [ $((times -= 1)) -gt 0 ] && [ -z "${stopped:-}" ] || exit $status
  sleep "$pause" || exit $status
done
