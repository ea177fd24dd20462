package report

import (
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is how the text of results is encoded. Windows PowerShell writes UTF-16 with a byte order mark.
type encoding uint8

const (
	unseen encoding = iota // to be found out from the first bytes
	inUTF8
	littleUTF16
	bigUTF16
)

// mark is the byte order mark in UTF-8.
const mark = "\ufeff"

// encodingOf returns the encoding of results that begin with these bytes. Without a byte order mark, a result in UTF-16
// begins with a bracket and a quote.
func encodingOf(first []byte) encoding {
	begins := func(with string) bool { return len(first) >= len(with) && string(first[:len(with)]) == with }
	switch {
	case begins("\xff\xfe") || begins("{\x00\"\x00"):
		return littleUTF16
	case begins("\xfe\xff") || begins("\x00{\x00\""):
		return bigUTF16
	}
	return inUTF8
}

// size returns how many bytes text, which is in UTF-8 here, takes in the encoding.
func (e encoding) size(text []byte) int64 {
	if e < littleUTF16 {
		return int64(len(text))
	}
	n := int64(0)
	for _, r := range string(text) {
		n += 2 * int64(utf16.RuneLen(r))
	}
	return n
}

// narrow reads UTF-16 as UTF-8. Half a surrogate pair becomes U+FFFD, which takes as many bytes in UTF-16.
type narrow struct {
	in    io.Reader
	big   bool
	raw   []byte // what is read and not decoded yet
	text  []byte // what is decoded and not returned yet, from the beginning of all
	all   []byte
	ended error
}

func newNarrow(in io.Reader, e encoding) *narrow {
	return &narrow{in: in, big: e == bigUTF16, raw: make([]byte, 0, 32<<10)}
}

func (n *narrow) Read(p []byte) (int, error) {
	for len(n.text) == 0 {
		if n.ended != nil {
			return 0, n.ended
		}
		n.fill()
	}
	copied := copy(p, n.text)
	n.text = n.text[copied:]
	return copied, nil
}

// fill reads and decodes.
func (n *narrow) fill() {
	got, err := n.in.Read(n.raw[len(n.raw):cap(n.raw)])
	n.raw = n.raw[:len(n.raw)+got]
	n.ended = err
	n.all = n.all[:0]
	at := 0
	for ; at+1 < len(n.raw); at += 2 {
		r := n.unit(at)
		if utf16.IsSurrogate(r) {
			if at+3 >= len(n.raw) && err == nil {
				break // the other half may follow
			}
			pair := rune(utf8.RuneError)
			if at+3 < len(n.raw) {
				pair = utf16.DecodeRune(r, n.unit(at+2))
			}
			if r = pair; r != utf8.RuneError {
				at += 2
			}
		}
		n.all = utf8.AppendRune(n.all, r)
	}
	if at < len(n.raw) && err != nil { // half a character
		n.all, at = utf8.AppendRune(n.all, utf8.RuneError), len(n.raw)
	}
	n.text = n.all
	n.raw = n.raw[:copy(n.raw, n.raw[at:])]
}

// unit returns the two bytes at a place as a number.
func (n *narrow) unit(at int) rune {
	if n.big {
		return rune(n.raw[at])<<8 | rune(n.raw[at+1])
	}
	return rune(n.raw[at+1])<<8 | rune(n.raw[at])
}
