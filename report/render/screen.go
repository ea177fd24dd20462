package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// anyWidth is the width of a terminal that reports none.
const anyWidth = 80

// screen is a terminal. Between drawings the cursor stays at the beginning of the display, not below it: a resized
// terminal wraps the lines of the display again, but keeps the cursor at its character.
type screen struct {
	out   io.Writer
	above []byte // messages that are not printed yet
	drawn string // the display on the terminal
	buf   []byte
}

// draw prints the lines of messages that have ended and draws the display below them, in one write.
func (s *screen) draw(display string) error {
	return s.redraw(display, bytes.LastIndexByte(s.above, '\n')+1)
}

// clear removes the display and prints the rest of the messages. An error only means that the terminal is gone.
func (s *screen) clear() { _ = s.redraw("", len(s.above)) }

// redraw prints the first bytes of the messages and draws the display below them.
func (s *screen) redraw(display string, above int) error {
	if above == 0 && display == s.drawn {
		return nil
	}
	b := s.buf[:0]
	if s.drawn != "" {
		b = append(b, '\r')
		if above > 0 || display == "" {
			b = append(b, eraseBelow...)
		}
	}
	b = append(b, s.above[:above]...)
	s.above = append(s.above[:0], s.above[above:]...)
	if display != "" {
		b = appendDisplay(b, display)
	}
	s.drawn, s.buf = display, b
	_, err := s.out.Write(b)
	return err
}

// Control sequences of ECMA-48. Every terminal knows them.
const (
	eraseLine  = "\x1b[K" // from the cursor on
	eraseBelow = "\x1b[J" // from the cursor on, to the end of the screen
	cursorUp   = "\x1b[%dA"
)

// appendDisplay overwrites the old display, so that nothing flickers, and puts the cursor back at its beginning.
func appendDisplay(b []byte, display string) []byte {
	b = append(b, strings.ReplaceAll(display, "\n", eraseLine+"\n")...)
	b = append(b, eraseBelow+"\r"...)
	if below := strings.Count(display, "\n"); below > 0 {
		b = fmt.Appendf(b, cursorUp, below)
	}
	return b
}
