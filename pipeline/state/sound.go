package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
)

// Kinds of bbolt's pages, and the flag of a value that is a bucket (bbolt's internal/common/page.go).
const (
	branchPage, leafPage, freePage = 1, 2, 16
	bucketValue                    = 1
	magic                          = 0xED0CDAED
)

// walk follows a database's pages. bbolt trusts them: a cycle of pages would end the process, and a free page that is
// in use would be overwritten.
type walk struct {
	file  *os.File
	seen  []bool // by number of the page
	after []uint64
}

// sound returns an error unless every page of the file is where it should be. It does not look at the values.
func sound(name string, file *os.File) error {
	w := &walk{file: file}
	if err := w.all(); err != nil {
		return damaged(name, err.Error())
	}
	return nil
}

func (w *walk) all() error {
	var newest, older []byte
	for i := range int64(2) { // bbolt goes on with the older page where one is damaged: the last commit would be undone
		page, err := w.read(i*pageSize, 80)
		if err != nil {
			return err
		}
		meta := page[16:]
		sum := fnv.New64a()
		_, _ = sum.Write(meta[:56])
		if little32(meta) != magic || little32(meta[8:]) != pageSize || little64(meta[56:]) != sum.Sum64() {
			return fmt.Errorf("page %d is not as it was written", i)
		}
		older, newest = newest, meta
	}
	if little64(older[48:]) > little64(newest[48:]) {
		older, newest = newest, older
	}
	if little64(older[48:])+1 != little64(newest[48:]) { // each transaction writes one of them, in turn
		return errors.New("its first two pages do not belong together")
	}
	pages := little64(newest[40:])
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	if has := uint64(info.Size()) / pageSize; has < pages {
		return fmt.Errorf("it has %d pages of %d", has, pages)
	}
	w.seen = make([]bool, pages)
	w.seen[0], w.seen[1] = true, true
	w.after = append(w.after, little64(newest[16:]))
	for len(w.after) > 0 {
		id := w.after[len(w.after)-1]
		w.after = w.after[:len(w.after)-1]
		at, size, err := w.page(id)
		if err == nil {
			err = w.node(at, size)
		}
		if err != nil {
			return err
		}
	}
	return w.free(little64(newest[32:]))
}

// page marks a page and those that continue it, and returns where they begin and how long they are.
func (w *walk) page(id uint64) (at, size int64, err error) {
	if id >= uint64(len(w.seen)) {
		return 0, 0, fmt.Errorf("page %d is missing", id)
	}
	head, err := w.read(int64(id)*pageSize, 16)
	if err != nil {
		return 0, 0, err
	}
	last := id + uint64(little32(head[12:]))
	if little64(head) != id || last >= uint64(len(w.seen)) {
		return 0, 0, fmt.Errorf("page %d is not as it was written", id)
	}
	for i := id; i <= last; i++ {
		if err := w.mark(i); err != nil {
			return 0, 0, err
		}
	}
	return int64(id) * pageSize, int64(last-id+1) * pageSize, nil
}

func (w *walk) mark(id uint64) error {
	if id >= uint64(len(w.seen)) || w.seen[id] {
		return fmt.Errorf("page %d is used twice", id)
	}
	w.seen[id] = true
	return nil
}

// node looks at the keys and values of a page, or of a small bucket inside a value.
func (w *walk) node(at, size int64) error {
	wrong := fmt.Errorf("page %d is not as it was written", at/pageSize)
	if size < 16 {
		return wrong
	}
	head, err := w.read(at, 16)
	if err != nil {
		return err
	}
	kind, count := binary.LittleEndian.Uint16(head[8:]), int64(binary.LittleEndian.Uint16(head[10:]))
	if 16+16*count > size || kind != branchPage && kind != leafPage {
		return wrong
	}
	elements, err := w.read(at+16, 16*count)
	if err != nil {
		return err
	}
	for place := int64(16); len(elements) > 0; place, elements = place+16, elements[16:] {
		e := [4]int64{}
		for i := range e {
			e[i] = int64(little32(elements[4*i:]))
		}
		if kind == branchPage { // offset and size of the key, page
			if place+e[0]+e[1] > size {
				return wrong
			}
			w.after = append(w.after, little64(elements[8:]))
			continue
		}
		value := place + e[1] + e[2] // flags, offset, size of the key, size of the value
		if value+e[3] > size {
			return wrong
		}
		if e[0]&bucketValue == 0 {
			continue
		}
		if e[3] < 16 {
			return wrong
		}
		bucket, err := w.read(at+value, 16)
		if err != nil {
			return err
		}
		if root := little64(bucket); root != 0 {
			w.after = append(w.after, root)
		} else if err := w.node(at+value+16, e[3]-16); err != nil {
			return err
		}
	}
	return nil
}

// free looks at the list of free pages.
func (w *walk) free(id uint64) error {
	at, size, err := w.page(id)
	if err != nil {
		return err
	}
	wrong := fmt.Errorf("page %d is not as it was written", id)
	head, err := w.read(at, 24)
	if err != nil {
		return err
	}
	count, from := uint64(binary.LittleEndian.Uint16(head[10:])), int64(16)
	if count == 0xFFFF {
		count, from = little64(head[16:]), 24
	}
	if binary.LittleEndian.Uint16(head[8:]) != freePage || count > uint64(size-from)/8 {
		return wrong
	}
	list, err := w.read(at+from, 8*int64(count))
	for ; err == nil && len(list) > 0; list = list[8:] {
		err = w.mark(little64(list))
	}
	return err
}

func (w *walk) read(at, n int64) ([]byte, error) {
	b := make([]byte, n)
	_, err := w.file.ReadAt(b, at)
	return b, err
}

func little32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func little64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
