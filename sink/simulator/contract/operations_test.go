package contract_test

import (
	"slices"
	"strings"
)

// importBody has a profile that is too large, which becomes an import error. The other profile joins the list.
var importBody = `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[` +
	`{"type":"profile","attributes":{"email":"bob@example.org","location":{"latitude":1.5,"longitude":null,` +
	`"zip":"20121"},"properties":{"score":1}}},` +
	`{"type":"profile","attributes":{"email":"big@example.org","properties":{"text":"` + strings.Repeat("x", 100_000) +
	`"}}}]}},` +
	`"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}`

const (
	listBody   = `{"data":{"type":"list","attributes":{"name":"x","opt_in_process":"single_opt_in"}}}`
	patchBody  = `{"data":{"type":"list","id":"LIST","attributes":{"name":"x","opt_in_process":null}}}`
	memberBody = `{"data":[{"type":"profile","id":"PROFILE"}]}`
)

// change replaces the first old by new.
type change struct{ old, new string }

var (
	listChanges = []change{ // of a list resource in an answer
		{`"type":"list"`, `"type":"lists"`}, {`"id":"`, `"ident":"`}, {`"name":"`, `"name":5,"x":"`},
		{`"opt_in_process"`, `"opt_in"`},
		{`"single_opt_in"`, `"no_opt_in"`}, {`"related":`, `"relate":`}, {`"created":"2`, `"created":"x2`},
		{`"attributes":{`, `"attributes":7,"x":{`},
	}
	profileChanges = []change{
		{`"type":"profile"`, `"type":"person"`}, {`"email":"`, `"email":5,"x":"`}, {`"first_name"`, `"firstname"`},
		{`"latitude":`, `"lattitude":`},
		{`"properties":{`, `"properties":7,"x":{`}, {`"updated":"2`, `"updated":"x2`},
		{`"push-tokens"`, `"push_tokens"`}, {`"attributes"`, `"attribute"`},
	}
	consentChanges = []change{ // of subscriptions in an answer
		{`"subscriptions":{`, `"subscriptions":7,"x":{`}, {`"marketing":{`, `"marketing":[],"x":{`},
		{`"can_receive_email_marketing":true`, `"can_receive_email_marketing":"true"`},
		{`"can_receive_email_marketing"`, `"can_receive"`}, {`"consent":"`, `"consent":5,"x":"`},
		{`"suppression":[]`, `"suppression":[{"reason":"TIRED","timestamp":"2026-01-01T00:00:00Z"}]`},
		{`"list_suppressions":[]`, `"list_suppressions":[{"reason":"UNSUBSCRIBE"}]`},
		{`"can_receive_sms_marketing"`, `"can_receive_sms"`}, {`"whatsapp":null`, `"whatsapp":7`},
	}
	memberChanges     = append([]change{{`"joined_group_at"`, `"joined"`}}, profileChanges...)
	identifierChanges = []change{{`"type":"`, `"type":"x`}, {`"id":"`, `"ident":"`}, {`"id":"`, `"id":5,"x":"`}}
	jobChanges        = []change{
		{`"status":"`, `"status":"x`}, {`"status":`, `"state":`}, {`"total_count":`, `"total":`},
		{`"total_count":`, `"total_count":"x","y":`},
		{`"completed_count"`, `"complete_count"`}, {`"created_at":"2`, `"created_at":"x2`},
		{`"import-errors"`, `"import_errors"`},
		{`"type":"list"`, `"type":"lists"`}, {`"expires_at":"`, `"expires_at":5,"x":"`},
	}
	frameChanges = []change{{`"data":`, `"date":`}, {`"links":{"self"`, `"links":{"myself"`},
		{`"links":{"self":"http`, `"links":{"self":"x`}}
	collectionChanges = append([]change{{`"next":`, `"nxt":`}, {`"next":null`, `"next":7`}}, frameChanges...)
)

func changes(sets ...[]change) (all []change) {
	for _, set := range sets {
		all = append(all, set...)
	}
	return all
}

// operation is a request that passes the check. Every wrong body, query and answer is a breach.
type operation struct {
	method, path, body string
	wrongBodies        []change // to body
	wrongQueries       []string
	wrongAnswers       []change
}

var operations = slices.Concat(consentOperations, campaignOperations, []operation{
	{method: "GET", path: "/api/accounts", wrongBodies: []change{{``, `{}`}},
		wrongQueries: []string{"page[size]=1", "fields[account]=name"},
		wrongAnswers: changes(collectionChanges, []change{
			{`"type":"account"`, `"type":"accounts"`}, {`"test_account":true`, `"test_account":"true"`},
			{`"organization_name"`, `"organisation_name"`}, {`"city"`, `"town"`},
		})},
	{method: "GET", path: "/api/accounts/SiMuL8", wrongQueries: []string{"fields[account]=name"},
		wrongAnswers: changes(frameChanges, []change{{`"locale":"`, `"locale":5,"x":"`}})},

	{method: "GET", path: "/api/lists?page[size]=10&sort=-name&filter=equals(name," +
		"%22Newsletter%22)&fields[list]=name,created,id,opt_in_process,updated",
		wrongQueries: []string{"page[size]=11", "page[size]=0", "page[size]=x", "sort=joined", "limit=10",
			"sort=name&sort=id", "page=2", "fields[list]=title", "fields[profile]=email",
			"filter=equals(name,x)", "filter=contains(name,%22x%22)", "filter=equals(title,%22x%22)",
			"filter=any(name,%22x%22)", "filter=equals(name,%22x%22",
			"filter=equals(name,%22x%22)equals(id,%22y%22)", "filter=%22x%22",
			"filter=greater-than(created,%222026-01-01T00:00:00Z%22)"},
		wrongAnswers: changes(collectionChanges, listChanges)},
	{method: "POST", path: "/api/lists", body: listBody, wrongBodies: []change{
		{`"type":"list"`, `"type":"lists"`}, {`"type":"list",`, ``}, {`"name":"x"`, `"name":5`}, {`"name":"x",`, ``},
		{`"name"`, `"nane"`}, {`"opt_in_process"`, `"opt_in"`},
		{`"single_opt_in"`, `"single"`}, {`"data"`, `"date"`}, {`"attributes":{`, `"name":"x","attributes":{`},
		{listBody, `[]`}, {listBody, `null`}, {listBody, ``},
	}, wrongAnswers: changes(frameChanges, listChanges)},
	{method: "GET", path: "/api/lists/LIST?additional-fields[list]=profile_count",
		wrongQueries: []string{"additional-fields[list]=profiles", "filter=equals(id,%22x%22)"},
		wrongAnswers: changes(frameChanges, listChanges,
			[]change{{`"profile_count":`, `"profile_count":"x","y":`}, {`"profile_count":`, `"profiles_count":`}})},
	{method: "PATCH", path: "/api/lists/LIST", body: patchBody, wrongBodies: []change{
		{`"id":"LIST",`, ``}, {`"id":"LIST"`, `"id":5`}, {`"type":"list"`, `"type":"profile"`},
		{`"name":"x"`, `"name":["x"]`}, {`"name"`, `"title"`}, {`null`, `"none"`},
	}, wrongAnswers: changes(frameChanges, listChanges)},
	{method: "GET", path: "/api/lists/LIST/profiles?filter=any(email,[%22bob@example.org%22," +
		"%22x@example.org%22])&page[size]=100&sort=-joined_group_at",
		wrongQueries: []string{"page[size]=101", "sort=email", "filter=any(external_id,[%22x%22])",
			"filter=any(id,[%22x%22])", "filter=any(email,[])", "filter=any(email,[x])",
			"filter=equals(email,%22x%22)", "filter=greater-than(joined_group_at,yesterday)", "include=lists",
			"fields[profile]=name"},
		wrongAnswers: changes(collectionChanges, memberChanges)},
	{method: "GET", path: "/api/lists/LIST/profiles?additional-fields[profile]=subscriptions",
		wrongQueries: []string{"additional-fields[profile]=consent", "additional-fields[list]=profile_count",
			"additional-fields[profile]=subscriptions&additional-fields[profile]=subscriptions",
			"filter=equals(joined_group_at,2026-01-01T00:00:00Z)",
			"filter=less-than(joined_group_at,%222026-01-01T00:00:00Z%22)", "filter=greater-than(email,%22x%22)",
			"filter=any(phone_number,%22x%22)", "filter=any(joined_group_at,[2026-01-01T00:00:00Z])",
			"filter=and(less-than(joined_group_at,2026-01-01T00:00:00Z)", "sort=joined"},
		wrongAnswers: changes(collectionChanges, memberChanges, consentChanges)},
	{method: "GET", path: "/api/lists/LIST/profiles?filter=and(greater-or-equal(joined_group_at,2026-01-01T00:00:00Z)," +
		"less-than(joined_group_at,2126-01-01T00:00:00%2B00:00))&sort=joined_group_at&page[size]=100&" +
		"fields[profile]=email,joined_group_at,subscriptions.email.marketing.suppression&" +
		"additional-fields[profile]=subscriptions",
		wrongQueries: []string{"fields[profile]=email,subscriptions.email.consent", "fields[profile]=subscription"},
		wrongAnswers: changes(collectionChanges, []change{
			{`"email":"`, `"email":5,"x":"`}, {`"joined_group_at":"2`, `"joined_group_at":"x2`},
			{`"suppression":[]`, `"suppression":{}`}, {`"suppression":`, `"suppressions":`},
		})},
	{method: "GET", path: "/api/lists/LIST/relationships/profiles?filter=equals(email,[%22bob@example.org%22])",
		wrongQueries: []string{"page[size]=101", "fields[profile]=email", "filter=any(id,[%22x%22])",
			"filter=equals(phone_number,%22x%22)", "sort=id", "additional-fields[profile]=subscriptions"},
		wrongAnswers: changes(collectionChanges, identifierChanges)},
	{method: "POST", path: "/api/lists/LIST/relationships/profiles", body: memberBody, wrongBodies: []change{
		{`"type":"profile",`, ``}, {`"type":"profile"`, `"type":"list"`}, {`,"id":"PROFILE"`, ``},
		{`"id":"PROFILE"`, `"id":5`}, {`"id"`, `"email"`}, {`"data"`, `"profiles"`},
		{`[{`, `{`}, {`}]`, `,"attributes":{}}]`},
		{`[{"type":"profile","id":"PROFILE"}]`, `{"type":"profile","id":"PROFILE"}`},
	}},
	{method: "DELETE", path: "/api/lists/LIST/relationships/profiles", body: memberBody, wrongBodies: []change{
		{`"type":"profile",`, ``}, {`"type":"profile"`, `"type":"profiles"`}, {`"id":"PROFILE"`, `"id":null`},
		{`"data"`, `"date"`}, {memberBody, ``},
	}},
	{method: "DELETE", path: "/api/lists/LIST", wrongQueries: []string{"force=true"}},

	{method: "GET", path: "/api/profiles?filter=equals(email,%22bob@example.org%22)",
		wrongQueries: []string{"page[size]=101", "filter=equals(first_name,%22x%22)",
			"filter=any(email,%22x%22)", "filter=equals(email,%22x%22),", "sort=name", "fields[profile]=zip"},
		wrongAnswers: changes(collectionChanges, profileChanges)},
	{method: "GET", path: "/api/profiles?filter=any(id,[%22PROFILE%22])&sort=-updated&" +
		"additional-fields[profile]=subscriptions",
		wrongQueries: []string{"filter=any(external_id,[])", "filter=any(external_id,[x])",
			"filter=any(_kx,[%22x%22])", "filter=greater-or-equal(created,2026-01-01T00:00:00Z)",
			"filter=any(joined_group_at,[%22x%22])", "sort=joined_group_at", "fields[profile]=joined_group_at",
			"additional-fields[profile]=profile_count"},
		wrongAnswers: changes(collectionChanges, profileChanges, consentChanges)},
	{method: "GET", path: "/api/profiles/PROFILE", wrongQueries: []string{"page[size]=1"},
		wrongAnswers: changes(frameChanges, profileChanges)},
	{method: "GET", path: "/api/profiles/PROFILE?additional-fields[profile]=subscriptions",
		wrongQueries: []string{"additional-fields[profile]=email", "filter=equals(id,%22x%22)"},
		wrongAnswers: changes(frameChanges, profileChanges, consentChanges)},
	{method: "GET", path: "/api/profiles/PROFILE/lists", wrongBodies: []change{{``, `{}`}},
		wrongQueries: []string{"page[size]=1", "fields[list]=profile_count", "sort=name",
			"filter=equals(name,%22x%22)"},
		wrongAnswers: changes(collectionChanges, listChanges)},
	{method: "GET", path: "/api/profiles/PROFILE/relationships/lists",
		wrongQueries: []string{"fields[list]=name", "page[cursor]=x"},
		wrongAnswers: changes(collectionChanges, identifierChanges)},

	{method: "POST", path: "/api/profile-bulk-import-jobs", body: importBody, wrongBodies: []change{
		{`"type":"profile-bulk-import-job"`, `"type":"profile-import-job"`}, {`"type":"profile-bulk-import-job",`, ``},
		{`"attributes"`, `"attribute"`},
		{`"profiles":{"data":[`, `"profiles":{"date":[`}, {`{"profiles":{"data":[`, `{"profile":{"data":[`},
		{`{"type":"profile",`, `{`}, {`{"type":"profile"`, `{"type":"profiles"`},
		{`{"email":"bob@example.org"`, `{"email":5`}, {`"latitude":1.5`, `"latitude":[1.5]`},
		{`"zip":"20121"`, `"zip":20121`}, {`"zip"`, `"postcode"`},
		{`"properties":{"score":1}`, `"properties":[]`}, {`"properties":{"score":1}`, `"score":1`},
		{`{"email":"bob@example.org"`, `{"Email":"bob@example.org"`},
		{`,"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}`,
			`},"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}`},
		{`]}},"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}`,
			`]},"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}}`},
		{`"lists":{"data":[{"type":"list","id":"LIST"}]}`, `"list":{"data":{"type":"list","id":"LIST"}}`},
		{`"lists":{"data":[{"type":"list","id":"LIST"}]}`, `"lists":{"data":{"type":"list","id":"LIST"}}`},
		{`"lists":{"data":[{"type":"list","id":"LIST"}]}`, `"lists":[{"type":"list","id":"LIST"}]`},
		{`{"type":"list","id":"LIST"}`, `{"type":"segment","id":"LIST"}`},
		{`{"type":"list","id":"LIST"}`, `{"type":"list"}`}, {`{"type":"list","id":"LIST"}`, `"LIST"`},
	}, wrongAnswers: changes(frameChanges, jobChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs?filter=any(status,[%22queued%22," +
		"%22complete%22])&sort=-created_at",
		wrongQueries: []string{"page[size]=101", "sort=status", "filter=equals(status,%22cancelled%22)",
			"filter=equals(id,%22x%22)"}, wrongAnswers: changes(collectionChanges, jobChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB?include=lists",
		wrongQueries: []string{"include=profiles", "fields[profile-bulk-import-job]=state"},
		wrongAnswers: changes(frameChanges, jobChanges,
			[]change{{`"included":[{"type":"list"`, `"included":[{"type":"profile"`}})},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/import-errors", wrongQueries: []string{"page[size]=101"},
		wrongAnswers: changes(collectionChanges, []change{
			{`"type":"import-error"`, `"type":"error"`}, {`"code":"`, `"cod":"`}, {`"detail":"`, `"detail":5,"x":"`},
			{`"pointer":"`, `"point":"`},
			{`"original_payload"`, `"payload"`}, {`"original_payload":{`, `"original_payload":[],"x":{`},
		})},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/profiles", wrongQueries: []string{"sort=id"},
		wrongAnswers: changes(collectionChanges, profileChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/relationships/profiles",
		wrongQueries: []string{"page[size]=0"}, wrongAnswers: changes(collectionChanges, identifierChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/lists", wrongQueries: []string{"page[size]=1"},
		wrongAnswers: changes(collectionChanges, listChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/relationships/lists",
		wrongQueries: []string{"fields[list]=name"}, wrongAnswers: changes(collectionChanges, identifierChanges)},
})
