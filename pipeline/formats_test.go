package pipeline

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
)

// An input in another format ends the run before anything is sent. The error names the format, and the hint the program
// that reads it.
func TestOtherFormats(t *testing.T) {
	for _, c := range []struct{ name, begins, problem, hint string }{
		{"gzip", "\x1f\x8b\x08\x00", "gzip", "gunzip < FILE |"},
		{"zstd", "\x28\xb5\x2f\xfd\x04", "zstd", "unzstd < FILE |"},
		{"xz", "\xfd7zXZ\x00\x00", "xz", "unxz < FILE |"},
		{"bzip2", "BZh91AY", "bzip2", "bunzip2 < FILE |"},
		{"lz4", "\x04\x22\x4d\x18\x64", "lz4", "unlz4 < FILE |"},
		{"zip and xlsx", "PK\x03\x04\x14", "zip archive or a spreadsheet", "unzip -p FILE |"},
		{"Parquet", "PAR1\x15", "Parquet", "duckdb -jsonlines"},
		{"SQLite", "SQLite format 3\x00\x10", "SQLite", "sqlite3 -json FILE"},
		{"UTF-16, little-endian", "\xff\xfe{\x00", "UTF-16", "iconv -f UTF-16 -t UTF-8"},
		{"UTF-16, big-endian", "\xfe\xff\x00{", "UTF-16", "iconv -f UTF-16 -t UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, sim := addOptions(t, nil)
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, iotest.OneByteReader(strings.NewReader(c.begins)), &out)
			if rep.ExitCode != 2 || rep.Rows.Read != 0 || !strings.Contains(rep.Error, c.problem) ||
				!strings.Contains(Hint(err), c.hint) {
				t.Errorf("exit %d, %d rows, error %q, hint %q", rep.ExitCode, rep.Rows.Read, rep.Error, Hint(err))
			}
			for request := range sim.Requests() {
				if !strings.HasPrefix(request, "GET ") {
					t.Errorf("request %s", request)
				}
			}
		})
	}
}
