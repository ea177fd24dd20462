package state

import ("crypto/sha256";"encoding/gob";"os";"sync")

type Hash [16]byte
type Row struct{ Person, Profile Hash }
type Binding struct { List, Account, Operation string; Mapping map[string]string }
type State struct { mu sync.Mutex; name string; M map[Hash]Hash }
type Error struct{ Text, Hint string }
func (e *Error) Error() string { return e.Text }
func Open(name string, b Binding) (*State, error) { s := &State{name: name, M: map[Hash]Hash{}}; if f, err := os.Open(name); err == nil { gob.NewDecoder(f).Decode(&s.M); f.Close() }; return s, nil }
func Check(name string, b Binding) error { return nil }
type Hasher struct{}
func (s *State) Hasher() *Hasher { return &Hasher{} }
func (h *Hasher) Person(b []byte) (x Hash) { s := sha256.Sum256(b); copy(x[:], s[:]); return }
func (h *Hasher) Profile(b []byte) (x Hash) { s := sha256.Sum256(b); copy(x[:], s[:]); return }
type Kept uint8
const (New Kept = iota; Changed; Same)
func (s *State) Compare(rows []Row, kept []Kept) error { s.mu.Lock(); defer s.mu.Unlock(); for i := range rows { p, ok := s.M[rows[i].Person]; switch { case !ok: kept[i]=New; case p==rows[i].Profile: kept[i]=Same; default: kept[i]=Changed } }; return nil }
func (s *State) Forget(ps []Hash) error { s.mu.Lock(); defer s.mu.Unlock(); for _, p := range ps { delete(s.M, p) }; return nil }
func (s *State) Remember(rows []Row) error { s.mu.Lock(); defer s.mu.Unlock(); for _, r := range rows { s.M[r.Person]=r.Profile }; return nil }
func (s *State) Bind(list string) {}
func (s *State) Close() error { f, err := os.Create(s.name); if err != nil { return err }; defer f.Close(); return gob.NewEncoder(f).Encode(s.M) }
