#!/usr/bin/env bash
# Shows that independent processes share one account's quota: converge.sh PROCESSES SECONDS
# Each sends to one simulated Klaviyo with its real rates, and has more rows than it gets through for so many seconds. Rows come
# slowly, so that a request holds few of them: it is requests that Klaviyo counts. Prints what was measured, and fails when a row is
# lost, less than 95 % of the quota is used in whole minutes, or more than 5 % of the requests after the first minute are refused.
set -euo pipefail
processes=${1:?usage: converge.sh PROCESSES SECONDS} seconds=${2:?usage: converge.sh PROCESSES SECONDS}
export KLAVIYO_API_KEY=pk_converge
directory=$(mktemp -d)
server=''
leave() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$directory"
}
trap leave EXIT
trap 'exit 1' INT TERM
cd "$directory"
klaviyo-export simulate --addr 127.0.0.1:0 >server.json 2>server.log &
server=$!
until [ -s server.json ]; do
  kill -0 "$server" || { cat server.log >&2; exit 1; }
  sleep 0.05
done
url=$(jq -r .url server.json)
# shellcheck disable=SC2016
people='$| = 1; ($of, $for) = @ARGV; $end = time + $for; while (time < $end) { print "{\"email\":\"p", ++$n, "\@of$of.example.com\"}\n"; select undef, undef, undef, 0.05 }'
started=$(date +%s)
runs=()
for i in $(seq "$processes"); do
  perl -e "$people" "$i" "$seconds" | tee "rows-$i" |
    klaviyo-export add --base-url "$url" --list-name Converge --batch-delay 200ms --log-format json >"part-$i.ndjson" 2>"log-$i" &
  runs+=($!)
done
failed=0
for run in "${runs[@]}"; do wait "$run" || failed=1; done
[ "$failed" = 0 ] || { echo "a process failed" >&2; cat part-*.ndjson | jq -c 'select(.type=="report")' >&2; exit 1; }

klaviyo-export report part-*.ndjson >report.json
# Klaviyo's own account of the jobs it took, and of who is on the lists.
next="$url/api/profile-bulk-import-jobs?page\[size\]=100"
while [ "$next" != null ]; do
  curl -sg -H "Authorization: Klaviyo-API-Key $KLAVIYO_API_KEY" -H 'revision: 2026-07-15' "${next//\\/}" >page.json
  jq -r '.data[].attributes.created_at' page.json >>taken
  next=$(jq -r .links.next page.json)
done
curl -s "$url/simulator/lists" >lists.json
# Progress is logged every 30 seconds: the second time is the end of a process's first minute.
for log in log-*; do
  jq -c 'select(.msg=="progress") | .requests' "$log" | sed -n 2p
done >first
rows=$(cat rows-* | wc -l)
results=$(cat part-*.ndjson | jq -r 'select(.type=="row" and .status=="accepted") | .key' | sort -u | wc -l)
members=$(curl -s "$url/simulator/lists/$(jq -r 'max_by(.profiles) | .id' lists.json)/profiles" | jq -r '.[].email' | sort -u | wc -l)
jq -n --argjson processes "$processes" --argjson started "$started" --argjson seconds "$seconds" \
  --argjson rows "$rows" --argjson results "$results" --argjson members "$members" \
  --slurpfile first first --slurpfile report report.json --slurpfile lists lists.json --rawfile jobs taken '
  def unix: sub("\\.[0-9]+"; "") | sub("\\+00:00$"; "Z") | fromdate;
  ($jobs | split("\n") | map(select(. != "") | unix)) as $taken
  | $report[0] as $r
  # Whole minutes of the clock, which are the simulator'"'"'s, in which all processes had rows.
  | (($started + 59) / 60 | floor) as $from | (($started + $seconds) / 60 | floor) as $to
  | [range($from; $to) | . as $m | $taken | map(select(. >= $m * 60 and . < $m * 60 + 60)) | length] as $minutes
  | {
      processes: $processes, seconds: $seconds, rows: $rows, accepted: $results, on_the_list: $members,
      requests: $r.requests.sent, throttled: $r.requests.throttled, jobs: ($taken | length),
      taken_per_whole_minute: $minutes,
      share_of_quota: (if ($minutes | length) == 0 then null else ($minutes | add / (length * 150)) end),
      after_first_minute: (($r.requests.sent - ($first | map(.sent) | add // 0)) as $sent | ($r.requests.throttled - ($first | map(.throttled) | add // 0)) as $throttled
        | {requests: $sent, throttled: $throttled, throttled_share: ($throttled / ([$sent, 1] | max))}),
      lists: [$lists[0][] | {id, profiles}], left_behind: $r.list.left_behind
    }' | tee result.json
jq -e '.rows == .accepted and .rows == .on_the_list and (.share_of_quota // 1) >= 0.95 and .after_first_minute.throttled_share <= 0.05' result.json >/dev/null
