package gbt32960

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// all reads a stream to its end.
func all(t testing.TB, in io.Reader) (frames []*Frame, skipped uint64, err error) {
	t.Helper()
	r := NewReader(in)
	for {
		f, err := r.Next()
		if err != nil {
			return frames, r.Skipped(), err
		}
		frames = append(frames, f)
	}
}

func streamFrames(t testing.TB) [][]byte {
	return [][]byte{
		encoded(t, plain(t, Edition2016, VehicleLogout, "1906010C0000 0001")),
		encoded(t, plain(t, Edition2025, Heartbeat, "")),
		encoded(t, plain(t, Edition2016, RealTime, "1906010C0000 80 0006 232302FE2323")), // start bytes inside
		encoded(t, plain(t, Edition2025, RealTime, "1906010C0000 80 0004 24242424")),
	}
}

func TestReaderOnSplitAndJoinedReads(t *testing.T) {
	frames := streamFrames(t)
	whole := bytes.Join(frames, nil)
	for name, in := range map[string]io.Reader{
		"joined":             bytes.NewReader(whole),
		"one byte at a time": iotest.OneByteReader(bytes.NewReader(whole)),
		"half of each":       iotest.HalfReader(bytes.NewReader(whole)),
		"end with data":      iotest.DataErrReader(bytes.NewReader(whole)),
	} {
		got, skipped, err := all(t, in)
		if len(got) != len(frames) || skipped != 0 || !errors.Is(err, io.EOF) {
			t.Fatalf("%s: %d frames, %d bytes skipped, %v", name, len(got), skipped, err)
		}
		for i, f := range got {
			if !bytes.Equal(encoded(t, f), frames[i]) {
				t.Errorf("%s: frame %d is another", name, i)
			}
		}
	}
}

func TestReaderResynchronises(t *testing.T) {
	frames := streamFrames(t)
	a, b := frames[0], frames[2]
	// longStart looks like the start of a frame that states 2000 bytes.
	longStart := bytes.Clone(a[:HeaderSize])
	longStart[22], longStart[23] = 0x07, 0xD0
	wrong := bytes.Clone(a)
	wrong[len(wrong)-1] ^= 1
	for _, c := range []struct {
		name   string
		stream [][]byte
		want   int
		noise  int
	}{
		{"noise before", [][]byte{{1, 2, 3}, a, b}, 2, 3},
		{"noise between", [][]byte{a, {0x23, 0x24, 0x23}, b}, 2, 3},
		{"start bytes as noise", [][]byte{a, {0x23, 0x23, 0x23}, b}, 2, 3},
		{"wrong check byte", [][]byte{wrong, b}, 1, len(wrong)},
		{"cut off in the middle", [][]byte{a[:20], b}, 1, 20},
		{"a start that swallows frames", [][]byte{longStart, a, b, bytes.Repeat(a, 100)}, 102, HeaderSize},
		{"a start that swallows frames, at the end", [][]byte{a, longStart, a, b}, 3, HeaderSize},
	} {
		got, skipped, err := all(t, iotest.OneByteReader(bytes.NewReader(bytes.Join(c.stream, nil))))
		if len(got) != c.want || skipped != uint64(c.noise) || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %d frames, want %d; %d bytes skipped, want %d; %v", c.name, len(got), c.want, skipped, c.noise, err)
		}
	}
}

func TestReaderEnds(t *testing.T) {
	a := streamFrames(t)[0]
	if _, skipped, err := all(t, bytes.NewReader(append(bytes.Clone(a), a[:30]...))); !errors.Is(err, io.ErrUnexpectedEOF) || skipped != 30 {
		t.Errorf("cut off: %v, %d bytes skipped", err, skipped)
	}
	broken := errors.New("broken")
	if _, _, err := all(t, io.MultiReader(bytes.NewReader(a), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("broken stream: %v", err)
	}
	if _, _, err := all(t, silent{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a stream that gives nothing: %v", err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// Every second byte of this noise looks like the start of a frame of 9252 bytes.
func TestReaderOnNoiseThatLooksLikeFrames(t *testing.T) {
	header := append([]byte{0x23, 0x23, 0x02, 0xFE}, bytes.Repeat([]byte{0x23}, 17)...)
	noise := bytes.Repeat(append(header, 0x01, 0x24, 0x23, 0x55), 10_000)
	a := streamFrames(t)[0]
	tail := bytes.Repeat(a, 400)
	got, _, _ := all(t, io.MultiReader(bytes.NewReader(noise), bytes.NewReader(tail)))
	if len(got) < 300 {
		t.Errorf("%d frames found behind the noise", len(got))
	}
}

func TestReaderKeepsNoMoreThanAFrame(t *testing.T) {
	a := streamFrames(t)[0]
	r := NewReader(bytes.NewReader(bytes.Repeat(a, 50_000)))
	for {
		if _, err := r.Next(); err != nil {
			break
		}
	}
	if limit := 4 * MaxFrame; cap(r.b)+cap(r.sum) > limit {
		t.Errorf("holds %d bytes", cap(r.b)+cap(r.sum))
	}
}
