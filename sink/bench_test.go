package sink

import (
	"bytes"
	"io"
	"testing"
)

// BenchmarkBody reads the body of a full import as the transport does.
func BenchmarkBody(b *testing.B) {
	profile := bytes.Repeat([]byte("x"), 280)
	profiles := make([]Profile, maxImport)
	set := make([]*Profile, maxImport)
	for i := range profiles {
		profiles[i].JSON = profile
		set[i] = &profiles[i]
	}
	suffix, buffer := importSuffix("XyZ123"), make([]byte, 32<<10)
	b.SetBytes(newBody(importPrefix, suffix, set).size())
	b.ReportAllocs()
	for b.Loop() {
		from := newBody(importPrefix, suffix, set)
		if n, err := io.CopyBuffer(plainWriter{}, from, buffer); err != nil || n != from.size() {
			b.Fatalf("read %d of %d bytes: %v", n, from.size(), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxImport, "ns/row")
}

// plainWriter discards all bytes. Unlike io.Discard it has no ReadFrom, which would bypass the buffer.
type plainWriter struct{}

func (plainWriter) Write(p []byte) (int, error) { return len(p), nil }
