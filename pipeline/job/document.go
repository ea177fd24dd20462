package job

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxBytes    = 1 << 20 // of a file and all that it includes
	maxIncludes = 100
	maxMerged   = 100_000 // pairs that merge keys bring in
)

// document is a YAML file, with the files that it includes in place.
type document struct {
	faults
	file string

	files    map[*yaml.Node]string // where nodes of other files stand
	cache    map[*yaml.Node][]pair
	bytes    int
	includes int
	merged   int
}

// pair is a member of a mapping.
type pair struct{ key, value *yaml.Node }

func newDocument(file string) *document {
	return &document{file: file, files: map[*yaml.Node]string{}, cache: map[*yaml.Node][]pair{}}
}

// at returns where a node stands, as FILE:LINE.
func (d *document) at(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d", cmp.Or(d.files[n], d.file), n.Line)
}

// load returns the mapping that a file holds, nil after a fault. chain are the files that include it.
func (d *document) load(file string, chain []string) *yaml.Node {
	text := d.read(file)
	if text == nil {
		return nil
	}
	var doc, second yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err == nil {
		err = loader.Load(&doc)
	}
	if err == io.EOF || err == nil && describe(doc.Content[0]) == "empty" {
		d.add(file, "is empty, a mapping is meant")
		return nil
	}
	if err == nil {
		if err = loader.Load(&second); err == nil {
			d.add(fmt.Sprintf("%s:%d", file, second.Line), "a second document begins, one in a file is meant")
			return nil
		}
	}
	if err != nil && err != io.EOF {
		d.explain(file, text, err)
		return nil
	}
	root := doc.Content[0]
	d.check(root, file, append(slices.Clip(chain), filepath.Clean(file)))
	if root.Kind != yaml.MappingNode {
		d.add(d.at(root), "the file is %s, a mapping is meant", describe(root))
		return nil
	}
	return root
}

// read returns the text of a file, nil after a fault.
func (d *document) read(file string) []byte {
	f, err := os.Open(file)
	var text []byte
	if err == nil {
		defer func() { _ = f.Close() }()
		text, err = io.ReadAll(io.LimitReader(f, int64(maxBytes-d.bytes+1)))
	}
	if err != nil {
		if path := (*os.PathError)(nil); errors.As(err, &path) {
			err = path.Err
		}
		d.add(file, "cannot be read: %v", err)
		return nil
	}
	d.bytes += len(text)
	if d.bytes > maxBytes {
		d.add(file, "is over 1 MiB, a file of settings is meant")
		return nil
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			d.add(fmt.Sprintf("%s:%d", file, 1+bytes.Count(text[:i], []byte{'\n'})), "holds a byte that is no UTF-8 text")
			return nil
		}
		i += n
	}
	return text
}

// explain tells an error of the YAML package in the words of who writes settings. It shows none of their text but
// the character that is at fault.
func (d *document) explain(file string, text []byte, err error) {
	fault := (*yaml.LoadError)(nil)
	if !errors.As(err, &fault) {
		d.add(file, "is not YAML")
		return
	}
	mark := fault.Mark
	unended := fault.ContextMsg == "while scanning a quoted scalar" && strings.HasSuffix(fault.Message, "end of stream")
	if unended {
		mark = fault.ContextMark
	}
	at, line := file, ""
	if mark.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", file, mark.Line, mark.Column)
		lines := strings.SplitN(string(text), "\n", mark.Line+1)
		line = lines[min(mark.Line, len(lines))-1]
	}
	blanks := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case unended:
		d.add(at, "the quote that begins here does not end")
	case strings.Contains(blanks, "\t"):
		d.add(at, "a tab indents this line, spaces are meant")
	case strings.HasPrefix(fault.Message, "mapping values are not allowed"):
		d.add(at, "a \": \" too many, one in a line is meant; put a text that holds it in quotes, and look at the indentation")
	case strings.HasPrefix(fault.Message, "found character that cannot start"):
		d.add(at, "no text begins with this character; put the text in quotes")
	case strings.HasPrefix(fault.Message, "did not find expected ','") && strings.Contains(line, "${"):
		d.add(at, "a ${…} inside { } or [ ] is put in quotes")
	case strings.HasPrefix(fault.Message, "unknown anchor"):
		d.add(at, "this alias has no anchor; put a text that begins with * in quotes")
	default:
		d.add(at, "is not YAML: %s", strings.TrimPrefix(fault.Message, "yaml: "))
	}
}

// check looks at every node of a file once: it takes in what !include names and finds keys that are there twice.
func (d *document) check(n *yaml.Node, file string, chain []string) {
	if file != d.file {
		d.files[n] = file
	}
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			d.check(c, file, chain)
		}
		return
	}
	var content []*yaml.Node
	first := map[string]*yaml.Node{}
	included := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		d.check(key, file, chain)
		d.check(value, file, chain)
		if value.Kind == yaml.ScalarNode && value.Tag == "!include" {
			d.add(d.at(value), "!include is a value here, a key of its own is meant: !include : 'FILE'")
		}
		switch before := first[key.Value]; {
		case key.Tag == "!include":
			included = true
			content = append(content, d.include(key, value, file, chain)...)
			continue
		case key.Kind != yaml.ScalarNode:
			d.add(d.at(key), "a key is %s, a word is meant", describe(key))
			continue
		case before != nil:
			d.add(d.at(key), "%s is there twice, first in line %d", d.name(key.Value), before.Line)
			continue
		case key.Value == "api_token" && value.Kind == yaml.ScalarNode:
			d.hide(value.Value)
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
func (d *document) include(key, value *yaml.Node, file string, chain []string) []*yaml.Node {
	if key.Value != "" || value.Kind != yaml.ScalarNode || !filepath.IsLocal(value.Value) {
		d.add(d.at(key), "!include : %s, a file below the folder of this one is meant, written !include : 'FILE'", d.value(value.Value))
		return nil
	}
	path := filepath.Join(filepath.Dir(file), value.Value)
	if slices.Contains(chain, path) {
		d.add(d.at(key), "%s includes itself", d.name(path))
		return nil
	}
	if d.includes++; d.includes > maxIncludes {
		d.add(d.file, "includes more than %d files", maxIncludes)
		return nil
	}
	if root := d.load(path, chain); root != nil {
		return root.Content
	}
	return nil
}

// overlay lays each pair over the one before it that has the same key: mappings are merged, else the later value wins.
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

// target returns the node that an alias stands for, or n itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// pairs returns the members of a mapping, those of its merge keys after its own; none of another node.
func (d *document) pairs(n *yaml.Node) []pair {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	if pairs, done := d.cache[n]; done {
		return pairs
	}
	d.cache[n] = nil // a mapping that merges itself gains nothing
	var pairs, inherited []pair
	own := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; key.Tag == "!!merge" {
			inherited = append(inherited, d.inherit(value)...)
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
	d.cache[n] = pairs
	return pairs
}

// inherit returns what a merge key brings in: a mapping's members, or those of a list of mappings, the first winning.
func (d *document) inherit(value *yaml.Node) (pairs []pair) {
	from := []*yaml.Node{value}
	if list := target(value); list.Kind == yaml.SequenceNode {
		from = list.Content
	}
	for _, n := range from {
		if target(n).Kind != yaml.MappingNode {
			d.add(d.at(n), "<< is %s, a mapping or a list of mappings is meant", describe(target(n)))
		}
		more := d.pairs(n)
		if d.merged += len(more); d.merged > maxMerged {
			d.add(d.file, "merge keys bring in more than %d members", maxMerged)
			return nil
		}
		pairs = append(pairs, more...)
	}
	return pairs
}

// find returns the value of a mapping's member, nil if there is none.
func (d *document) find(n *yaml.Node, key string) *yaml.Node {
	for _, p := range d.pairs(n) {
		if p.key.Value == key {
			return target(p.value)
		}
	}
	return nil
}

// textual reports whether a node can be read as a text: a scalar that is not null.
func textual(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && slices.Contains([]string{"!!str", "!!int", "!!float", "!!timestamp", "!!bool", "!!merge"}, n.Tag)
}

// describe says what kind of value a node is.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!null":
		return "empty"
	case textual(n):
		return "a text"
	}
	return "a tag (a text that begins with ! is put in quotes)"
}
