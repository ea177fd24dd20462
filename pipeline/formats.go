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
	{"\x1f\x8b", compressed("gunzip")},
	{"\x28\xb5\x2f\xfd", compressed("unzstd")},
	{"BZh", compressed("bunzip2")},
	{"PK\x03\x04", compressed("unzip -p")},
}

var notUTF8 = &Error{
	Text: "read standard input: expected UTF-8, got UTF-16",
	Hint: "make the client print UTF-8 (sqlcmd: -f 65001), or convert: iconv -f UTF-16 -t UTF-8 FILE | klaviyo-export …",
}

func compressed(by string) *Error {
	return &Error{
		Text: "read standard input: the input is compressed",
		Hint: "decompress it: " + by + " < FILE | klaviyo-export …",
	}
}
