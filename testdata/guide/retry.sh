#!/bin/sh
# retry.sh TIMES SECONDS COMMAND… runs a command up to so many times, with a pause between, and ends with its last exit
# status. 0, 1 and 2 end it at once: nothing is left to do, or somebody has to look. RUN is the same for all attempts, also
# for those after midnight.
times=$1 pause=$2
shift 2
export RUN="${RUN:-${SCHEDULED_TIME:-$(date +%F)}}"
trap 'stopped=yes' HUP INT TERM
while :; do
  status=0
  "$@" || status=$?
  case $status in 0 | 1 | 2) exit $status ;; esac
  [ $((times -= 1)) -gt 0 ] && [ -z "${stopped:-}" ] || exit $status
  sleep "$pause" &
  wait $! || exit $status # a signal ends the pause
done
