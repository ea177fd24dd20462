package validate

import (
	"fmt"
	"strings"
)

// Channels is a set of the ways in which a person can be reached.
type Channels uint8

const (
	EmailMarketing Channels = 1 << iota
	SMSMarketing
	SMSTransactional
)

const smsChannels = SMSMarketing | SMSTransactional

// channelNames are in the order of the bits.
var channelNames = [...]string{"email", "sms", "sms-transactional"}

// ParseChannels returns the set of the channels with these names. Its error names the known ones.
func ParseChannels(names ...string) (set Channels, err error) {
	for _, name := range names {
		channel := Channels(0)
		for i, known := range channelNames {
			if strings.TrimSpace(name) == known {
				channel = 1 << i
			}
		}
		if channel == 0 {
			return 0, fmt.Errorf("expected %s, got %s", either(channelNames[:]), quote(name))
		}
		set |= channel
	}
	return set, nil
}

// Names returns the names of the channels, as flags and results spell them: email, sms, sms-transactional.
func (c Channels) Names() (names []string) {
	for i, name := range channelNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// either joins words as a, b or c.
func either(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
