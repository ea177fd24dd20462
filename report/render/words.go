package render

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// grouped writes a count with a comma between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// numbered writes a number of things. Their plural ends in s.
func numbered(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// oneOf joins words as "a", "a or b" or "a, b or c".
func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// duration writes seconds as 1.25s, 12.3s, 7m12s or 26h3m5s.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// share writes a part in percent. Rounding never makes it 0 % or 100 %.
func share(part, all int64) string {
	if all == 0 {
		return ""
	}
	percent := float64(part) / float64(all) * 100
	switch {
	case part > 0 && percent < 0.1:
		return "< 0.1 %"
	case part < all && percent > 99.9:
		return "> 99.9 %"
	}
	return strconv.FormatFloat(percent, 'f', 1, 64) + " %"
}

// size writes bytes in kB, MB, GB or TB.
func size(bytes int64) string {
	value, unit := float64(bytes)/1e3, "kB"
	for _, larger := range []string{"MB", "GB", "TB"} {
		if value < 999.95 {
			break
		}
		value, unit = value/1e3, larger
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + unit
}

// rounded rounds to three decimals: seconds to milliseconds.
func rounded(n float64) float64 { return math.Round(n*1000) / 1000 }

// columns returns an upper bound for the width of text on a terminal. A character outside of ASCII may take two
// columns.
func columns(text string) int {
	ascii := 0
	for i := range len(text) {
		if text[i] < utf8.RuneSelf {
			ascii++
		}
	}
	return 2*utf8.RuneCountInString(text) - ascii
}

// clipped cuts text to width columns.
func clipped(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	left := width - columns("…")
	for i, r := range text {
		if left -= columns(string(r)); left < 0 {
			return text[:i] + "…"
		}
	}
	return text
}
