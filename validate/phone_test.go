package validate

import "testing"

func unknownCountry(name string) string {
	return `, and the row's country "` + name + `" is not known; ` +
		`write the number as +…, or the country as an ISO 3166 code`
}

const notByDefault = "; --default-country is only for rows without a country"

// phoneRow is a row with a phone number, with a country where country is not "".
func phoneRow(number, country string) string {
	row := `{"email":"a@b.example","phone_number":"` + number + `"`
	if country != "" {
		row += `,"country":"` + country + `"`
	}
	return row + "}"
}

// A phone number becomes E.164 by the row's country, or by the default in a row without one. A number with two
// readings is never guessed, and a country that is not known never falls back on the default.
func TestPhoneNumbers(t *testing.T) {
	const decimal = " is a decimal number, so its digits may be wrong; cast the column to text in the query"
	for _, test := range []struct {
		name, number, country, byDefault string
		want                             string // the number, "" for a fault
		code                             Code
		detail                           string // after the number
	}{
		{"a country code without +", "491712345678", "DE", "", "", PhoneAmbiguous,
			" can be read as +491712345678 or as +49491712345678; write it as +…"},
		{"a country code without + by default", "4915123456789", "", "DE", "", PhoneAmbiguous,
			" can be read as +4915123456789 or as +494915123456789; write it as +…"},
		{"an Indonesian one", "62211234567", "Indonesia", "", "", PhoneAmbiguous,
			" can be read as +62211234567 or as +6262211234567; write it as +…"},
		{"a country code without +, read in one way", "12015550123", "US", "", "+12015550123", "", ""},
		{"a local number after the calling code", "13100957", "TT", "", "", PhoneAmbiguous,
			" can be read as +13100957 or as +18683100957; write it as +…"},
		{"a national number", "0171 2345678", "DE", "", "+491712345678", "", ""},

		{"a decimal", "+4930901820.0", "", "", "", PhoneInvalid, decimal},
		{"a decimal in the country", "4930901820.0", "DE", "", "", PhoneInvalid, decimal},
		{"an exponent", "4.93E+11", "", "", "", PhoneInvalid, decimal},
		{"a decimal after a blank", "+4930901820 .0", "", "", "", PhoneInvalid, decimal},
		{"an exponent in the country", "4.91712345678e11", "DE", "", "", PhoneInvalid, decimal},

		{"a country in words", "030 90100001", "Germany", "GB", "+493090100001", "", ""},
		{"an alpha-3 code", "030 90100001", "deu", "GB", "+493090100001", "", ""},
		{"an alpha-2 code", "030 90100001", " de ", "GB", "+493090100001", "", ""},
		{"an abbreviation", "020 7946 0958", "UK", "DE", "+442079460958", "", ""},
		{"a country that is misspelt", "030 90100001", "Germnay", "GB", "", PhoneInvalid,
			" has no country code" + unknownCountry("Germnay") + notByDefault},
		{"a country that is misspelt, without a default", "030 90100001", "Germnay", "", "", PhoneInvalid,
			" has no country code" + unknownCountry("Germnay")},
		{"a name of two countries", "02-312-3456", "Korea", "KR", "", PhoneInvalid,
			" has no country code" + unknownCountry("Korea") + notByDefault},
		{"a country without phone numbers", "030 90100001", "AQ", "DE", "", PhoneInvalid,
			" has no country code" + unknownCountry("AQ") + notByDefault},
		{"an unknown country and a number with +", "+493090100001", "Germnay", "GB", "+493090100001", "", ""},
		{"an unknown country and a bad number", "call me", "Germnay", "GB", "", PhoneInvalid,
			" contains the letter 'c'; give a single number in digits, without an extension"},
		{"a blank country", "020 7946 0958", " ", "GB", "+442079460958", "", ""},

		{"00 in a country", "0044 20 7946 0958", "DE", "", "+442079460958", "", ""},
		{"00 by default", "0044 20 7946 0958", "", "FR", "+442079460958", "", ""},
		{"00 without a country", "0044 20 7946 0958", "", "", "", PhoneInvalid,
			" begins with 00, which means + only in some countries; write it as +…, or set --default-country"},
		{"00 and an unknown country", "0044 20 7946 0958", "Germnay", "DE", "", PhoneInvalid,
			" begins with 00, which means + only in some countries" + unknownCountry("Germnay") + notByDefault},
		{"00 in another country", "0044 20 7946 0958", "US", "", "", PhoneInvalid,
			" begins with 00, which does not mean + in US; write it as +…"},
		{"a spreadsheet's quote", "'+493090100001", "DE", "", "", PhoneInvalid,
			" begins with ', which a spreadsheet puts before text; remove it"},
	} {
		o := Options{DefaultCountry: test.byDefault}
		got := check(t, o, phoneRow(test.number, test.country))
		want := result{Key: `"a@b.example"`, Required: Present}
		location := ""
		if test.country != "" {
			location = `,"location":{"country":"` + test.country + `"}`
		}
		if test.want == "" {
			want.Fault = Fault{test.code, "phone_number", `"` + test.number + `"` + test.detail}
		} else {
			want.Profile = `{"type":"profile","attributes":{"email":"a@b.example","phone_number":"` + test.want + `"` +
				location + `}}`
		}
		if got != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", test.name, got, want)
		}

		o.BadPhone = Drop
		if test.want == "" {
			want.Fault, want.DroppedPhone = Fault{}, true
			want.Profile = `{"type":"profile","attributes":{"email":"a@b.example"` + location + `}}`
		}
		if got := check(t, o, phoneRow(test.number, test.country)); got != want {
			t.Errorf("%s, with --bad-phone drop\ngot  %+v\nwant %+v", test.name, got, want)
		}
	}
}

// With --bad-phone drop a bad number costs the number alone, while everything else that is wrong still rejects the row.
func TestBadPhone(t *testing.T) {
	o := Options{BadPhone: Drop, Map: mapping{"tel": "phone_number"}}
	key := `"a@b.co"`
	for _, test := range []struct {
		name, row string
		want      result
	}{
		{"the number alone", `{"tel":"call me","email":"a@b.co"}`, result{
			Profile: `{"type":"profile","attributes":{"email":"a@b.co"}}`, Key: key, Required: Present, DroppedPhone: true}},
		{"a good number", `{"tel":"+12015550123","email":"a@b.co"}`, result{
			Profile: `{"type":"profile","attributes":{"phone_number":"+12015550123","email":"a@b.co"}}`,
			Key:     key, Required: Present}},
		{"no number", `{"tel":" ","email":"a@b.co"}`, result{
			Profile: `{"type":"profile","attributes":{"email":"a@b.co"}}`, Key: key, Required: Present}},
		{"a later fault", `{"tel":"call me","email":"a@b.co","$x":1}`, result{
			Key: key, Required: Present, Fault: Fault{NameReserved, "$x", beginsWithDollar("$x")}}},
		{"a wrong type", `{"tel":5,"email":"a@b.co"}`, result{
			Key: key, Required: Present, Fault: Fault{TypeWrong, "tel",
				castOf("tel") + ", or add -S to mlr: a number loses + and leading zeros"}}},
		{"two numbers", `{"tel":"call me","phone_number":"1","email":"a@b.co"}`, result{
			Key: key, Required: Present,
			Fault: Fault{DuplicateMember, "phone_number", bothFill("tel", "phone_number", "phone_number")}}},
	} {
		if got := check(t, o, test.row); got != test.want {
			t.Errorf("%s: %s\ngot  %+v\nwant %+v", test.name, test.row, got, test.want)
		}
	}
	// The mark of one row does not stay for the next.
	var scratch Scratch
	var out Rows
	lines := phoneRow("call me", "") + "\n" + phoneRow("+12015550123", "") + "\nx\n" + phoneRow("x", "")
	checker(t, Options{BadPhone: Drop}).Check([]byte(lines), true, &scratch, &out)
	for i, want := range []bool{true, false, false, true} {
		if out.Rows[i].DroppedPhone != want {
			t.Errorf("row %d: dropped %t", i+1, !want)
		}
	}
}
