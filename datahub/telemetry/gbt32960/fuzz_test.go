package gbt32960

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func seeds(f *testing.F) [][]byte {
	f.Helper()
	all := streamFrames(f)
	for name, b := range vectors(f) {
		if name[:6] == "frame/" {
			all = append(all, b)
		}
	}
	for _, key := range signers(f) {
		all = append(all, encoded(f, signedReport(f, key, nil)))
	}
	for _, blocks := range []string{
		"02 01 02 01 4B 639C 00030D40 6D", "03 0041 04 0005 06 0007 08 01 32 3C", "05 06 02 073CD506 01DB5932", "06 04 00800000 00 00 00 00 01 17 04",
		"07 01 01 18B0 2285 0002 0CBC 0CE4", "08 01 01 0002 4443", "30 01 01 0FA0 0064 07D0 0BB8 3C 0001 50", "31 01 0FA0 7530 0002 09C4 09C5 0001 41",
		"32 01 0002 09C5 01 0001 09C4 01 0003 42 01 0004 41",
	} {
		all = append(all, encoded(f, plain(f, Edition2025, RealTime, timeHex+blocks)))
	}
	return all
}

// FuzzDecode: what is accepted as a frame is written back byte for byte, and so is its unit.
func FuzzDecode(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := Decode(b)
		if err != nil {
			return
		}
		if back, err := frame.Encode(); err != nil || !bytes.Equal(back, b) {
			t.Fatalf("written %x, %v", back, err)
		}
		unitRoundTrips(t, frame)
	})
}

// FuzzUnit needs no check byte, so that it gets further into units.
func FuzzUnit(f *testing.F) {
	for _, b := range seeds(f) {
		frame, err := Decode(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame.Edition == Edition2025, uint8(frame.Command), frame.Reply == IsCommand, frame.Data)
	}
	f.Fuzz(func(t *testing.T, young bool, command uint8, asked bool, unit []byte) {
		frame := &Frame{Edition: Edition2016, Command: Command(command), Reply: Done, Encryption: Plain, Data: unit}
		if young {
			frame.Edition = Edition2025
		}
		if asked {
			frame.Reply = IsCommand
		}
		unitRoundTrips(t, frame)
	})
}

func unitRoundTrips(t *testing.T, f *Frame) {
	t.Helper()
	u, err := f.Unit()
	if err != nil {
		return
	}
	if b, err := EncodeUnit(f.Edition, u); len(f.Data) <= MaxUnit && (err != nil || !bytes.Equal(b, f.Data)) {
		t.Fatalf("%T is written\n%x, was\n%x, %v", u, b, f.Data, err)
	}
	readings, _, err := Readings(f)
	if err == nil && len(readings) > 1 {
		t.Fatalf("%d readings of one frame", len(readings))
	}
	if _, report := u.(*Report); len(readings) > 0 && !report {
		t.Fatalf("readings of %T", u)
	}
}

// FuzzReader: every frame of a stream is there, byte for byte and in order, whatever stands between, and however it is read.
func FuzzReader(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b, append([]byte{0x23, 0x23}, b...))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		stream := append(append(bytes.Clone(a), b...), a...)
		var first []*Frame
		for i, in := range []io.Reader{bytes.NewReader(stream), iotest.HalfReader(bytes.NewReader(stream))} {
			frames, skipped, err := all(t, in)
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			used, from := uint64(0), 0
			for _, f := range frames {
				b := encoded(t, f)
				at := bytes.Index(stream[from:], b)
				if at < 0 {
					t.Fatalf("frame %x is not in the stream", b)
				}
				from += at + len(b)
				used += uint64(len(b))
			}
			if used+skipped != uint64(len(stream)) {
				t.Fatalf("%d bytes in frames, %d skipped, of %d", used, skipped, len(stream))
			}
			if i == 0 {
				first = frames
			} else if len(first) != len(frames) {
				t.Fatalf("%d frames, read in halves %d", len(first), len(frames))
			}
		}
	})
}

// FuzzUpload: what is accepted as an upload is nothing but frames, and gives at most one reading for each.
func FuzzUpload(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
		f.Add(append(bytes.Clone(b), b...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Upload(b)
		if err != nil {
			return
		}
		frames, skipped, _ := all(t, bytes.NewReader(b))
		if skipped != 0 || len(d.Readings) > len(frames) {
			t.Fatalf("%d readings of %d frames, %d bytes between them", len(d.Readings), len(frames), skipped)
		}
	})
}
