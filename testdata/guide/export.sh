#!/bin/sh
# export.sh makes one attempt at a run: it fetches the rows unless an earlier attempt did, sends those that have no final
# result yet, and waits until Klaviyo has processed them. Its environment:
#   RUN       names the run, and is the same for all its attempts; by default the scheduled time, or the date
#   EXPORTS   the folder for its files, which the next attempt must see; by default the current one
#   KEY_FILE  a file with the API key, where KLAVIYO_API_KEY is not set
# Exit status 1 or 2: somebody has to look. Any other than 0: try again.
set -eu
trap : HUP INT TERM # the program that runs gets the signal too, and ends in order
cd "${EXPORTS:-.}"
run=${RUN:-${SCHEDULED_TIME:-$(date +%F)}}
if [ ! -e "rows-$run.ndjson" ]; then
  psql -AtXq -v ON_ERROR_STOP=1 -f customers.sql > "rows-$run.new" || exit 4
  mv "rows-$run.new" "rows-$run.ndjson"
fi
klaviyo-export add --list-name Newsletter ${KEY_FILE:+--api-key-file "$KEY_FILE"} --log-format json \
  --max-invalid 1% --resume "results-$run.ndjson" < "rows-$run.ndjson" >> "results-$run.ndjson"
klaviyo-export wait ${KEY_FILE:+--api-key-file "$KEY_FILE"} --log-format json --max-invalid 1% \
  < "results-$run.ndjson" > "final-$run.ndjson"
