package validate

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// notJSON is the fault of a line that is not JSON. unended says that the line ends the input without a newline.
func notJSON(s *scanner, unended bool) *Fault {
	if s.problem == tooDeep {
		return &Fault{Code: RowTooDeep, Detail: fmt.Sprintf("the row has more than %d nesting levels", maxDepth)}
	}
	separator, hint := "", s.hint(unended)
	if hint != "" {
		separator = "; "
	}
	return &Fault{Code: JSONInvalid, Detail: "the row is not JSON: " + s.describe() + separator + hint}
}

// describe returns what the problem is and where.
func (s *scanner) describe() string {
	if s.problem == cut {
		return "the line ends in the middle of a value"
	}
	rest := s.line[s.at:]
	found, _ := utf8.DecodeRune(rest)
	switch s.problem {
	case badNumber:
		return fmt.Sprintf("expected a number such as 0, -1.5 or 2e9, got %s at byte %d", quote(word(rest)), s.at+1)
	case badEscape:
		if rest[1] == 'u' {
			return fmt.Sprintf(`expected four hexadecimal digits after \u at byte %d`, s.at+1)
		}
		found, _ = utf8.DecodeRune(rest[1:])
		return fmt.Sprintf(`expected an escape such as \n or \\, got %q after the backslash at byte %d`, found, s.at+1)
	case loneSurrogate:
		return fmt.Sprintf("expected both halves of a surrogate pair, got one at byte %d: "+
			"the text was cut inside a character", s.at+1)
	}
	got := fmt.Sprintf("got %q at byte %d", found, s.at+1)
	switch s.problem {
	case rawControl:
		return "expected an escaped control character, " + got
	case noName:
		return "expected a name in double quotes, " + got
	case noColon:
		return "expected a colon after a name, " + got
	case noComma:
		return "expected a comma or a closing bracket, " + got
	case trailingComma:
		if found == '}' {
			return "expected a name after the comma, " + got
		}
		return "expected a value after the comma, " + got
	case afterEnd:
		return "expected the end of the line, " + got
	}
	return "expected a value, " + got
}

// word returns the beginning of p up to white space or what follows a value in JSON.
func word(p []byte) []byte {
	if i := bytes.IndexAny(p, " \t\r,]}"); i > 0 {
		return p[:i]
	}
	return p
}

// hint returns the remedy for the problem, "" for none.
func (s *scanner) hint(unended bool) string {
	line := s.line[space(s.line, 0):]
	if hint := lineHint(line); hint != "" {
		return hint
	}
	if hint := wrapperHint(line); hint != "" && s.problem == cut {
		return hint
	}
	switch rest := s.line[s.at:]; {
	case s.problem == cut && unended:
		return cutHint
	case s.problem == noColon && string(rest) == "}":
		return nestingHint
	case s.problem == cut && string(line) == "{", s.problem == badValue && (line[0] == '}' || line[0] == ']'):
		return linesHint
	case s.problem == cut && broken(line):
		return brokenHint
	case s.problem == rawControl && rest[0] == '\r':
		return breakHint
	case s.problem == afterEnd && line[0] == '"' && rest[0] == ':':
		return cmp.Or(wrapperHint(line), linesHint)
	case s.problem == badValue && isNumberWord(rest), s.problem == badNumber && isNumberWord(rest[1:]):
		return numberHint
	case s.problem == noComma && strings.IndexByte("xXbo", rest[0]) >= 0 && s.line[s.at-1] == '0',
		s.problem == badNumber && line[0] == '{',
		s.problem == badValue && line[0] == '{' && (rest[0] == '.' || rest[0] == '+'):
		return digitsHint
	case s.problem != cut && bytes.Contains(s.line[:s.at], []byte(`\\"`)):
		return backslashHint
	case s.problem == noName && rest[0] == '\'':
		return pythonHint
	case s.problem == afterEnd && line[0] == '"' && rest[0] == ',':
		return quotedHint
	case s.problem == badValue && line[0] == ',':
		return commaHint
	case s.problem == badValue && len(rest) == len(line), s.problem == afterEnd && line[0] != '{':
		return objectHint
	case s.problem == afterEnd && rest[0] == '{':
		return severalHint
	case s.problem == afterEnd && (rest[0] == ',' || rest[0] == ']'):
		return commaHint
	}
	return ""
}

// broken reports whether a line ends inside a string.
func broken(line []byte) bool {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == '\\' && quoted:
			i++
		}
	}
	return quoted
}

// isNumberWord reports whether p begins with a number that some clients print and JSON does not have.
func isNumberWord(p []byte) bool {
	for _, name := range [...]string{"nan", "inf", "infinity"} {
		if strings.EqualFold(string(word(p)), name) {
			return true
		}
	}
	return false
}

// notUTF8 is the fault of a line that is not UTF-8. unended says that the line ends the input without a newline.
func notUTF8(line []byte, unended bool) *Fault {
	at := 0
	for {
		r, n := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	hint := bytesHint
	switch {
	case unended && !utf8.FullRune(line[at:]):
		hint = cutHint
	case bytes.HasPrefix(line, []byte("\xff\xfe")), bytes.HasPrefix(line, []byte("\xfe\xff")),
		bytes.IndexByte(line, 0) >= 0:
		hint = utf16Hint
	}
	detail := fmt.Sprintf("the row is not UTF-8: byte %d is 0x%02x; %s", at+1, line[at], hint)
	return &Fault{Code: JSONInvalid, Detail: detail}
}

// notAnObject is the fault of a line that is JSON of another kind.
func notAnObject(line []byte, k kind) *Fault {
	detail := fmt.Sprintf("expected an object, got %s", k)
	if k == array {
		detail += "; " + bracketHint(line[space(line, 0):])
	}
	return &Fault{Code: NotAnObject, Detail: detail}
}

// tooLong is the fault of a line that is longer than MaxRow. head is its beginning.
func tooLong(head []byte) *Fault {
	detail := fmt.Sprintf("the row is longer than %d bytes", MaxRow)
	head = head[space(head, 0):]
	if bytes.HasPrefix(head, []byte("[")) {
		detail += "; " + bracketHint(head)
	} else if hint := wrapperHint(head); hint != "" {
		detail += "; " + hint
	}
	return &Fault{Code: RowTooLong, Detail: detail}
}
