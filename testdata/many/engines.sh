#!/usr/bin/env bash
# Runs the files of testdata/guide that engines start, as each engine would, and prints the outcome of every run. Its attempts are
# killed, or find Klaviyo or the database down, as the file fates says. The engines' rules are played here: Airflow and Dagster are the
# modules in stand-ins, made from their documents; the steps of the CronJob run one after the other under its podFailurePolicy and
# backoffLimit. Cron has no rules. Sends rows.ndjson to the Klaviyo at $URL, and writes into the working directory.
# engines.txtar has the outcome: go test . -run TestMany/engines -long -v
set -euo pipefail
REAL=$(command -v klaviyo-export)
export REAL ROWS=$PWD/rows.ndjson RUN=day EXPORTS=.
top=$PWD guide=$REPO/testdata/guide
mkdir opt
cp "$guide/export.sh" "$guide/retry.sh" opt
(umask 077 && echo "$KLAVIYO_API_KEY" >klaviyo.key)

export PATH=$REPO/testdata/many/fated:$PATH

# one ENGINE FATES… lets an engine make a run with these fates, and prints how it ended and what its files say.
one() {
  local engine=$1
  shift
  rm -rf runs && mkdir runs
  printf '%s\n' "$@" >fates
  : >met
  local ended=succeeded
  (cd runs && "$engine") >log 2>&1 || ended=failed
  local results=(runs/results*) final=(runs/final*)
  printf '%s %s after %s;' "$engine" "$ended" "$(paste -sd ' ' met)"
  jq -Rrs '[splits("\n") | fromjson?]
    | " \(map(select(.type=="row" and .status=="accepted").row) | length) accepted,"
    + " \(map(select(.type=="report").rows.resumed // 0) | add) resumed,"' "${results[@]}" | tr -d '\n'
  if [ -s "${final[0]}" ]; then tail -n 1 "${final[0]}" | jq -r '" \(.rows.applied) applied"'; else echo ' not proved'; fi
}

retry() { "$top/opt/retry.sh" 5 0 "$top/opt/export.sh"; }
cron() (
  line=$(grep '^[0-9]' "$guide/crontab" | cut -d ' ' -f 6- | sed "s, 600 , 0 ,; s,/var/lib/klaviyo,$PWD,")
  mapfile -t set < <(grep '^[A-Z_]*=' "$guide/crontab" | sed "s,^PATH=/opt/klaviyo,PATH=$top/opt:$PATH,; s,/etc/klaviyo,$top/klaviyo,")
  env -i "${set[@]}" HOME="$HOME" URL="$URL" HERE="$HERE" ROWS="$ROWS" REAL="$REAL" BREACHES="${BREACHES:-}" sh -c "$line" >mail
  cat mail
  [ ! -s mail ]
)
airflow() { PYTHONPATH=$top/stand-ins SCRIPT="$top/opt/export.sh" python3 -B "$guide/airflow_dag.py"; }
dagster() { PYTHONPATH=$top/stand-ins SCRIPT="$top/opt/export.sh" python3 -B "$guide/dagster_job.py"; }
kubernetes() {
  # the words after args: of each step, folded as YAML does
  awk '/^ *args:/ { n++; next } n && /^ *env(From)?:/ { on = 0 } n && /^ *- / && !on && !done[n] { on = done[n] = 1; sub(/^ *- /, "") }
    on { sub(/^ +/, ""); text[n] = text[n] (text[n] == "" ? "" : " ") $0 }
    END { for (i = 1; i <= n; i++) { sub(/^\047/, "", text[i]); sub(/\047$/, "", text[i]); print text[i] } }' "$guide/cronjob.yaml" >steps
  local limit failures=0 status
  limit=$(sed -n 's/.*backoffLimit: //p' "$guide/cronjob.yaml")
  while :; do
    status=0
    while read -r step; do
      sh -c "$step" || { status=$?; break; }
    done <steps
    case $status in
    0) return 0 ;;
    1 | 2) return 1 ;;
    esac
    [ $((failures += 1)) -le "$limit" ] || return 1
  done
}
for engine in "$@"; do
  mkdir "$engine"
  (
    cd "$engine"
    export HERE=$PWD
    one "$engine" database 'KILL 20' 'TERM 60' outage
    one "$engine" key
  ) >"$engine/told" 2>&1 &
done
wait
for engine in "$@"; do cat "$engine/told"; done
echo "on the list: $(curl -s "$URL/simulator/lists" | jq 'map(.profiles) | add')"
