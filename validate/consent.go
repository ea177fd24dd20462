package validate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// setConsent sets what Subscribe and Unsubscribe need.
func (c *Checker) setConsent(o Options) error {
	if c.channels = o.Channels; c.channels == 0 {
		return errors.New("missing flag: --channel " + strings.Join(channelNames[:], ","))
	}
	switch {
	case c.key == email && c.channels&smsChannels != 0:
		c.second = phoneNumber
	case c.key == phoneNumber && c.channels&EmailMarketing != 0:
		c.second = email
	}
	c.secondName = c.second.name()
	return nil
}

// readTimes makes the checker read the times of consent in a column, unless its name is "".
func (c *Checker) readTimes(column string) error {
	if !c.operation.consents() || column == "" {
		return nil
	}
	if f, read := c.fields[column]; read {
		return fmt.Errorf("--consented-at: expected a column with times, got %s, which is read as %s",
			quote(column), cmp.Or(f.target.path(), column))
	}
	c.consentedAt = column
	c.fields[column] = field{target: consentedAt}
	return nil
}

// encodeConsent appends the row with the identifiers of the channels and, for Subscribe, with its consent:
//
//	{"type":"profile","attributes":{"email":…,"phone_number":…,"subscriptions":{…}}}   Subscribe
//	{"email":…,"phone_number":…}                                                      Unsubscribe
//	{"external_id":…,"consented_at":…}                                                both by external id
//
// Nothing else of the row goes along. A channel whose identifier the row lacks is left out.
func (c *Checker) encodeConsent(s *Scratch, out *Rows) *Fault {
	start := len(out.Data)
	data, key, channels, fault := c.appendConsent(out.Data, s)
	if fault != nil {
		out.Data = data[:start] // keeps what data has grown by
		return fault
	}
	out.Data = data
	out.accept(start, key, c.identity(s))
	out.Rows[len(out.Rows)-1].Channels = channels
	return nil
}

// appendConsent appends the element of encodeConsent. With a fault, data ends in the middle of it.
func (c *Checker) appendConsent(data []byte, s *Scratch) (_ []byte, key span, channels Channels, fault *Fault) {
	if fault = c.checkContext(s); fault != nil {
		return data, key, 0, fault
	}
	profile := c.operation == Subscribe && c.key != externalID
	if profile {
		data = append(data, `{"type":"profile","attributes":`...)
	}
	data, key, channels, fault = c.appendIdentifiers(append(data, '{'), s)
	if fault == nil && channels == 0 {
		fault = c.noChannel(s)
	}
	var at []byte
	if fault == nil && c.consentedAt != "" {
		at, fault = c.consentTime(s)
	}
	if fault != nil {
		return data, key, 0, fault
	}
	switch {
	case profile:
		data = append(appendSubscriptions(data, channels, at), '}')
	case at != nil:
		data = appendTime(data, at)
	default:
		data = data[:len(data)-1] // the comma
	}
	return append(data, '}'), key, channels, nil
}

// appendIdentifiers appends the key and the second identifier of the row, each with a comma. An email comes before a
// phone number. channels are those that they reach.
func (c *Checker) appendIdentifiers(data []byte, s *Scratch) (_ []byte, key span, channels Channels, fault *Fault) {
	if c.key == externalID {
		channels = c.channels // Klaviyo knows which identifiers the person has
	}
	for _, t := range [...]target{externalID, email, phoneNumber} {
		p := s.filled[t]
		switch {
		case t == c.key:
			data = append(append(append(data, '"'), t.name()...), `":`...)
			key.start = len(data)
			data = c.appendKey(data, s)
			key.end = len(data)
			data = append(data, ',')
		case p == 0: // the row lacks it, or no channel needs it
			continue
		case t == email:
			data, fault = s.appendEmail(data, s.member(p))
		default:
			data, fault = c.appendPhone(data, s.member(p), s)
		}
		if fault != nil {
			return data, key, 0, fault
		}
		switch {
		case t == email:
			channels |= c.channels & EmailMarketing
		case t == phoneNumber && !s.droppedPhone:
			channels |= c.channels & smsChannels
		}
	}
	return data, key, channels, nil
}

// appendSubscriptions appends the consent to channels. at is its time, nil for none.
func appendSubscriptions(data []byte, channels Channels, at []byte) []byte {
	data = append(data, `"subscriptions":{`...)
	if channels&EmailMarketing != 0 {
		data = append(appendLeaf(append(data, `"email":{`...), "marketing", at), `},`...)
	}
	if channels&smsChannels != 0 {
		data = append(data, `"sms":{`...)
		if channels&SMSMarketing != 0 {
			data = append(appendLeaf(data, "marketing", at), ',')
		}
		if channels&SMSTransactional != 0 {
			data = append(appendLeaf(data, "transactional", at), ',')
		}
		data[len(data)-1] = '}'
		data = append(data, ',')
	}
	data[len(data)-1] = '}'
	return data
}

func appendLeaf(data []byte, name string, at []byte) []byte {
	data = append(append(append(data, '"'), name...), `":{"consent":"SUBSCRIBED"`...)
	if at != nil {
		data = appendTime(append(data, ','), at)
	}
	return append(data, '}')
}

func appendTime(data, at []byte) []byte {
	return append(append(append(data, `"consented_at":"`...), at...), '"')
}

// noChannel is the fault of a row without an identifier for any of the channels.
func (c *Checker) noChannel(s *Scratch) *Fault {
	detail := "no identifier for " + strings.Join(c.channels.Names(), ", ") + ": column " + quote(c.secondName)
	switch m := s.named(c.secondName); {
	case s.droppedPhone:
		detail += " has a bad number, which --bad-phone drop leaves out"
	case m == nil:
		detail += " is missing" + s.alike(c.secondName, c.second)
	case s.scan.line[m.value] == '"':
		detail += " is empty"
	default:
		detail += " is null"
	}
	return &Fault{ChannelMissing, cutName(c.secondName), detail}
}

// named returns the top-level member of the row with a name, nil where there is none.
func (s *Scratch) named(name string) *member {
	for i := range s.scan.members {
		if m := &s.scan.members[i]; string(s.columns.name(m.column)) == name {
			return m
		}
	}
	return nil
}

// alike returns the clause on a column that looks like the missing one, which fills t, "" for none.
func (s *Scratch) alike(column string, t target) string {
	for i := range s.scan.members {
		name := string(s.columns.name(s.scan.members[i].column))
		switch {
		case strings.EqualFold(name, column):
			return ", but " + quote(name) + ` is there: names are case-sensitive; use AS "` + cutName(column) + `"`
		case t != custom && lookalike(name) == t.name():
			return ", but " + quote(name) + " is there; use " + mapFlag(name, t.name())
		}
	}
	return ""
}

// Unreached returns the channels that were asked for and that no counted row has, and the column that they need.
func (c *Checker) Unreached() (channels Channels, column string) {
	columns := c.Columns()
	if len(columns) == 0 || c.second == custom ||
		slices.ContainsFunc(columns, func(met Column) bool { return met.As == c.second.name() }) {
		return 0, ""
	}
	if c.second == email {
		return c.channels & EmailMarketing, c.secondName
	}
	return c.channels & smsChannels, c.secondName
}
