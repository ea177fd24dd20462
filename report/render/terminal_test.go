package render

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
)

// terminal is a terminal emulator. Like common terminals, it wraps lines again when it is resized, and moves the
// cursor along.
type terminal struct {
	mu       sync.Mutex
	width    int
	rows     [][]rune
	wrapped  []bool // the row continues in the next one
	row, col int
	writes   int
	err      error
}

func newTerminal(width int) *terminal {
	return &terminal{width: width, rows: [][]rune{nil}, wrapped: []bool{false}}
}

func (s *terminal) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	s.writes++
	for text := string(b); text != ""; {
		var n int
		switch {
		case strings.HasPrefix(text, "\x1b[K"):
			s.erase()
			text = text[3:]
		case strings.HasPrefix(text, "\x1b[J"):
			s.erase()
			s.rows, s.wrapped = s.rows[:s.row+1], s.wrapped[:s.row+1]
			text = text[3:]
		case text[0] == '\x1b':
			if _, err := fmt.Sscanf(text, "\x1b[%dA", &n); err != nil {
				panic(fmt.Sprintf("control sequence %.10q", text))
			}
			s.row = max(s.row-n, 0)
			_, text, _ = strings.Cut(text, "A")
		default:
			r, size := utf8.DecodeRuneInString(text)
			s.put(r)
			text = text[size:]
		}
	}
	return len(b), nil
}

func (s *terminal) put(r rune) {
	switch {
	case r == '\r':
		s.col = 0
		return
	case r == '\n':
		s.down()
		return
	case s.col == s.width:
		s.wrapped[s.row] = true
		s.down()
	}
	for len(s.rows[s.row]) <= s.col {
		s.rows[s.row] = append(s.rows[s.row], ' ')
	}
	s.rows[s.row][s.col] = r
	s.col++
}

func (s *terminal) down() {
	s.row, s.col = s.row+1, 0
	if s.row == len(s.rows) {
		s.rows, s.wrapped = append(s.rows, nil), append(s.wrapped, false)
	}
}

// erase clears the row from the cursor on. After the last column was filled, it clears that column too.
func (s *terminal) erase() {
	s.col = min(s.col, s.width-1)
	s.rows[s.row] = s.rows[s.row][:min(s.col, len(s.rows[s.row]))]
	s.wrapped[s.row] = false
}

func (s *terminal) resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, wrapped, row, col := s.rows, s.wrapped, s.row, s.col
	s.width, s.rows, s.wrapped, s.row, s.col = width, [][]rune{nil}, []bool{false}, 0, 0
	atRow, atCol := 0, 0
	for i, text := range rows {
		if i == row {
			atRow, atCol = s.row, s.col+col
			if atCol >= width {
				atRow, atCol = atRow+atCol/width, atCol%width
			}
		}
		for _, r := range text {
			s.put(r)
		}
		if !wrapped[i] && i < len(rows)-1 {
			s.down()
		}
	}
	s.row, s.col = atRow, atCol
}

func (s *terminal) columns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width
}

func (s *terminal) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, row := range s.rows {
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// stage is a Progress on a terminal, in a synctest bubble.
type stage struct {
	t        *testing.T
	terminal *terminal
	progress *Progress

	mu     sync.Mutex
	moment report.Moment
}

func onStage(t *testing.T, width int, play func(*stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, terminal: newTerminal(width)}
		s.progress = NewProgress(s.terminal, "", s.terminal.columns, func() report.Moment {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.moment
		})
		play(s)
		s.progress.Close()
	})
}

// now changes the moment.
func (s *stage) now(change func(*report.Moment)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.moment)
}

// drawing waits for the next drawing and checks that the terminal shows want.
func (s *stage) drawing(want string) {
	s.t.Helper()
	time.Sleep(drawEvery)
	synctest.Wait()
	s.shows(want)
}

func (s *stage) shows(want string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.terminal.String()); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (s *stage) write(text string) {
	s.t.Helper()
	if n, err := s.progress.Write([]byte(text)); n != len(text) || err != nil {
		s.t.Errorf("Write returned %d, %v", n, err)
	}
}
