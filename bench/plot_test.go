package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"
)

// The plot is well-formed XML, with a point for each size of each program in both panels and one in the legend.
func TestPlot(t *testing.T) {
	drawn := madeUp().plot()
	wellFormed(t, drawn)
	if n := bytes.Count(drawn, []byte("<circle")); n != 2*2*3+2 {
		t.Errorf("expected %d points, got %d", 2*2*3+2, n)
	}
	if bytes.Contains(drawn, []byte("NaN")) || bytes.Contains(drawn, []byte("Inf")) {
		t.Error("a coordinate is not a number")
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
