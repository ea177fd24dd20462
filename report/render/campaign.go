package render

import "klaviyo-export/report"

// campaign says how far the campaign is that was to be sent to the list.
func campaign(c *report.Campaign) string {
	if c == nil {
		return ""
	}
	status := c.Status
	switch status {
	case report.CampaignNotSent:
		status = "not sent"
	case report.CampaignUnknown:
		status = "not known whether it was sent"
	}
	text := c.ID + ": " + status
	if n := c.EstimatedRecipients; n != nil {
		text += ", estimated " + numbered(*n, "recipient")
	}
	return text
}

// campaign is the campaign that was to be sent to the list, and how many recipients Klaviyo estimated.
func (p *exposition) campaign(c *report.Campaign) {
	if c == nil {
		return
	}
	p.metric("campaign", "The campaign that was to be sent after the last run, with its status: always 1.")
	p.value(labels("campaign", c.ID, "status", c.Status), 1)
	if n := c.EstimatedRecipients; n != nil {
		p.metric("campaign_estimated_recipients", "Recipients of that campaign, as Klaviyo estimated them.")
		p.value(labels("campaign", c.ID), float64(*n))
	}
}
