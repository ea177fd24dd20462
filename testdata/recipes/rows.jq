# What became of each row, and why; of a report only its error.
if .type == "row" then "\(.row) \(.status)" + (if .code then " \(.code)" else "" end) + (if .detail then ": \(.detail)" else "" end)
elif .error then "\(.status): \(.error)"
else empty end
