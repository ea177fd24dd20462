# Read by the scripts: wrong TITLE checks the rows on standard input and prints what becomes of them under a title.
wrong() {
  echo "== $1"
  klaviyo-export check 2>/dev/null | jq -r -f "$REPO/testdata/recipes/rows.jq"
}
