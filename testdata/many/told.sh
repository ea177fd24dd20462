# shellcheck shell=bash
# told LIST RESULTS…  prints what the merged report says, how many rows a later run resumed, how many people
# were in two partitions, and how many are on the list.
told() {
  klaviyo-export report "${@:2}" >"$1.json"
  jq -r '"\(.runs // 1) runs \(.status): \(.rows | "\(.read) rows, \(.accepted) accepted, \(.rejected) rejected, \(.skipped) skipped")"' "$1.json"
  echo "resumed: $(jq -Rr 'fromjson? | select(.type=="report") | .rows.resumed // 0' "${@:2}" | awk '{ n += $1 } END { print n }')"
  echo "in two partitions: $(jq -Rr 'fromjson? | select(.status=="accepted") | .key | ascii_downcase' "${@:2}" | sort | uniq -d | wc -l)"
  echo "on the list: $(curl -s "$URL/simulator/lists" | jq --arg name "$1" '.[] | select(.name==$name) | .profiles')"
}
