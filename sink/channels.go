package sink

// Channels is a set of the ways in which a person can be reached.
type Channels uint8

const (
	EmailMarketing Channels = 1 << iota
	SMSMarketing
	SMSTransactional
)

// sms are the channels that need a phone number.
const sms = SMSMarketing | SMSTransactional

// each calls f with each channel of the set.
func (c Channels) each(f func(Channels)) {
	for _, one := range []Channels{EmailMarketing, SMSMarketing, SMSTransactional} {
		if c&one != 0 {
			f(one)
		}
	}
}

// reached returns the channels of the set for which a person has an identifier.
func (c Channels) reached(email, phone bool) (some Channels) {
	if email {
		some |= c & EmailMarketing
	}
	if phone {
		some |= c & sms
	}
	return some
}
