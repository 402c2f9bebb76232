package session

import (
	"fmt"
	"strings"
)

// Kind is what one party may ask another for.
type Kind string

// The kinds of items.
const (
	PublicItem Kind = "public" // the asked party's part of the collective key, or the receiver's key: for everyone, when all are committed to
	PartItem   Kind = "part"   // what the asked owner deals to the owner who asks, when all are committed to
	InputItem  Kind = "input"  // an owner's encrypted totals: for everyone, when inputs are closed; of the owner, or of the receiver, who hands it on
	ShareItem  Kind = "share"  // the asked party's share of the switch: for the receiver, when it is committed to
	AliveItem  Kind = "alive"  // a byte, for the receiver, from an owner who has seen the close
)

// Item is what is asked for. Of names an input's owner.
type Item struct {
	Kind Kind
	Of   string
}

// String is the item as a request writes it: "share", or "input of owner-1".
func (i Item) String() string {
	if i.Of == "" {
		return string(i.Kind)
	}
	return string(i.Kind) + " of " + i.Of
}

// maxItem bounds a request: an input of the longest name.
const maxItem = 512

// ParseItem reads what String writes.
func ParseItem(text string) (Item, error) {
	if len(text) > maxItem {
		return Item{}, fmt.Errorf("item: %d bytes, at most %d", len(text), maxItem)
	}
	kind, of, named := strings.Cut(text, " of ")
	i := Item{Kind: Kind(kind), Of: of}
	switch i.Kind {
	case PublicItem, PartItem, ShareItem, AliveItem:
		if named {
			return Item{}, fmt.Errorf("item: a %s is of nobody else", kind)
		}
	case InputItem:
		if of == "" {
			return Item{}, fmt.Errorf("item: an input of nobody")
		}
	default:
		return Item{}, fmt.Errorf("item: %.16q is no kind", kind)
	}
	return i, nil
}
