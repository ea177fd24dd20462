# The scripts read this file. wrong TITLE checks the rows on standard input and prints their results under the title.
wrong() {
  echo "== $1"
  klaviyo-export check 2>/dev/null | jq -r -f "$REPO/testdata/recipes/rows.jq"
}
