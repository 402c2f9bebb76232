package evidence

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// layout is how blocks look in one of the two encodings of a file, as package json would write them: for people, and compact, which is signed. Blocks are nearly all of a large
// file. Package json would hold it several times over while it writes, and a node has other things to do, so they are put into the rest here.
type layout struct {
	marshal func(any) ([]byte, error)
	// none is the field without blocks; open, before and so on are what stands around the parts of each.
	none, open, height, data, end, between, shut string
}

var (
	forPeople = layout{
		marshal: func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") },
		none:    `"blocks": []`, open: "\"blocks\": [\n  ", height: "{\n   \"height\": ", data: ",\n   \"data\": ", end: "\n  }", between: ",\n  ", shut: "\n ]",
	}
	compact = layout{marshal: json.Marshal, none: `"blocks":[]`, open: `"blocks":[`, height: `{"height":`, data: `,"data":`, end: "}", between: ",", shut: "]"}
)

// append writes the evidence behind what is there, and leaves room for some bytes more.
func (l *layout) append(to []byte, e *Evidence, more int) ([]byte, error) {
	rest := *e
	if len(e.Blocks) > 0 {
		rest.Blocks = []Block{}
	}
	b, err := l.marshal(&rest)
	if err != nil {
		return nil, fmt.Errorf("encoding evidence: %w", err)
	}
	if len(e.Blocks) == 0 {
		return append(to, b...), nil
	}
	at := bytes.LastIndex(b, []byte(l.none)) // behind it are numbers, and texts whose quotes are escaped
	if at < 0 {
		return nil, errors.New("encoding evidence: there is no place for blocks")
	}
	out := make([]byte, 0, len(to)+len(b)+l.size(e.Blocks)+more)
	out = append(append(append(out, to...), b[:at]...), l.open...)
	for i := range e.Blocks {
		if i > 0 {
			out = append(out, l.between...)
		}
		out = l.block(out, &e.Blocks[i])
	}
	return append(append(out, l.shut...), b[at+len(l.none):]...), nil
}

func (l *layout) block(out []byte, b *Block) []byte {
	out = strconv.AppendUint(append(out, l.height...), b.Height, 10)
	out = append(out, l.data...)
	if b.Data == nil {
		out = append(out, "null"...)
	} else {
		out = append(base64.StdEncoding.AppendEncode(append(out, '"'), b.Data), '"')
	}
	return append(out, l.end...)
}

// size is no less than blocks take.
func (l *layout) size(blocks []Block) int {
	const digits, null = 20, 4
	around := len(l.between) + len(l.height) + len(l.data) + len(l.end) + digits + null
	n := len(l.open) + len(l.shut)
	for i := range blocks {
		n += around + base64.StdEncoding.EncodedLen(len(blocks[i].Data))
	}
	return n
}
