package sink

// Channels is a set of the ways in which a person can be reached.
type Channels uint8

const (
	EmailMarketing Channels = 1 << iota
	SMSMarketing
	SMSTransactional
)
