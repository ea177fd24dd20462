package validate

import (
	"slices"
	"strings"
	"testing"
)

const allChannels = EmailMarketing | SMSMarketing | SMSTransactional

// Consent goes only to the channels that were asked for and whose identifier the row has. The identifiers and the time
// of consent are all that is sent of a row.
func TestConsent(t *testing.T) {
	const (
		subscribed = `{"consent":"SUBSCRIBED"}`
		dated      = `{"consent":"SUBSCRIBED","consented_at":"2024-05-01T10:00:00Z"}`
	)
	profile := func(attributes string) string { return `{"type":"profile","attributes":{` + attributes + `}}` }
	email := Options{Operation: Subscribe, Channels: EmailMarketing}
	both := Options{Operation: Subscribe, Channels: EmailMarketing | SMSMarketing}
	all := Options{Operation: Subscribe, Channels: allChannels, ConsentedAt: "at", DefaultCountry: "de"}
	sms := Options{Operation: Subscribe, Channels: SMSMarketing}
	dropping := Options{Operation: Subscribe, Channels: SMSMarketing, BadPhone: Drop}
	dropsOne := Options{Operation: Subscribe, Channels: EmailMarketing | SMSMarketing, BadPhone: Drop}
	byPhone := Options{Operation: Subscribe, Channels: allChannels, By: "phone_number"}
	emailByPhone := Options{Operation: Subscribe, Channels: EmailMarketing, By: "phone_number"}
	byID := Options{Operation: Subscribe, Channels: EmailMarketing | SMSMarketing, By: "external_id", ConsentedAt: "at"}
	leave := Options{Operation: Unsubscribe, Channels: EmailMarketing | SMSTransactional}
	leaveByPhone := Options{Operation: Unsubscribe, Channels: SMSMarketing, By: "phone_number"}
	leaveByID := Options{Operation: Unsubscribe, Channels: allChannels, By: "external_id"}
	mapped := Options{Operation: Subscribe, Channels: EmailMarketing | SMSMarketing,
		Map: map[string]string{"Mail": "email", "Mobile": "phone_number", "land": "country"}}
	for _, test := range []struct {
		name, row string
		o         Options
		want      string // the element of a good row, else code, column and detail
		channels  Channels
	}{
		{"an email", `{"email":" A@x.co ","phone_number":5,"first_name":{},"$x":1,"properties":{"a":1,"a":2}}`, email,
			profile(`"email":"A@x.co","subscriptions":{"email":{"marketing":` + subscribed + `}}`), EmailMarketing},
		{"two channels", `{"phone_number":"+49 30 901820","email":"a@x.co"}`, both,
			profile(`"email":"a@x.co","phone_number":"+4930901820","subscriptions":{"email":{"marketing":` + subscribed +
				`},"sms":{"marketing":` + subscribed + `}}`), EmailMarketing | SMSMarketing},
		{"all channels with a time", `{"at":"2024-05-01T12:00:00.9+02:00","phone_number":"030 901820","email":"a@x.co"}`, all,
			profile(`"email":"a@x.co","phone_number":"+4930901820","subscriptions":{"email":{"marketing":` + dated +
				`},"sms":{"marketing":` + dated + `,"transactional":` + dated + `}}`), allChannels},
		{"the row's country", `{"email":"a@x.co","phone_number":"020 7946 0018","location":{"country":"GB"}}`, sms,
			profile(`"email":"a@x.co","phone_number":"+442079460018","subscriptions":{"sms":{"marketing":` + subscribed + `}}`),
			SMSMarketing},
		{"a country without a number", `{"email":"a@x.co","country":5}`, both,
			profile(`"email":"a@x.co","subscriptions":{"email":{"marketing":` + subscribed + `}}`), EmailMarketing},
		{"a country that is no text", `{"email":"a@x.co","phone_number":"030 901820","country":5}`, both,
			"type_wrong country column \"country\": expected a string, got a number; cast it to text in the query: " +
				"cast(country as varchar)", 0},
		{"an empty number", `{"email":"a@x.co","phone_number":" "}`, both,
			profile(`"email":"a@x.co","subscriptions":{"email":{"marketing":` + subscribed + `}}`), EmailMarketing},
		{"a bad number", `{"email":"a@x.co","phone_number":"12"}`, both,
			"phone_invalid phone_number \"12\" has no country code; write it as +…, or set --default-country", 0},
		{"a bad number that is dropped", `{"email":"a@x.co","phone_number":"12"}`, dropsOne,
			profile(`"email":"a@x.co","subscriptions":{"email":{"marketing":` + subscribed + `}}`), EmailMarketing},
		{"a bad number that was the only identifier", `{"email":"a@x.co","phone_number":"12"}`, dropping,
			`channel_missing phone_number no identifier for sms: column "phone_number" has a bad number, ` +
				`which --bad-phone drop leaves out`, 0},
		{"a null number", `{"email":"a@x.co","phone_number":null}`, sms,
			`channel_missing phone_number no identifier for sms: column "phone_number" is null`, 0},
		{"an empty number that is needed", `{"email":"a@x.co","phone_number":""}`, sms,
			`channel_missing phone_number no identifier for sms: column "phone_number" is empty`, 0},
		{"no number", `{"email":"a@x.co"}`, Options{Operation: Unsubscribe, Channels: SMSMarketing | SMSTransactional},
			`channel_missing phone_number no identifier for sms, sms-transactional: column "phone_number" is missing`, 0},
		{"a number in capitals", `{"email":"a@x.co","PHONE_NUMBER":"+4930901820"}`, sms,
			`channel_missing phone_number no identifier for sms: column "phone_number" is missing, but "PHONE_NUMBER" ` +
				`is there: names are case-sensitive; use AS "phone_number"`, 0},
		{"a number under another name", `{"email":"a@x.co","Mobile":"+4930901820"}`, sms,
			`channel_missing phone_number no identifier for sms: column "phone_number" is missing, but "Mobile" ` +
				`is there; use --map Mobile=phone_number`, 0},
		{"a name with a mark", `{"email":"a@x.co","\ufeffphone_number":"+4930901820"}`, both,
			`column_name_invalid ` + "\ufeff" + `phone_number column "\ufeffphone_number": the name begins with a byte order ` +
				"mark; " + markHint, 0},
		{"no email", `{"Email":"a@x.co"}`, email, `email_missing email column "email" is missing, but "Email" is there: ` +
			`names are case-sensitive; use AS "email" or --map Email=email`, 0},
		{"the identifier twice", `{"email":"a@x.co","email":"a@x.co"}`, email,
			"duplicate_member email " + appearsTwice("email"), 0},
		{"mapped columns", `{"Mail":"a@x.co","Mobile":"030 901820","land":"DE"}`, mapped,
			profile(`"email":"a@x.co","phone_number":"+4930901820","subscriptions":{"email":{"marketing":` + subscribed +
				`},"sms":{"marketing":` + subscribed + `}}`), EmailMarketing | SMSMarketing},
		{"by phone", `{"phone_number":"+49 30 901820","email":"a@x.co"}`, byPhone,
			profile(`"email":"a@x.co","phone_number":"+4930901820","subscriptions":{"email":{"marketing":` + subscribed +
				`},"sms":{"marketing":` + subscribed + `,"transactional":` + subscribed + `}}`), allChannels},
		{"by phone without an email", `{"phone_number":"+4930901820","email":null}`, byPhone,
			profile(`"phone_number":"+4930901820","subscriptions":{"sms":{"marketing":` + subscribed +
				`,"transactional":` + subscribed + `}}`), SMSMarketing | SMSTransactional},
		{"by phone for email", `{"phone_number":"+4930901820"}`, emailByPhone,
			`channel_missing email no identifier for email: column "email" is missing`, 0},
		{"by phone with a bad email", `{"phone_number":"+4930901820","email":"a@x"}`, byPhone,
			`email_invalid email "a@x" has a domain without a dot`, 0},
		{"by phone with an email that is a number", `{"phone_number":"+4930901820","email":1}`, byPhone,
			`type_wrong email ` + castOf("email"), 0},
		{"by external id", `{"external_id":"4\"2","email":5,"at":"2024-05-01 10:00:00Z"}`, byID,
			`{"external_id":"4\"2","consented_at":"2024-05-01T10:00:00Z"}`, EmailMarketing | SMSMarketing},
		{"unsubscribe", `{"phone_number":"+49 30 901820","email":"a@x.co"}`, leave,
			`{"email":"a@x.co","phone_number":"+4930901820"}`, EmailMarketing | SMSTransactional},
		{"unsubscribe without a number", `{"email":"a@x.co"}`, leave, `{"email":"a@x.co"}`, EmailMarketing},
		{"unsubscribe by phone", `{"phone_number":"+49 30 901820","email":"a@x.co"}`, leaveByPhone,
			`{"phone_number":"+4930901820"}`, SMSMarketing},
		{"unsubscribe by external id", `{"external_id":" 42 "}`, leaveByID, `{"external_id":"42"}`, allChannels},
	} {
		var scratch Scratch
		var out Rows
		checker(t, test.o).Check([]byte(test.row), true, &scratch, &out)
		row := out.Rows[0]
		got := string(out.Data[row.Start:row.End])
		if f := row.Fault; f != nil {
			got = strings.Join([]string{string(f.Code), f.Column, f.Detail}, " ")
		}
		if got != test.want || row.Channels != test.channels {
			t.Errorf("%s: %s\ngot  %s %v\nwant %s %v", test.name, test.row, got, row.Channels, test.want, test.channels)
		}
		if key := string(out.Data[row.KeyStart:row.KeyEnd]); row.Fault == nil && !strings.Contains(got, `":`+key) {
			t.Errorf("%s: the key is %s", test.name, key)
		}
		if row.DroppedPhone != (test.name == "a bad number that is dropped") {
			t.Errorf("%s: a number was dropped: %v", test.name, row.DroppedPhone)
		}
	}
}

// Each channel has one name, in the order of the output. An unknown name is refused with the known ones.
func TestChannels(t *testing.T) {
	set, err := ParseChannels("sms-transactional", " email", "email")
	if err != nil || set != EmailMarketing|SMSTransactional {
		t.Errorf("got %v %v", set, err)
	}
	if got := allChannels.Names(); !slices.Equal(got, []string{"email", "sms", "sms-transactional"}) {
		t.Errorf("got %q", got)
	}
	if _, err := ParseChannels("email", "push"); err == nil ||
		err.Error() != `expected email, sms or sms-transactional, got "push"` {
		t.Errorf("got %v", err)
	}
}

// Options that leave an identifier or the times without their column are refused.
func TestConsentRefused(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{Operation: Subscribe}, "missing flag: --channel email,sms,sms-transactional"},
		{Options{Operation: Subscribe, Channels: EmailMarketing, By: "profile_id"},
			`--by: subscribe expects email, phone_number or external_id, got "profile_id"`},
		{Options{Operation: Subscribe, Channels: EmailMarketing, ConsentedAt: "email"},
			`--consented-at: expected a column with times, got "email", which is read as email`},
		{Options{Operation: Subscribe, Channels: SMSMarketing, ConsentedAt: "land",
			Map: map[string]string{"land": "country"}},
			`--consented-at: expected a column with times, got "land", which is read as location.country`},
		{Options{Operation: Subscribe, Channels: EmailMarketing, Map: map[string]string{"plan": "properties.plan"}},
			`--map plan=properties.plan: expected email, got "properties.plan"; subscribe reads no other column`},
		{Options{Operation: Unsubscribe, Channels: allChannels, Map: map[string]string{"x": "first_name"}},
			`--map x=first_name: expected email or phone_number, got "first_name"; unsubscribe reads no other column`},
		{Options{Operation: Subscribe, Channels: allChannels, Map: map[string]string{"email": "Mail"}},
			`--map email=Mail: expected email or phone_number, got "Mail"; ` +
				`--map is COLUMN=TARGET: did you mean --map Mail=email?`},
		{Options{Operation: Subscribe, Channels: SMSMarketing, Drop: []string{"phone_number"}},
			"--drop phone_number: subscribe needs this column"},
		{Options{Operation: Subscribe, Channels: EmailMarketing, ConsentedAt: "at", Drop: []string{"at"}},
			"--drop at: subscribe needs this column"},
		{Options{Operation: Unsubscribe, Channels: EmailMarketing, Drop: []string{"phone_number"}},
			"--drop phone_number: unsubscribe does not read this column"},
		{Options{Operation: Subscribe, Channels: SMSMarketing, By: "phone_number", BadPhone: Drop},
			"--bad-phone drop and --by phone_number cannot be combined: the number names the person"},
	} {
		if _, err := New(test.o); err == nil || err.Error() != test.want {
			t.Errorf("%+v: got %v, want %s", test.o, err, test.want)
		}
	}
	o := Options{Operation: Subscribe, Channels: SMSMarketing, Map: map[string]string{"p": "phone_number"},
		Drop: []string{"phone_number", "country"}}
	if _, err := New(o); err != nil {
		t.Errorf("another column fills phone_number: %v", err)
	}
}
