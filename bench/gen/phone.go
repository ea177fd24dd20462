package main

import "strings"

// noNational in place of a trunk prefix means that numbers are always written with the country code.
const noNational = "-"

// phones describes the phone numbers of one market: each filling of a pattern is a valid number.
type phones struct {
	calling  string   // country calling code
	trunk    string   // prefix of numbers that are written without the country code, or noNational
	patterns []string // for dice.fill, with spaces between groups of digits
}

func newPhones(calling, trunk, patterns string) phones {
	return phones{calling, trunk, strings.Split(patterns, "|")}
}

// grouped appends number and replaces each space by between.
func grouped(b, number []byte, between string) []byte {
	for _, c := range number {
		if c == ' ' {
			b = append(b, between...)
		} else {
			b = append(b, c)
		}
	}
	return b
}

// international is the number of ways in which appendInternational writes a number.
const international = 8

// appendInternational appends a number with its country code, in one of the formats of Klaviyo's help
// (klaviyo-api.md §10).
func (p phones) appendInternational(b, number []byte, way int) []byte {
	switch way {
	case 0:
		return grouped(append(append(b, '+'), p.calling...), number, "")
	case 1:
		return grouped(append(append(append(b, '+'), p.calling...), '-'), number, "-")
	case 2:
		return grouped(append(append(append(b, '+'), p.calling...), ' '), number, " ")
	case 3:
		return grouped(append(append(b, "tel:+"...), p.calling...), number, "")
	case 4:
		return grouped(append(append(b, "tel: +"...), p.calling...), number, "-")
	case 5:
		return grouped(append(append(append(b, "(+"...), p.calling...), ") "...), number, " ")
	case 6:
		return grouped(append(append(append(b, '+'), p.calling...), '.'), number, ".")
	default:
		return grouped(append(append(append(b, '+'), p.calling...), "\u00a0"...), number, "\u00a0")
	}
}

// national is the number of ways in which appendNational writes a number.
const national = 5

// appendNational appends a number without its country code.
func (p phones) appendNational(b, number []byte, way int) []byte {
	switch way {
	case 0:
		return grouped(append(b, p.trunk...), number, "")
	case 1:
		return grouped(append(b, p.trunk...), number, "-")
	case 2:
		return grouped(append(b, p.trunk...), number, " ")
	case 3:
		return grouped(append(append(b, "tel: "...), p.trunk...), number, "")
	default:
		b = append(append(b, '('), p.trunk...)
		for i, c := range number {
			if c == ' ' {
				return grouped(append(b, ") "...), number[i+1:], "-")
			}
			b = append(b, c)
		}
		return append(b, ')')
	}
}
