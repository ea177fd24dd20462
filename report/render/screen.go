package render

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
)

// anyWidth is the width of a terminal that reports none.
const anyWidth = 80

// screen is the terminal that mpb draws on. Between drawings the cursor stays at the beginning of the display, not
// below it: a resized terminal wraps the lines of the display again, but keeps the cursor at its character.
type screen struct {
	out    io.Writer
	width  func() int
	closed atomic.Bool  // stops all drawing
	above  []byte       // messages that are not printed yet
	next   bytes.Buffer // the display to draw, each line with its newline
	drawn  []byte       // the display on the terminal
	buf    []byte
}

// Write collects messages.
func (s *screen) Write(b []byte) (int, error) {
	s.above = append(s.above, b...)
	return len(b), nil
}

// ReadFrom collects a line of the display.
func (s *screen) ReadFrom(r io.Reader) (int64, error) { return s.next.ReadFrom(r) }

// IsTerminal makes mpb draw by itself, at the size that GetTermSize returns.
func (s *screen) IsTerminal() bool { return true }

// GetTermSize returns the width, and room for the display's two lines.
func (s *screen) GetTermSize() (width, height int, err error) {
	if width = s.width(); width <= 0 {
		width = anyWidth
	}
	return width, 2, nil
}

// Flush prints the messages and draws the display in one write.
func (s *screen) Flush(int) error {
	defer s.next.Reset()
	if s.closed.Load() {
		return nil
	}
	return s.draw(bytes.TrimRight(s.next.Bytes(), "\n"), bytes.LastIndexByte(s.above, '\n')+1)
}

// clear removes the display and prints the rest of the messages. An error only means that the terminal is gone.
func (s *screen) clear() { _ = s.draw(nil, len(s.above)) }

// draw prints the first bytes of the messages and draws the display below them.
func (s *screen) draw(display []byte, above int) error {
	if above == 0 && bytes.Equal(display, s.drawn) {
		return nil
	}
	b := s.buf[:0]
	if len(s.drawn) > 0 {
		b = append(b, '\r')
		if above > 0 || len(display) == 0 {
			b = append(b, eraseBelow...)
		}
	}
	b = append(b, s.above[:above]...)
	s.above = append(s.above[:0], s.above[above:]...)
	if len(display) > 0 {
		b = appendDisplay(b, display)
	}
	s.drawn = append(s.drawn[:0], display...)
	s.buf = b
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
func appendDisplay(b, display []byte) []byte {
	b = append(b, bytes.ReplaceAll(display, []byte("\n"), []byte(eraseLine+"\n"))...)
	b = append(b, eraseBelow+"\r"...)
	if below := bytes.Count(display, []byte("\n")); below > 0 {
		b = fmt.Appendf(b, cursorUp, below)
	}
	return b
}
