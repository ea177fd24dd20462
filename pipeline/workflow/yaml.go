package workflow

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// explain turns an error of the YAML package into a fault that helps who writes settings. The fault shows no text
// of the file, which may be the key.
func (s *source) explain(file string, text []byte, err error) {
	fault := (*yaml.LoadError)(nil)
	if !errors.As(err, &fault) {
		s.add(file, "", "expected YAML, got another text")
		return
	}
	mark := fault.Mark
	unclosed := fault.ContextMsg == "while scanning a quoted scalar" &&
		strings.HasSuffix(fault.Message, "end of stream")
	if unclosed {
		mark = fault.ContextMark
	}
	at, line := file, ""
	if mark.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", file, mark.Line, mark.Column)
		lines := strings.SplitN(string(text), "\n", mark.Line+1)
		line = lines[min(mark.Line, len(lines))-1]
	}
	s.add(at, "", "%s", remedy(fault.Message, line, unclosed))
}

// remedy says what is wrong with a line that the YAML package gives a message for.
func remedy(message, line string, unclosed bool) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case unclosed:
		return "the quote that begins here has no end"
	case strings.Contains(indent, "\t"):
		return "expected spaces as indentation, got a tab"
	case strings.HasPrefix(message, "mapping values are not allowed"):
		return `expected one ": " in a line, got two; put a text that has ": " in quotes, and check the indentation`
	case strings.HasPrefix(message, "found character that cannot start"):
		return "no plain text begins with this character; put the text in quotes"
	case strings.HasPrefix(message, "did not find expected ','") && strings.Contains(line, "${"):
		return "inside { } or [ ], put ${…} in quotes"
	case strings.HasPrefix(message, "unknown anchor"):
		return "this alias has no anchor; put a text that begins with * in quotes"
	}
	return "expected YAML: " + strings.TrimPrefix(message, "yaml: ")
}
