package report

import "github.com/segmentio/encoding/json"

// The statuses of a campaign that are not Klaviyo's own.
const (
	CampaignNotSent = "not_sent" // no send job was asked for, or Klaviyo refused it
	CampaignSending = "sending"  // a send job was asked for
	CampaignUnknown = "unknown"  // the answer to the send job was lost, and Klaviyo shows none
)

// Campaign is the campaign that goes to the list of a run (command send), in the report.
type Campaign struct {
	ID     string `json:"id"`
	Status string `json:"status"` // Klaviyo's words, or one of the above
	// EstimatedRecipients is nil where Klaviyo gave no estimate.
	EstimatedRecipients *int64 `json:"estimated_recipients,omitempty"`
}

// appendCampaign appends the line that is written before a campaign is sent.
func appendCampaign(b []byte, id string) []byte {
	b = append(b, `{"type":"campaign","id":`...)
	from := len(b)
	b = shown(json.AppendEscape(b, id, 0), from)
	return append(b, `,"status":"`+CampaignSending+"\"}\n"...)
}

// Campaign writes the line of a campaign that is about to be sent, and passes it on to the output.
func (w *Writer) Campaign(id string) error {
	if w.err == nil {
		w.buf = appendCampaign(w.buf, id)
	}
	return w.Flush()
}

// Pass writes a line that was read back, as it is.
func (w *Writer) Pass(e *Entry) error {
	if w.err != nil {
		return w.err
	}
	w.buf, w.last = append(append(w.buf, e.Text...), '\n'), max(w.last, e.Row)
	if len(w.buf) >= flushAt {
		return w.Flush()
	}
	return nil
}

// mergeCampaigns returns the campaign of two reports, with several in place of what differs.
func mergeCampaigns(a, b *Campaign) *Campaign {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	m := &Campaign{ID: agreed(a.ID, b.ID), Status: agreed(a.Status, b.Status)}
	if m.ID != several {
		m.EstimatedRecipients = larger(a.EstimatedRecipients, b.EstimatedRecipients)
	}
	return m
}

// larger returns the larger number. Nil is none.
func larger(a, b *int64) *int64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
