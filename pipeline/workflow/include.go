package workflow

import (
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"
)

const maxIncludes = 100

// check visits every node of a file once: it takes in the files that !include names, and finds duplicate keys.
func (s *source) check(n *yaml.Node, file string, chain []string) {
	if file != s.file {
		s.files[n] = file
	}
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			s.check(c, file, chain)
		}
		return
	}
	var content []*yaml.Node
	first := map[string]*yaml.Node{}
	included := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		s.check(key, file, chain)
		s.check(value, file, chain)
		if value.Kind == yaml.ScalarNode && value.Tag == "!include" {
			s.add(s.at(value), s.name(key.Value),
				"expected !include as a key of its own, got it as a value; write !include : 'FILE'")
		}
		switch before := first[key.Value]; {
		case key.Tag == "!include":
			included = true
			content = append(content, s.include(key, value, file, chain)...)
			continue
		case key.Kind != yaml.ScalarNode:
			s.add(s.at(key), "", "expected a word as a key, got %s", kindOf(key))
			continue
		case before != nil:
			s.add(s.at(key), s.name(key.Value), "duplicate key, first on line %d", before.Line)
			continue
		case key.Value == keyOfKey && target(value).Kind == yaml.ScalarNode:
			s.hide(target(value).Value)
		}
		first[key.Value] = key
		content = append(content, key, value)
	}
	n.Content = content
	if included {
		n.Content = overlay(content)
	}
}

// include returns the content of the file that an !include names.
func (s *source) include(key, value *yaml.Node, file string, chain []string) []*yaml.Node {
	if key.Value != "" || value.Kind != yaml.ScalarNode || !filepath.IsLocal(value.Value) {
		s.add(s.at(key), "!include", "expected a file below the folder of this one, got %s; write !include : 'FILE'",
			s.Quote(value.Value))
		return nil
	}
	path := filepath.Join(filepath.Dir(file), value.Value)
	if slices.Contains(chain, path) {
		s.add(s.at(key), "!include", "%s includes itself", s.name(path))
		return nil
	}
	if s.includes++; s.includes > maxIncludes {
		s.add(s.file, "", "expected at most %d includes, got more", maxIncludes)
		return nil
	}
	if root := s.load(path, chain); root != nil {
		return root.Content
	}
	return nil
}

// overlay lays each pair over an earlier one with the same key: mappings are merged, any other later value wins.
func overlay(content []*yaml.Node) []*yaml.Node {
	var merged []*yaml.Node
	place := map[string]int{}
	for i := 0; i+1 < len(content); i += 2 {
		key, value := content[i], content[i+1]
		at, there := place[key.Value]
		if !there {
			place[key.Value] = len(merged)
			merged = append(merged, key, value)
			continue
		}
		if before := merged[at+1]; before.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode {
			both := *value
			both.Content = overlay(slices.Concat(before.Content, value.Content))
			value = &both
		}
		merged[at], merged[at+1] = key, value
	}
	return merged
}
