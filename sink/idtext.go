package sink

import (
	"regexp"
	"strings"
	"unicode"
)

// foundIDs are the ids of a request that the text of an error names, such as "Invalid profile IDs: 01H…, 01H…"
// (klaviyo-more.md §9).
type foundIDs struct {
	ids           []string // each once
	before, after string   // the text around the list of ids, for people
}

// aroundID bounds the text on either side of the one id in a profile's reason, in bytes.
const aroundID = 300

// findIDs finds the ids among the words of a text. An id that may be the beginning of a longer one is left out: its
// profile is not blamed before a later answer names it whole.
func findIDs(text string, places map[string][]int) foundIDs {
	found := foundIDs{}
	seen := map[string]bool{}
	first, last := -1, 0
	for start := 0; start < len(text); {
		begin := strings.IndexFunc(text[start:], inID)
		if begin < 0 {
			break
		}
		begin += start
		end := len(text)
		if n := strings.IndexFunc(text[begin:], notInID); n >= 0 {
			end = begin + n
		}
		start = end
		id := text[begin:end]
		if len(places[id]) == 0 || isCut(text, end, id, places) {
			continue
		}
		if first < 0 {
			first = begin
		}
		last = end
		if !seen[id] {
			seen[id] = true
			found.ids = append(found.ids, id)
		}
	}
	if first >= 0 {
		first, last = listBegin(text, first), listEnd(text, last)
		found.before, found.after = visible(text[:first], aroundID), visible(text[last:], aroundID)
	}
	return found
}

// about is the reason against the profile of one id: the text with this id in place of the list.
func (f *foundIDs) about(id string) string { return cut(f.before + foreign(id).String() + f.after) }

func inID(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' }

func notInID(r rune) bool { return !inID(r) }

// cutWithoutSign is the length of a text that may have been cut without a sign of it.
const cutWithoutSign = 200

// isCut reports whether the id that ends there may be the beginning of a longer one, which a text that was cut names.
func isCut(text string, end int, id string, places map[string][]int) bool {
	switch rest := text[end:]; {
	case strings.HasPrefix(rest, "…") || strings.HasPrefix(rest, "..."):
		return true
	case rest != "" || len(text) < cutWithoutSign:
		return false
	}
	for other := range places {
		if len(other) > len(id) && strings.HasPrefix(other, id) {
			return true
		}
	}
	return false
}

// listBegin returns where the list begins whose first id of the request begins there: ids of no profile of the
// request may precede it, after a colon or a bracket.
func listBegin(text string, first int) int {
	colon := strings.LastIndexAny(text[:first], ":[(")
	if colon < 0 || !othersBefore.MatchString(text[colon+1:first]) {
		return first
	}
	return colon + strings.IndexFunc(text[colon:first], inID)
}

// othersBefore matches the ids before one of a list, and restOfList what follows it. Ids may be quoted.
var (
	othersBefore = regexp.MustCompile("^\\s*(?:[\"'`]?[\\pL\\pN_-]+[\"'`]?,\\s*)+[\"'`]?$")
	restOfList   = regexp.MustCompile("^(?:[\"'`]?,\\s*[\"'`]?[\\pL\\pN_-]+)*(?:[\"'`]?,?\\s*(?:…|\\.\\.\\.))?")
)

// listEnd returns where the list ends whose last id of the request ends there.
func listEnd(text string, last int) int { return last + len(restOfList.FindString(text[last:])) }
