# Prints the result of each row: number, status, code, column, and the commands and flags that its detail names. Of a report it
# prints the status and what the error names, if there is an error. The wording of details is not compared.
def names: [scan(
  "row_to_json|json_object|json_format|FORMAT JSONEachRow|UNLOAD|SET NOCOUNT ON|psql -AtXq|psql -t|mysql -N -B -r|mysql -N"
  + "|td -f json -c|td query|jq -c '[^']*'|jq -c|bq --format=json|bq query --quiet|snow --format JSON_EXT"
  + "|trino --output-format JSON|sqlite3 -json|duckdb -jsonlines|mlr -S --icsv|mlr -S --itsv|sqlcmd -h -1 -y 0|sqlcmd -h -1"
  + "|friendly=false|--default-country|--map [^ ;,]+|AS \"[^\"]*\"|--ifs|-o FILE|-S|-y 0|-r|-c|cast|iconv|UTF-8|binary"
)] | unique | join(", ");
def named: names | if . == "" then "" else ": " + . end;
if .type == "row" then ([.row, .status, .code, .column | select(. != null)] | join(" ")) + (.detail // "" | named)
elif .error then .status + (.error | named)
else empty end
