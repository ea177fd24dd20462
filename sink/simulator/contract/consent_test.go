package contract_test

const (
	subscribeBody = `{"data":{"type":"profile-subscription-bulk-create-job","attributes":{"profiles":{"data":[` +
		`{"type":"profile","attributes":{"email":"ann@example.org","phone_number":"+4915112345678","subscriptions":{` +
		`"email":{"marketing":{"consent":"SUBSCRIBED","consented_at":"2024-05-01T10:00:00Z"}},` +
		`"sms":{"transactional":{"consent":"SUBSCRIBED","consented_at":"2024-05-01T10:00:00Z"}}}}}]},` +
		`"custom_source":"Shop","historical_import":true},"relationships":{"list":{"data":{"type":"list","id":"LIST"}}}}}`
	unsubscribeBody = `{"data":{"type":"profile-subscription-bulk-delete-job","attributes":{"profiles":{"data":[` +
		`{"type":"profile","attributes":{"email":"ann@example.org","subscriptions":{` +
		`"email":{"marketing":{"consent":"UNSUBSCRIBED"}}}}}]}},` +
		`"relationships":{"list":{"data":{"type":"list","id":"LIST"}}}}}`
)

// wrongConsents are changes to both bodies.
var wrongConsents = []change{
	{`"type":"profile-subscription-bulk-`, `"type":"profile-`}, {`"type":"profile",`, ``}, {`"email":"`, `"mail":"`},
	{`"email":"ann@example.org"`, `"email":5`}, {`"email":"ann@example.org"`, `"first_name":"Ann"`},
	{`"subscriptions"`, `"subscription"`}, {`"marketing":{`, `"market":{`}, {`"consent":"`, `"consent":"NEVER_`},
	{`"consent":`, `"state":`}, {`"type":"list"`, `"type":"lists"`}, {`"id":"LIST"`, `"id":5`},
	{`"list":{`, `"lists":{`}, {`{"profiles":{"data":[`, `{"people":{"data":[`}, {`"data":[{`, `"data":{"x":[{`},
	{`"email":{"marketing"`, `"mail":{"marketing"`},
}

var consentOperations = []operation{
	{method: "POST", path: "/api/profile-subscription-bulk-create-jobs", body: subscribeBody,
		wrongBodies: changes(wrongConsents, []change{
			{`"custom_source":"Shop"`, `"source":"Shop"`}, {`"custom_source":"Shop"`, `"custom_source":5`},
			{`"historical_import":true`, `"historical_import":"yes"`}, {`"2024-05-01T10:00:00Z"`, `"2024-05-01"`},
			{`"2024-05-01T10:00:00Z"`, `"2024-05-01T10:00:00"`}, {`"consented_at"`, `"given_at"`},
		})},
	{method: "POST", path: "/api/profile-subscription-bulk-delete-jobs", body: unsubscribeBody,
		wrongBodies: changes(wrongConsents, []change{
			{`{"profiles":{"data":[`, `{"custom_source":"Shop","profiles":{"data":[`},
			{`"consent":"UNSUBSCRIBED"`, `"consent":"SUBSCRIBED"`},
			{`"consent":"UNSUBSCRIBED"`, `"consent":"UNSUBSCRIBED","consented_at":"2024-05-01T10:00:00Z"`},
			{`{"type":"profile",`, `{"type":"profile","id":"PROFILE",`},
		})},
}
