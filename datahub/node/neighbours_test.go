package node

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// directory is a ledger that says where nodes are.
type directory struct {
	ledger.Client
	nodes []ledger.NodeRecord
}

func (d *directory) Evaluate(_ context.Context, function string, _ []byte) ([]byte, error) {
	if function != ledger.QueryNodes {
		return nil, fmt.Errorf("asked for %s", function)
	}
	return ledger.Encode(d.nodes), nil
}

// One connection is kept to an organisation, to where the ledger said last that its node is: a record that was read before that does not bring the former back.
func TestLineFollowsTheLedger(t *testing.T) {
	owner, again := must(authority.Open(t.TempDir(), "owner", nil))(t), must(authority.Open(t.TempDir(), "owner", nil))(t)
	at := func(url string, a *authority.Authority, time int64) []ledger.NodeRecord {
		return []ledger.NodeRecord{{Organisation: "owner", URL: url, Certificate: a.Certificate(), Time: time}}
	}
	d := &directory{}
	n := &neighbours{book: ledger.Book{Client: d}, certificate: must(owner.Client())(t)}
	t.Cleanup(n.close)
	first, second, third := at("https://127.0.0.1:1", owner, 10), at("https://127.0.0.1:2", owner, 20), at("https://127.0.0.1:2", again, 30)
	kept := map[string]any{}
	for _, step := range []struct {
		name   string
		nodes  []ledger.NodeRecord
		serves string // the step whose connection it is
	}{
		{"first", first, "first"}, {"the same", first, "first"}, {"published again", at("https://127.0.0.1:1", owner, 15), "first"}, {"moved", second, "moved"},
		{"as it was before", first, "moved"}, {"moved, again", second, "moved"}, {"another certificate", third, "another certificate"}, {"the certificate before", second, "another certificate"},
	} {
		d.nodes = step.nodes
		c := must(n.line(t.Context(), "owner"))(t)
		if kept[step.name] = c; kept[step.serves] != c || len(n.lines) != 1 {
			t.Errorf("%s: another connection than that of %q, of %d", step.name, step.serves, len(n.lines))
		}
	}
	former := kept["first"].(interface{ Close() error })
	if err := former.Close(); status.Code(err) != codes.Canceled {
		t.Errorf("the former connection is open: %v", err)
	}
	d.nodes = nil
	if _, err := n.line(t.Context(), "owner"); !errors.Is(err, errNoNode) {
		t.Errorf("without a node: %v", err)
	}
	d.nodes = third
	n.close()
	if _, err := n.line(t.Context(), "owner"); !errors.Is(err, errNoLine) || len(n.lines) != 0 {
		t.Errorf("after it was closed: %v, %d kept", err, len(n.lines))
	}
}
