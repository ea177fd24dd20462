package sink

import (
	"strconv"
	"strings"
)

const importPointer = "/data/attributes/profiles/data/"

// importPlace reads the profile's index from an error's pointer (klaviyo-api.md §4.4).
func importPlace(e *apiError, set []*Profile) (int, string) {
	return indexed(e.Source.Pointer, importPointer, len(set))
}

// importNamed is the naming of imports, whose errors name one profile each.
func importNamed(e *apiError, set []*Profile, blame func(int, string, string)) {
	if at, column := importPlace(e, set); at >= 0 {
		blame(at, column, e.text())
	}
}

// indexed reads the rest of a pointer behind the prefix as an index below n and a column; the index is -1 if there is
// none.
func indexed(pointer foreign, prefix string, n int) (int, string) {
	rest, ok := strings.CutPrefix(pointer.String(), prefix)
	if !ok {
		return -1, ""
	}
	index, path, _ := strings.Cut(rest, "/")
	at, err := strconv.ParseUint(index, 10, 31)
	if err != nil || int(at) >= n {
		return -1, ""
	}
	return int(at), attribute(path)
}

// attribute turns the end of an error's pointer into a column: attributes/location/city is location.city.
func attribute(pointer string) string {
	pointer = strings.Trim(pointer, "/")
	pointer = strings.TrimPrefix(strings.TrimPrefix(pointer, "attributes"), "/")
	pointer = strings.TrimPrefix(pointer, "properties/")
	return strings.ReplaceAll(pointer, "/", ".")
}
