package state

import "crypto/sha256"

// Hasher makes hashes: SHA-256 of the file's key and the text, cut to 128 bits. It serves one goroutine.
type Hasher struct{ text []byte } // begins with the key

// Hasher returns a new Hasher of this file.
func (s *State) Hasher() *Hasher { return &Hasher{append(make([]byte, 0, 1024), s.record.Key...)} }

// Person returns the hash of an identifier.
func (h *Hasher) Person(identifier []byte) Hash { return h.sum('i', identifier) }

// Profile returns the hash of a profile as it is sent.
func (h *Hasher) Profile(json []byte) Hash { return h.sum('p', json) }

func (h *Hasher) sum(kind byte, text []byte) Hash {
	h.text = append(append(h.text[:32], kind), text...)
	sum := sha256.Sum256(h.text)
	return Hash(sum[:16])
}
