package sink

import ("context";"time";"github.com/segmentio/encoding/json")

type ExtraState uint8
const (Stays ExtraState = iota; Removed; Rejoined; Left; Uncertain)
type Extra struct { ID string; Since time.Time; Email, PhoneNumber string; State ExtraState; Fault *Fault }
func (c *Client) RemoveExtras(ctx context.Context, list *List, extras []Extra) error {
	var ps []Profile
	for i := range extras { ps = append(ps, Profile{JSON: append(json.AppendEscape([]byte(`{"type":"profile","id":`), extras[i].ID, 0), '}')}) }
	err := NewRemoval(c, list, ProfileID).Send(ctx, ps)
	for i := range ps { if ps[i].Status==Applied { extras[i].State = Removed } }
	return err
}
func (c *Client) JobCreated(ctx context.Context, id string) (time.Time, error) { return time.Now(), nil }
