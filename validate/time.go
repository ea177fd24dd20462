package validate

import (
	"bytes"
	"time"
)

// utcForm is how the time of a consent is sent.
const utcForm = "2006-01-02T15:04:05Z"

// earliest is the first time that Klaviyo keeps: it changes earlier ones to this one (klaviyo-more.md section 2.2).
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// The ends of the sentences on a text that is not the time of a consent.
const (
	isNumber = "is a number; make it a time with a zone in the query, as in to_timestamp(seconds)"
	isDate   = "is a date alone; write a time with its zone, " + timeForm
	noTime   = "is not a time with a zone, " + timeForm
	noZone   = "has no time zone; name its own zone in the query, as in AT TIME ZONE 'Asia/Tokyo', or append +09:00"
	zoneName = "has a zone with a name; convert it in the query, as in AT TIME ZONE 'UTC'"
	noSuch   = "is a time that does not exist"
	tooEarly = "is before 1990-01-01, and Klaviyo would change it to that day; correct it, or leave the row out"
	tooLate  = "is in the future; correct it, or its zone if that is of another place"
	timeForm = "such as 2024-01-08T06:30:00+09:00"
)

// consentTime returns the time of the row's consent in utcForm, without the fraction of its second. It is valid until
// the next row.
func (c *Checker) consentTime(s *Scratch) ([]byte, *Fault) {
	p := s.filled[consentedAt]
	if p == 0 || s.member(p).kind != text {
		return nil, c.noConsentTime(s)
	}
	value := trim(s.scan.text(s.member(p)))
	if len(value) == 0 {
		return nil, c.noConsentTime(s)
	}
	at, reason := parseTime(value)
	switch {
	case reason != "":
	case at.Before(earliest):
		reason = tooEarly
	case at.After(time.Now()):
		reason = tooLate
	default:
		return at.AppendFormat(s.consentedAt[:0], utcForm), nil
	}
	return nil, &Fault{ConsentedAtInvalid, cutName(c.consentedAt), quoteThen(value, reason)}
}

// noConsentTime is the fault of a row that has no text in the column with the times.
func (c *Checker) noConsentTime(s *Scratch) *Fault {
	detail := "column " + quote(c.consentedAt)
	switch m := s.named(c.consentedAt); {
	case m == nil:
		detail += " is missing" + s.nearFlag("--consented-at", c.consentedAt)
	case m.kind == null:
		detail += " is null; every row needs the time of its consent"
	case m.kind == text:
		detail += " is empty; every row needs the time of its consent"
	case m.kind == number:
		detail += " " + isNumber
	default:
		detail += ": expected a time with a zone, got " + m.kind.String()
	}
	return &Fault{ConsentedAtInvalid, cutName(c.consentedAt), detail}
}

// parseTime reads a time with its zone, in RFC 3339 or as SQL clients print it: 2024-01-08 06:30:00.123+09. reason says
// why b is no such time: the end of a sentence that begins with b.
func parseTime(b []byte) (at time.Time, reason string) {
	const date, clock = "0000-00-00", "00:00:00"
	positive := bytes.TrimPrefix(b, []byte("-"))
	switch {
	case len(positive) > 0 && digits(positive, 0) == len(positive):
		return at, isNumber
	case !matches(b, date):
		return at, noTime
	case len(b) == len(date):
		return at, isDate
	case b[len(date)]|0x20 != 't' && b[len(date)] != ' ' || !matches(b[len(date)+1:], clock):
		return at, noTime
	}
	end := len(date) + 1 + len(clock)
	if end < len(b) && b[end] == '.' {
		fraction := digits(b, end+1)
		if fraction == end+1 {
			return at, noTime
		}
		end = fraction
	}
	offset, reason := parseZone(bytes.TrimLeft(b[end:], " "))
	if reason != "" {
		return at, reason
	}
	month, day, hour, minute, second := two(b[5:]), two(b[8:]), two(b[11:]), two(b[14:]), two(b[17:])
	at = time.Date(100*two(b)+two(b[2:]), time.Month(month), day, hour, minute, second, 0, time.UTC)
	if at.Month() != time.Month(month) || at.Day() != day || hour > 23 || minute > 59 || second > 59 {
		return at, noSuch
	}
	return at.Add(-offset), ""
}

// parseZone reads Z, UTC, GMT or an offset from UTC. reason is that of parseTime.
func parseZone(b []byte) (offset time.Duration, reason string) {
	switch {
	case len(b) == 0:
		return 0, noZone
	case bytes.EqualFold(b, []byte("Z")), bytes.EqualFold(b, []byte("UTC")), bytes.EqualFold(b, []byte("GMT")):
		return 0, ""
	case classes[b[0]]&letter != 0:
		return 0, zoneName
	case b[0] != '+' && b[0] != '-':
		return 0, noTime
	}
	hours, minutes := b[1:], []byte("00")
	switch {
	case matches(hours, "00:00") && len(hours) == 5:
		minutes = hours[3:]
	case matches(hours, "0000") && len(hours) == 4:
		minutes = hours[2:]
	case !matches(hours, "00") || len(hours) != 2:
		return 0, noTime
	}
	if two(hours) > maxOffset || two(minutes) > 59 {
		return 0, noSuch
	}
	offset = time.Duration(two(hours))*time.Hour + time.Duration(two(minutes))*time.Minute
	if b[0] == '-' {
		offset = -offset
	}
	return offset, ""
}

// maxOffset is more hours than any zone is away from UTC.
const maxOffset = 15

// two returns the number that b begins with, of two digits.
func two(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }
