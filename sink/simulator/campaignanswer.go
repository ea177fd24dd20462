package simulator

import (
	"slices"
	"strconv"
	"time"
)

// templateID returns the id of a message's template.
func (c *campaign) templateID(i int) string { return "T" + c.messages[i][20:25] }

func (c *campaign) appendTemplate(b []byte, call *call, i int) []byte {
	b = call.fields["template"].resource(b, "template", c.templateID(i), []attribute{
		{"name", quote(nil, c.Name)}, {"editor_type", []byte(`"CODE"`)}, {"html", []byte(`"<html></html>"`)},
		{"text", nil}, {"amp", nil}, {"created", timeJSON(c.created)}, {"updated", timeJSON(c.updated)},
	})
	return append(appendSelf(append(b, ','), call.base+"/api/templates/"+c.templateID(i)+"/"), '}')
}

// appendCampaign appends the resource object of a campaign.
func (s *Simulator) appendCampaign(b []byte, c *call, one *campaign) []byte {
	status, _ := s.status(one)
	scheduled := []byte(nil)
	if !one.sent.IsZero() {
		scheduled = timeJSON(one.sent)
	}
	options := `{"use_smart_sending":true}`
	if one.IgnoreUnsubscribes {
		options = `{"use_smart_sending":true,"ignore_unsubscribes":true}`
	}
	tracking := `{"add_tracking_params":true,"custom_tracking_params":null}`
	if one.Channel == "email" {
		tracking = `{"add_tracking_params":true,"custom_tracking_params":null,"is_tracking_clicks":true,` +
			`"is_tracking_opens":true}`
	}
	attributes := []attribute{
		{"name", quote(nil, one.Name)},
		{"status", quote(nil, status)},
		{"archived", strconv.AppendBool(nil, one.Archived)},
		{"audiences", one.appendAudiences(nil)},
		{"send_options", []byte(options)},
		{"tracking_options", []byte(tracking)},
		{"send_strategy", one.appendStrategy(nil)},
		{"created_at", microTimeJSON(one.created)},
		{"scheduled_at", scheduled},
		{"updated_at", microTimeJSON(one.updated)},
		{"send_time", nil},
	}
	fields := c.fields["campaign"]
	for i := range attributes {
		if a := &attributes[i]; a.value != nil {
			a.value = fields.prune(nil, a.name, a.value)
		}
	}
	self := c.base + campaignsPath + "/" + one.ID + "/"
	b = fields.resource(b, "campaign", one.ID, attributes)
	ids := []byte{'['}
	for i, id := range one.messages {
		if i > 0 {
			ids = append(ids, ',')
		}
		ids = appendIdentifier(ids, "campaign-message", id)
	}
	b = appendRelationship(append(b, `,"relationships":{`...), self, "campaign-messages", append(ids, ']'))
	b = appendRelationship(append(b, ','), self, "tags", nil)
	return append(appendSelf(append(b, "},"...), self), '}')
}

func (c *campaign) appendAudiences(b []byte) []byte {
	b = append(b, `{"included":`...)
	b = appendTexts(b, c.included)
	b = append(b, `,"excluded":`...)
	return append(appendTexts(b, c.excluded), '}')
}

func appendTexts(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, one := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = quote(b, one)
	}
	return append(b, ']')
}

func (c *campaign) appendStrategy(b []byte) []byte {
	b = quote(append(b, `{"method":`...), c.Strategy)
	switch c.Strategy {
	case "static":
		b = append(append(append(b, `,"datetime":`...), timeJSON(c.at)...), `,"options":{"is_local":false}`...)
	case "throttled":
		b = append(append(append(b, `,"datetime":`...), timeJSON(c.at)...), `,"throttle_percentage":50`...)
	case "smart_send_time":
		b = quote(append(b, `,"date":`...), c.at.UTC().Format(time.DateOnly))
	}
	return append(b, '}')
}

// appendMessage appends the resource object of a message.
func (c *campaign) appendMessage(b []byte, call *call, i int) []byte {
	fields := call.fields["campaign-message"]
	attributes := []attribute{
		{"definition", c.appendDefinition(nil, i)}, {"send_times", nil},
		{"created_at", timeJSON(c.created)}, {"updated_at", timeJSON(c.updated)},
	}
	attributes[0].value = fields.prune(nil, "definition", attributes[0].value)
	self := call.base + messagesPath + "/" + c.messages[i] + "/"
	b = fields.resource(b, "campaign-message", c.messages[i], attributes)
	b = appendRelationship(append(b, `,"relationships":{`...), self, "campaign",
		appendIdentifier(nil, "campaign", c.ID))
	b = appendRelationship(append(b, ','), self, "template", nil)
	b = appendRelationship(append(b, ','), self, "image", nil)
	return append(appendSelf(append(b, "},"...), self), '}')
}

func (c *campaign) appendDefinition(b []byte, i int) []byte {
	switch c.Channel {
	case "sms":
		return append(b, `{"channel":"sms","content":{"body":"Hello","media_url":null}}`...)
	case "mobile_push":
		return append(b, `{"channel":"mobile_push","notification_type":"silent","kv_pairs":null}`...)
	}
	given := func(name, value string) []byte {
		if slices.Contains(c.Lacks, name) {
			return []byte("null")
		}
		return quote(nil, value)
	}
	b = quote(append(b, `{"channel":"email","label":`...), c.Name+" "+strconv.Itoa(i+1))
	b = append(append(b, `,"content":{"subject":`...), given("subject", "About "+c.Name)...)
	b = append(append(b, `,"preview_text":null,"from_email":`...), given("from_email", "sender@example.com")...)
	return append(b, `,"from_label":"Simulator","reply_to_email":null,"cc_email":null,"bcc_email":null}}`...)
}
