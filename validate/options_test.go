package validate

import "testing"

func TestOptionErrors(t *testing.T) {
	type columns = map[string]string
	tests := []struct {
		o    Options
		want string
	}{
		{Options{DefaultCountry: "UK"}, "default country `UK`: no ISO 3166 alpha-2 code of a country with phone numbers, such as JP or US"},
		{Options{DefaultCountry: "Japan"}, "default country `Japan`: no ISO 3166 alpha-2 code of a country with phone numbers, such as JP or US"},
		{Options{Operation: Remove, DefaultCountry: "001"}, "default country `001`: no ISO 3166 alpha-2 code of a country with phone numbers, such as JP or US"},
		{Options{Map: columns{"a": "plan"}}, "map column `a` to `plan`: no attribute of Klaviyo's: write properties.plan for a custom property"},
		{Options{Map: columns{"a": ""}}, "map column `a` to ``: the target is empty: write properties.NAME for a custom property"},
		{Options{Map: columns{"a": "Email"}}, "map column `a` to `Email`: no attribute of Klaviyo's: write email, or properties.Email for a custom property"},
		{Options{Map: columns{"a": "ZIP"}}, "map column `a` to `ZIP`: no attribute of Klaviyo's: write zip, or properties.ZIP for a custom property"},
		{Options{Map: columns{"a": "location"}}, "map column `a` to `location`: location is an object: write location.NAME"},
		{Options{Map: columns{"a": "properties"}}, "map column `a` to `properties`: properties is an object: write properties.NAME"},
		{Options{Map: columns{"a": "location.town"}}, "map column `a` to `location.town`: location has no such member"},
		{Options{Map: columns{"a": "location.email"}}, "map column `a` to `location.email`: location has no such member"},
		{Options{Map: columns{"a": "properties."}}, "map column `a` to `properties.`: the property has no name"},
		{Options{Map: columns{"a": "properties.$x"}}, "map column `a` to `properties.$x`: names that begin with $ are Klaviyo's own"},
		{Options{Map: columns{"a": "properties.\xff"}}, "map column `a` to `properties.\\xff`: the name is not UTF-8"},
		{Options{Map: columns{"a": "profile_id"}}, "map column `a` to `profile_id`: no attribute of Klaviyo's: write properties.profile_id for a custom property"},
		{Options{Map: columns{"b": "city", "a": "location.city"}}, "map columns `a` and `b`: both to `location.city`"},
		{Options{Map: columns{"b": "properties.x", "a": "properties.x"}}, "map columns `a` and `b`: both to `properties.x`"},
		{Options{Map: columns{"email": "properties.x"}}, "map column `email` to `properties.x`: add needs it, and no other column is mapped to it"},
		{Options{Map: columns{"a": "city"}, Drop: []string{"a"}}, "drop column `a`: it is mapped to `city` as well"},
		{Options{Drop: []string{"x", "email"}}, "drop column `email`: add needs it"},
		{Options{Map: columns{"a": "email"}, Drop: []string{"a"}}, "drop column `a`: it is mapped to `email` as well"},
		{Options{Operation: Remove, Map: columns{"a": "email"}}, "map column `a` to `email`: remove reads profile_id alone"},
		{Options{Operation: Remove, Map: columns{"a": "profile_id", "b": "profile_id"}}, "map columns `a` and `b`: both to `profile_id`"},
		{Options{Operation: Remove, Drop: []string{"profile_id"}}, "drop column `profile_id`: remove needs it"},
	}
	for _, test := range tests {
		c, err := New(test.o)
		if c != nil || err == nil || err.Error() != test.want {
			t.Errorf("%+v\ngot  %v\nwant %s", test.o, err, test.want)
		}
	}
}

func TestMapping(t *testing.T) {
	type columns = map[string]string
	profile := func(attributes string) verdict {
		return verdict{Profile: `{"type":"profile","attributes":{` + attributes + `}}`, Key: `"a@b.co"`, Required: Present}
	}
	fault := func(key string, required Required, code Code, column, detail string) verdict {
		return verdict{Key: key, Required: required, Fault: Fault{code, column, detail}}
	}
	mail := Options{Map: columns{"mail": "email"}}
	tests := []struct {
		o    Options
		row  string
		want verdict
	}{
		{Options{Map: columns{"fname": "first_name", "a": "city", "b": "location.zip", "c": "properties.C \"d\"", "tel": "phone_number"}},
			`{"email":"a@b.co","c":{"x":1},"b":"1","fname":"A","a":"x","tel":"+1 201 555 0123"}`,
			profile(`"email":"a@b.co","first_name":"A","phone_number":"+12015550123","location":{"zip":"1","city":"x"},"properties":{"C \"d\"":{"x":1}}`)},
		{Options{Map: columns{"$source": "properties.source", "": "title", "city": "properties.city", "é": "properties.x"}},
			`{"email":"a@b.co","$source":1,"":"T","city":5,"\u00e9":0}`, profile(`"email":"a@b.co","title":"T","properties":{"source":1,"city":5,"x":0}`)},
		{Options{Map: columns{"email": "email", "id": "properties.first_name"}}, `{"email":"a@b.co","id":1}`, profile(`"email":"a@b.co","properties":{"first_name":1}`)},
		{Options{Drop: []string{"x", "$y", "phone_number", "location", "properties", "city", "x"}},
			`{"x":1,"email":"a@b.co","$y":1,"phone_number":5,"location":{"a":1,"a":2},"properties":7,"city":{}}`, profile(`"email":"a@b.co"`)},
		{Options{Drop: []string{"x"}}, `{"x":1,"email":"a@b.co","x":1}`, fault(`"a@b.co"`, Present, DuplicateMember, "x", "`x` is there twice")},
		{Options{Map: columns{"location": "city", "properties": "properties.p"}}, `{"email":"a@b.co","location":"x","properties":{"a":1,"a":2}}`,
			profile(`"email":"a@b.co","location":{"city":"x"},"properties":{"p":{"a":1,"a":2}}`)},
		{Options{Map: columns{"location": "city"}}, `{"email":"a@b.co","location":{}}`,
			fault(`"a@b.co"`, Present, TypeWrong, "location", "column `location` holds an object, not a string: cast it to text")},
		{Options{DefaultCountry: "jp", Map: columns{"land": "country"}}, `{"email":"a@b.co","phone_number":"201 555 0123","land":"US"}`,
			profile(`"email":"a@b.co","phone_number":"+12015550123","location":{"country":"US"}`)},
		{Options{DefaultCountry: "jp", Drop: []string{"country"}}, `{"email":"a@b.co","phone_number":"03-1234-5678","country":"US"}`,
			profile(`"email":"a@b.co","phone_number":"+81312345678"`)},

		{mail, `{"mail":" a@b.co","email":null}`, profile(`"email":"a@b.co"`)},
		{mail, `{"mail":"a@b.co","email":"c@d.co"}`, fault(`"a@b.co"`, Present, DuplicateMember, "email", "`mail` and `email` both fill `email`: leave one out (--drop)")},
		{mail, `{"email":"c@d.co"}`, fault("", Missing, EmailMissing, "mail", "column `mail` is missing")},
		{mail, `{"email":"c@d.co","mail":null}`, fault("", Present, EmailMissing, "mail", "column `mail` is null")},
		{mail, `{"Mail":"c@d.co"}`, fault("", Missing, EmailMissing, "mail", "`Mail` is there, `mail` is not: names are case-sensitive, use AS \"mail\" or --map 'Mail=email'")},
		{mail, `{"mail":5}`, fault("", WrongType, TypeWrong, "mail", "column `mail` holds a number, not a string: cast it to text")},
		{mail, `{"mail":"x"}`, fault(`"x"`, Present, EmailInvalid, "mail", "`x` has no @")},
		{Options{Map: columns{"mail": "email", "email": "properties.old"}}, `{"mail":"a@b.co","email":"c@d.co"}`, profile(`"email":"a@b.co","properties":{"old":"c@d.co"}`)},
		{Options{Map: columns{"mail": "email"}, Drop: []string{"email"}}, `{"mail":"a@b.co","email":"c@d.co"}`, profile(`"email":"a@b.co"`)},
		{Options{Map: columns{"x": "properties.y"}}, `{"email":"a@b.co","y":1,"x":2}`,
			fault(`"a@b.co"`, Present, DuplicateMember, "x", "`y` and `x` both fill `properties.y`: leave one out (--drop)")},
		{Options{Map: columns{"x": "properties.y"}}, `{"email":"a@b.co","properties":{"y":1},"x":2}`,
			fault(`"a@b.co"`, Present, DuplicateMember, "x", "`properties.y` and `x` both fill `properties.y`: leave one out (--drop)")},
		{Options{Map: columns{"x": "properties.y"}}, `{"email":"a@b.co","x":1,"properties":{"x":2}}`, profile(`"email":"a@b.co","properties":{"y":1,"x":2}`)},
		{Options{Map: columns{"x": "title"}}, `{"email":"a@b.co","x":"1","title":"2"}`,
			fault(`"a@b.co"`, Present, DuplicateMember, "title", "`x` and `title` both fill `title`: leave one out (--drop)")},
		{Options{Map: columns{"tel": "phone_number"}}, `{"email":"a@b.co","phone_number":" ","tel":"+12015550123"}`,
			profile(`"email":"a@b.co","phone_number":"+12015550123"`)},
		{Options{Map: columns{"tel": "phone_number"}}, `{"email":"a@b.co","tel":"1"}`,
			fault(`"a@b.co"`, Present, PhoneInvalid, "tel", "`1` has no country code: write it as +…, or give --default-country")},

		{Options{Operation: Remove, Map: columns{"id": "profile_id"}, Drop: []string{"x"}}, `{"id":"P","x":1}`,
			verdict{Profile: `{"type":"profile","id":"P"}`, Key: `"P"`, Required: Present}},
		{Options{Operation: Remove, Map: columns{"id": "profile_id"}}, `{"id":"P","profile_id":"Q"}`,
			fault(`"P"`, Present, DuplicateMember, "profile_id", "`id` and `profile_id` both fill `profile_id`: leave one out (--drop)")},
	}
	for _, test := range tests {
		if got := check(t, test.o, test.row); got != test.want {
			t.Errorf("%+v %s\ngot  %+v\nwant %+v", test.o, test.row, got, test.want)
		}
	}
}
