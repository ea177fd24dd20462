package workflow

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

const maxMerged = 100_000 // pairs that merge keys bring in

// pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// pairs returns the members of a mapping, those of its merge keys last. Other nodes have none.
func (s *source) pairs(n *yaml.Node) []pair {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	if pairs, done := s.cache[n]; done {
		return pairs
	}
	s.cache[n] = nil // a mapping that merges itself gains nothing
	var pairs, inherited []pair
	own := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; key.Tag == "!!merge" {
			inherited = append(inherited, s.inherit(value)...)
		} else {
			own[key.Value] = true
			pairs = append(pairs, pair{key, value})
		}
	}
	for _, p := range inherited {
		if !own[p.key.Value] {
			own[p.key.Value] = true
			pairs = append(pairs, p)
		}
	}
	s.cache[n] = pairs
	return pairs
}

// inherit returns what a merge key brings in: the members of a mapping, or of a list of mappings, of which the
// first wins.
func (s *source) inherit(value *yaml.Node) (pairs []pair) {
	from := []*yaml.Node{value}
	if list := target(value); list.Kind == yaml.SequenceNode {
		from = list.Content
	}
	for _, n := range from {
		if target(n).Kind != yaml.MappingNode {
			s.add(s.at(n), "<<", "expected a mapping or a list of mappings, got %s", kindOf(target(n)))
		}
		more := s.pairs(n)
		if s.merged += len(more); s.merged > maxMerged {
			s.add(s.file, "", "expected at most %d keys from merge keys, got more", maxMerged)
			return nil
		}
		pairs = append(pairs, more...)
	}
	return pairs
}

// find returns the value of a mapping's member, nil if there is none.
func (s *source) find(n *yaml.Node, key string) *yaml.Node {
	for _, p := range s.pairs(n) {
		if p.key.Value == key {
			return target(p.value)
		}
	}
	return nil
}

// target returns the node that an alias stands for, or n itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Kind is what a value is, in words that fit a fault.
type Kind string

// The kinds of values. Numbers and dates are texts.
const (
	Boolean Kind = "a boolean"
	Nothing Kind = "nothing"
	scalar  Kind = "a text"
	list    Kind = "a list"
	mapping Kind = "a mapping"
	alias   Kind = "an alias"
	tagged  Kind = "a tag (put a text that begins with ! in quotes)"
)

func kindOf(n *yaml.Node) Kind {
	switch {
	case n.Kind == yaml.MappingNode:
		return mapping
	case n.Kind == yaml.SequenceNode:
		return list
	case n.Kind == yaml.AliasNode:
		return alias
	case n.Tag == "!!null":
		return Nothing
	case n.Tag == "!!bool":
		return Boolean
	case slices.Contains([]string{"!!str", "!!int", "!!float", "!!timestamp", "!!merge"}, n.Tag):
		return scalar
	}
	return tagged
}

// textual reports whether a node can be read as a text.
func textual(n *yaml.Node) bool {
	kind := kindOf(n)
	return kind == scalar || kind == Boolean
}
