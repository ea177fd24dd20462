#!/bin/sh
# export.sh makes one attempt at a run: it fetches the rows unless an earlier attempt did, sends those that have no final
# result yet, and waits until Klaviyo has processed them. Its environment:
#   RUN       names the run, and is the same for all its attempts; by default the scheduled time, or the date
#   EXPORTS   the folder for its files, which the next attempt must see; by default the current one
#   KEY_FILE  a file with the API key, where KLAVIYO_API_KEY is not set
# Exit status 1 or 2: somebody has to look. Any other than 0: try again.
set -eu
trap : HUP INT TERM # what runs meanwhile ends in order, if the signal is for the whole group as engines send it
cd "${EXPORTS:-.}"
run=${RUN:-${SCHEDULED_TIME:-$(date +%F)}}
exec 9> "lock-$run"
flock -n 9 || exit 4 # an attempt before this one still works on the files
if [ ! -e "rows-$run.ndjson" ]; then
  status=0
  psql -AtXq -v ON_ERROR_STOP=1 -c "select row_to_json(t) from (select email, first_name from customers) t" \
    > "rows-$run.new" || status=$?
  case $status in 0) ;; 2) exit 4 ;; *) exit 2 ;; esac # 2: no connection
  [ -s "rows-$run.new" ] || { echo "the query found nobody" >&2; exit 2; }
  mv "rows-$run.new" "rows-$run.ndjson"
fi
status=0
klaviyo-export add --list-name Newsletter ${KEY_FILE:+--api-key-file "$KEY_FILE"} --log-format json \
  --max-invalid 1% --resume "results-$run.ndjson" < "rows-$run.ndjson" >> "results-$run.ndjson" || status=$?
[ "$status" -le 1 ] || exit "$status" # 1: some rows were rejected; the others are waited for
klaviyo-export wait ${KEY_FILE:+--api-key-file "$KEY_FILE"} --log-format json --max-invalid 1% \
  < "results-$run.ndjson" > "final-$run.ndjson"
exit "$status"
