package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
)

// A row is rejected with phone_invalid exactly where the phone library knows no such number.
func TestPhones(t *testing.T) {
	m := generatePairs(t, "-n", "2500", "-bad", "20")
	var numbers, countries = 0, map[int32]bool{}
	for i, want := range m.expectations {
		var row struct {
			Phone    *string `json:"phone_number"`
			Country  string  `json:"country"`
			Location struct {
				Country string `json:"country"`
			} `json:"location"`
		}
		if want.Status == "rejected" && want.Code != "phone_invalid" || json.Unmarshal(m.lines[i], &row) != nil ||
			row.Phone == nil || strings.TrimSpace(*row.Phone) == "" {
			continue
		}
		number, valid := parsePhone(*row.Phone, row.Country+row.Location.Country)
		if valid != (want.Status != "rejected") {
			t.Errorf("row %d: %q in %q is valid: %t, the expectation is %+v",
				want.Row, *row.Phone, row.Country+row.Location.Country, valid, want)
		}
		if valid {
			numbers++
			countries[number.GetCountryCode()] = true
		}
	}
	if share := numbers * 100 / len(m.lines); share < 30 || len(countries) < 30 {
		t.Errorf("expected phone numbers of 30 countries in 30%% of the rows, got %d in %d%%", len(countries), share)
	}
}

// parsePhone reads a number, and reports whether it is valid and has only characters that Klaviyo accepts in uploads.
func parsePhone(written, region string) (*phonenumbers.PhoneNumber, bool) {
	written = strings.TrimPrefix(strings.TrimSpace(written), "tel:")
	if strings.Trim(written, "+0123456789 -.()\u00a0") != "" || strings.Count(written, "+") > 1 {
		return nil, false
	}
	number, err := phonenumbers.Parse(written, strings.ToUpper(region))
	return number, err == nil && phonenumbers.IsValidNumber(number)
}

// Every pattern makes valid numbers, in all formats.
func TestEveryPatternIsAPhoneNumber(t *testing.T) {
	var d dice
	d.throw(1, 0, 0)
	for _, m := range markets() {
		for _, pattern := range m.phones.patterns {
			for i := range 60 {
				digits := d.fill(nil, pattern)
				e164 := "+" + m.phones.calling + strings.ReplaceAll(string(digits), " ", "")
				if i > 0 {
					checkPhone(t, e164, "", e164)
					continue
				}
				for way := range international {
					checkPhone(t, string(m.phones.appendInternational(nil, digits, way)), "", e164)
				}
				for way := range national {
					if m.phones.trunk != noNational {
						checkPhone(t, string(m.phones.appendNational(nil, digits, way)), m.code, e164)
					}
				}
			}
		}
	}
}

// checkPhone fails the test unless written is the number e164.
func checkPhone(t *testing.T, written, region, e164 string) {
	t.Helper()
	number, valid := parsePhone(written, region)
	if !valid || phonenumbers.Format(number, phonenumbers.E164) != e164 {
		t.Errorf("%q in %q: expected %s, got %v, valid %t", written, region, e164, number, valid)
	}
}
