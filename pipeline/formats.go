package pipeline

const (
	blank = " \t\r\n"
	bom   = "\xef\xbb\xbf"
)

// beginnings are the first bytes that tell what an input is, with the error of an input that cannot be read.
var beginnings = []struct {
	begins string
	fault  *Error
}{
	{bom, nil},
	{"\xff\xfe", notUTF8},
	{"\xfe\xff", notUTF8},
	{"\x1f\x8b", compressed("gzip", "gunzip <")},
	{"\x28\xb5\x2f\xfd", compressed("zstd", "unzstd <")},
	{"\xfd7zXZ\x00", compressed("xz", "unxz <")},
	{"BZh", compressed("bzip2", "bunzip2 <")},
	{"\x04\x22\x4d\x18", compressed("lz4", "unlz4 <")},
	{"PK\x03\x04", archive},
	{"PAR1", binary("a Parquet file", `duckdb -jsonlines -c "select * from 'FILE'" |`)},
	{"SQLite format 3\x00", binary("a SQLite database", `sqlite3 -json FILE "select …" |`)},
}

var notUTF8 = &Error{
	Text: "read standard input: expected UTF-8, got UTF-16",
	Hint: "make the client print UTF-8 (sqlcmd: -f 65001), or convert: iconv -f UTF-16 -t UTF-8 FILE | klaviyo-export …",
}

// archive is a zip file; spreadsheets are zip files, too.
var archive = &Error{
	Text: "read standard input: expected JSON rows, got a zip archive or a spreadsheet",
	Hint: "unpack it: unzip -p FILE | klaviyo-export …; save an xlsx file as CSV first, and convert that to JSON rows",
}

func compressed(format, by string) *Error {
	return &Error{
		Text: "read standard input: expected JSON rows, got " + format + " data",
		Hint: "decompress it: " + by + " FILE | klaviyo-export …",
	}
}

func binary(what, by string) *Error {
	return &Error{
		Text: "read standard input: expected JSON rows, got " + what,
		Hint: "print its rows as JSON: " + by + " klaviyo-export …",
	}
}
