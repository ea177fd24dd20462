package contract_test

const (
	retargetBody = `{"data":{"type":"campaign","id":"CAMPAIGN","attributes":{"name":"x","audiences":` +
		`{"included":["LIST"],"excluded":null}}}}`
	cloneBody    = `{"data":{"type":"campaign","id":"CAMPAIGN","attributes":{"new_name":"x"}}}`
	sendBody     = `{"data":{"type":"campaign-send-job","id":"CAMPAIGN"}}`
	estimateBody = `{"data":{"type":"campaign-recipient-estimation-job","id":"CAMPAIGN"}}`
)

var (
	campaignChanges = []change{ // of a campaign resource in an answer
		{`"type":"campaign"`, `"type":"campaigns"`}, {`"id":"`, `"ident":"`}, {`"name":"`, `"name":5,"x":"`},
		{`"status":"Draft"`, `"status":"Drafty"`}, {`"archived":false`, `"archived":"no"`},
		{`"included":`, `"including":`}, {`"audiences":{`, `"audiences":[],"x":{`},
		{`"method":"immediate"`, `"method":"at once"`}, {`"send_strategy":{`, `"send_strategy":7,"x":{`},
		{`"use_smart_sending":true`, `"use_smart_sending":"yes"`}, {`"created_at":"2`, `"created_at":"x2`},
		{`"type":"campaign-message"`, `"type":"message"`}, {`"scheduled_at":null`, `"scheduled_at":5`},
	}
	messageChanges = []change{
		{`"channel":"email"`, `"channel":"letter"`}, {`"subject":"`, `"subject":5,"x":"`}, {`"content":{`, `"contents":{`},
		{`"send_times":null`, `"send_times":7`}, {`"template":{"links"`, `"template":{"link"`},
	}
	wrongIdentities = []change{ // of a body that names a campaign alone
		{`"type":"campaign-`, `"type":"`}, {`"id":"CAMPAIGN"`, `"id":5`}, {`,"id":"CAMPAIGN"`, ``},
		{`"id":"CAMPAIGN"`, `"id":"CAMPAIGN","attributes":{}`}, {`"data"`, `"date"`}, {`{"data":`, `[{"data":`},
	}
	statusChanges = []change{ // of a job that has a status alone
		{`"type":"campaign-`, `"type":"`}, {`"status":"`, `"status":"x`}, {`"status"`, `"state"`}, {`"id":"`, `"ident":"`},
	}
)

var campaignOperations = []operation{
	{method: "GET", path: "/api/campaigns?filter=equals(messages.channel,%22email%22),contains(name,%22Sale%22)&" +
		"page[size]=100&sort=-created_at",
		wrongQueries: []string{"page[size]=101", "sort=status", "filter=equals(name,%22x%22)",
			"filter=equals(messages.channel,%22letter%22)", "filter=contains(id,%22x%22)",
			"filter=contains(name,[%22x%22])", "fields[campaign]=title", "include=lists"},
		wrongAnswers: changes(collectionChanges, campaignChanges)},
	{method: "GET", path: "/api/campaigns/CAMPAIGN?include=campaign-messages",
		wrongQueries: []string{"include=templates", "page[size]=1", "fields[campaign-message]=subject"},
		wrongAnswers: changes(frameChanges, campaignChanges, messageChanges)},
	{method: "PATCH", path: "/api/campaigns/CAMPAIGN", body: retargetBody, wrongBodies: []change{
		{`"id":"CAMPAIGN",`, ``}, {`"type":"campaign"`, `"type":"list"`}, {`["LIST"]`, `"LIST"`}, {`["LIST"]`, `[5]`},
		{`"included"`, `"lists"`}, {`"audiences"`, `"audience"`}, {`"name":"x"`, `"status":"Sent"`},
		{`"name":"x"`, `"archived":true`},
	}, wrongAnswers: changes(frameChanges, campaignChanges)},
	{method: "POST", path: "/api/campaign-clone", body: cloneBody, wrongBodies: []change{
		{`"id":"CAMPAIGN",`, ``}, {`"new_name"`, `"name"`}, {`"x"`, `5`}, {`"type":"campaign"`, `"type":"campaigns"`},
		{`,"attributes":{"new_name":"x"}`, ``},
	}, wrongAnswers: changes(frameChanges, campaignChanges)},
	{method: "GET", path: "/api/campaign-messages/MESSAGE/template",
		wrongQueries: []string{"fields[template]=body", "include=campaign"},
		wrongAnswers: changes(frameChanges, []change{
			{`"type":"template"`, `"type":"templates"`}, {`"html"`, `"text_html"`}, {`"editor_type":"`, `"editor":"`},
		})},
	{method: "POST", path: "/api/campaign-send-jobs", body: sendBody, wrongBodies: wrongIdentities,
		wrongAnswers: changes(frameChanges, statusChanges)},
	{method: "GET", path: "/api/campaign-send-jobs/SENT", wrongQueries: []string{"fields[campaign]=name"},
		wrongAnswers: changes(frameChanges, statusChanges)},
	{method: "POST", path: "/api/campaign-recipient-estimation-jobs", body: estimateBody, wrongBodies: wrongIdentities,
		wrongAnswers: changes(frameChanges, statusChanges)},
	{method: "GET", path: "/api/campaign-recipient-estimation-jobs/SENT", wrongQueries: []string{"page[size]=1"},
		wrongAnswers: changes(frameChanges, statusChanges)},
	{method: "GET", path: "/api/campaign-recipient-estimations/SENT",
		wrongQueries: []string{"fields[campaign-recipient-estimation]=count"},
		wrongAnswers: changes(frameChanges, []change{
			{`"estimated_recipient_count":`, `"count":`},
			{`"estimated_recipient_count":`, `"estimated_recipient_count":"x","y":`},
		})},
}
