package collective

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
)

// What each function refuses, and that its error names the bound.
func TestRefused(t *testing.T) {
	s := newSession(t, insecure(), 4, 3)
	p, shape, standard := s.p, Shape{Used: 2, Ciphertexts: 1}, Standard()
	one, two := s.owners[0], s.owners[1]
	foreign := newSession(t, standard, 3, 2)
	other := newSession(t, p, 4, 3)
	totals := integers(1, 2)
	in := must(p.Encrypt(s.key, one.ctx, shape, totals, NewSecret().seed))
	term := must(p.CheckInput(s.key, one.ctx, in))
	elsewhere := must(p.CheckInput(other.key, other.owners[1].ctx, must(p.Encrypt(other.key, other.owners[1].ctx, shape, totals, NewSecret().seed))))
	longer := must(p.CheckInput(s.key, two.ctx, must(p.Encrypt(s.key, two.ctx, Shape{Used: 3, Ciphertexts: 1}, integers(1, 2, 3), NewSecret().seed))))
	sum := s.sum(t, shape, totals, totals, totals)
	anonymous, destroyed := Context{Session: s.id}, NewSecret()
	destroyed.Destroy()
	tooMuch := new(big.Int).Add(p.Limit(1), big.NewInt(1))
	regulator := must(p.RegulatorKey(s.regulator.secret))
	spent := must(p.RegulatorKey(s.regulator.secret))
	spent.Destroy()
	otherDeal := must(p.Split(one.secret, 1, 2, []Point{1, 2, 3, 4}))
	for want, call := range map[string]func() error{
		"party's name of 0 bytes":           func() error { return second(p.PublicPart(s.crs, anonymous, one.secret)) },
		"secret: none, or destroyed":        func() error { return second(p.PublicPart(s.crs, one.ctx, destroyed)) },
		"public part is missing, or of an":  func() error { return p.CheckPublicPart(s.crs, one.ctx, foreign.owners[0].part) },
		"public part is missing":            func() error { return p.CheckPublicPart(s.crs, one.ctx, nil) },
		"1 parts, want 2 to 17":             func() error { return second(p.PublicKey(s.crs, one.part)) },
		"a part is missing":                 func() error { return second(p.PublicKey(s.crs, one.part, foreign.owners[0].part)) },
		"receiver's key: secret":            func() error { return second(p.ReceiverKey(nil)) },
		"own point 5":                       func() error { return second(p.Split(one.secret, 5, 3, []Point{1, 2, 3, 4})) },
		"threshold 1, want 2 to 4":          func() error { return second(p.Split(one.secret, 1, 1, []Point{1, 2, 3, 4})) },
		"threshold 5, want 2 to 4":          func() error { return second(p.Split(one.secret, 1, 5, []Point{1, 2, 3, 4})) },
		"point 2 after point 3":             func() error { return second(p.Split(one.secret, 1, 3, []Point{1, 3, 2, 4})) },
		"point 1 after point 1":             func() error { return second(p.Split(one.secret, 1, 3, []Point{1, 1, 2, 4})) },
		"point 17, want 1 to 16":            func() error { return second(p.Split(one.secret, 1, 3, []Point{1, 2, 17})) },
		"point 0, want 1 to 16":             func() error { return second(p.Split(one.secret, 1, 3, []Point{0, 1, 2})) },
		"points: 17":                        func() error { return second(p.Split(one.secret, 1, 3, make([]Point, 17))) },
		"no part from owner":                func() error { return second(p.Gather(1, one.dealt, s.received(1)[:2]...)) },
		"two parts from owner 2":            func() error { return second(p.Gather(1, one.dealt, append(s.received(1)[:2], two.dealt[1])...)) },
		"part from 2 to 3":                  func() error { return second(p.Gather(1, one.dealt, two.dealt[3])) },
		"part from 1 to 2 with threshold 2": func() error { return second(p.Gather(2, two.dealt, otherDeal[2])) },
		"own part is missing":               func() error { return second(p.Gather(7, one.dealt)) },
		"2 owners, want 3 with owner 1":     func() error { return second(p.OwnerKey(one.holding, []Point{1, 2})) },
		"4 owners, want 3 with owner 1":     func() error { return second(p.OwnerKey(one.holding, []Point{1, 2, 3, 4})) },
		"3 owners, want 3 with owner 1":     func() error { return second(p.OwnerKey(one.holding, []Point{2, 3, 4})) },
		"point 1 after point 2":             func() error { return second(p.OwnerKey(one.holding, []Point{2, 1, 3})) },
		"owner 9 is not of this session":    func() error { return second(p.OwnerKey(one.holding, []Point{1, 2, 9})) },
		"holding is missing":                func() error { return second(p.OwnerKey(foreign.owners[0].holding, []Point{1, 2})) },
		"regulator's key: secret":           func() error { return second(p.RegulatorKey(destroyed)) },
		"totals: 0, want 1 to 128":          func() error { return second(p.Encrypt(s.key, one.ctx, Shape{0, 1}, nil, [32]byte{1})) },
		"totals: 129, want 1 to 128":        func() error { return second(p.UnmarshalInput(Shape{129, 1}, nil)) },
		"totals: 257, want 1 to 256":        func() error { return second(standard.UnmarshalInput(Shape{257, 1}, nil)) },
		"ciphertexts: 3, want 1 to 2":       func() error { return second(p.UnmarshalSwitchShare(Shape{1, 3}, nil)) },
		"1 totals, want 2":                  func() error { return second(p.Encrypt(s.key, one.ctx, shape, integers(1), [32]byte{1})) },
		"total 1 is missing, or beyond 281474976": func() error {
			return second(p.Encrypt(s.key, one.ctx, shape, []*big.Int{new(big.Int), tooMuch}, [32]byte{1}))
		},
		"total 0 is missing": func() error { return second(p.Encrypt(s.key, one.ctx, shape, make([]*big.Int, 2), [32]byte{1})) },
		"seed is zero":       func() error { return second(p.Encrypt(s.key, one.ctx, shape, totals, [32]byte{})) },
		"a receiver's key where a collective key belongs": func() error { return second(p.Encrypt(s.towards, one.ctx, shape, totals, [32]byte{1})) },
		"a collective key where a receiver's key belongs": func() error { return second(p.SwitchShare(regulator, s.key, sum)) },
		"input is missing":               func() error { return second(p.CheckInput(s.key, one.ctx, nil)) },
		"input of party-1, ciphertext 0": func() error { return second(p.CheckInput(other.key, one.ctx, in)) },
		"0 inputs, want 1 to 16":         func() error { return second(p.Add()) },
		"17 inputs":                      func() error { return second(p.Add(make([]*Term, 17)...)) },
		"an input is missing":            func() error { return second(p.Add(term, nil)) },
		"two inputs of party-1":          func() error { return second(p.Add(term, term)) },
		"input of party-2 is of another session, key or shape": func() error { return second(p.Add(term, elsewhere)) },
		"input of party-2 is of another":                       func() error { return second(p.Add(term, longer)) },
		"share key: destroyed":                                 func() error { return second(p.SwitchShare(spent, s.towards, sum)) },
		"share key is missing":                                 func() error { return second(p.SwitchShare(nil, s.towards, sum)) },
		"sum is missing":                                       func() error { return second(p.SwitchShare(regulator, s.towards, nil)) },
		"receiver's key is missing":                            func() error { return second(p.SwitchShare(regulator, foreign.towards, sum)) },
		"opening: sum is missing":                              func() error { return second(p.Open(s.receiver, nil)) },
		"opening: a share is missing":                          func() error { return second(p.Open(s.receiver, sum, nil)) },
		"opening: receiver's key: secret":                      func() error { return second(p.Open(destroyed, sum)) },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A share of another sum, another receiver, another session's key or with an altered residue opens nothing.
func TestOpenNoticesWrongShares(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	p, shape := s.p, Shape{Used: 6, Ciphertexts: 1}
	totals := integers(3, 1, 4, 1, 5, 9)
	sum, another := s.sum(t, shape, totals, totals, totals), s.sum(t, shape, totals, totals, totals)
	good := s.shares(t, sum, 1, 2)
	stranger := newSession(t, p, 3, 2)
	elsewhere := *s
	elsewhere.towards = must(p.ReceiverKey(NewSecret()))
	altered := must(p.UnmarshalSwitchShare(shape, good[0].Marshal()))
	altered.h0[0][0][5] = add(altered.h0[0][0][5], 1, p.q[0])
	for name, bad := range map[string]*SwitchShare{
		"another sum":           s.shares(t, another, 1, 2)[0],
		"another receiver":      elsewhere.shares(t, sum, 1, 2)[0],
		"another active set":    s.shares(t, sum, 1, 3)[0],
		"another session's key": must(p.SwitchShare(must(p.OwnerKey(stranger.owners[0].holding, []Point{1, 2})), s.towards, sum)),
		"an altered residue":    altered,
	} {
		if got, err := p.Open(s.receiver, sum, bad, good[1], good[2]); !errors.Is(err, ErrOpening) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := p.Open(NewSecret(), sum, good...); !errors.Is(err, ErrOpening) {
		t.Errorf("another receiver's secret: %v, %v", got, err)
	}
	// An owner dealt a wrong part: active sets with the holder of it notice.
	dealt := *s.owners[0].dealt[2]
	dealt.share = p.expand("wrong")
	cheated := s.owners[1]
	cheated.holding = must(p.Gather(2, cheated.dealt, &dealt, s.owners[2].dealt[2]))
	if got, err := p.Open(s.receiver, sum, s.shares(t, sum, 1, 2)...); !errors.Is(err, ErrOpening) {
		t.Errorf("a wrong part: %v, %v", got, err)
	}
	if got, err := p.Open(s.receiver, sum, s.shares(t, sum, 1, 3)...); err != nil || !equal(got, plainSum(totals, totals, totals)) {
		t.Errorf("an active set without it: %v, %v", got, err)
	}
}

// An owner that encrypts more than Encrypt lets it could, if totals beyond what honest inputs can hold were refused, choose how much is missing to that
// and see by the failure whether the others' total is more. Whatever it adds, the sum opens.
func TestTrapFailureTellsNothingOfTotals(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	p, shape := s.p, Shape{Used: 1, Ciphertexts: 1}
	excess := new(big.Int).Mul(p.Limit(1), big.NewInt(3))
	for _, total := range []int64{999, 1001} {
		sum := s.sum(t, shape, integers(0), integers(total), integers(0))
		p.embed(sum.c0[0], 0, []*big.Int{new(big.Int).Sub(excess, big.NewInt(1000))})
		got, err := p.open(s.receiver, sum, s.shares(t, sum, 1, 2))
		if err != nil || new(big.Int).Sub(got[0], excess).Int64() != total-1000 {
			t.Errorf("total %d: opened %v, %v", total, got, err)
		}
	}
}

// What was destroyed is zero, and would make keys that anyone can make.
func TestDestroyedIsNotUsed(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	one, two := s.owners[0], s.owners[1]
	one.holding.Destroy()
	if _, err := s.p.OwnerKey(one.holding, []Point{1, 2}); err == nil {
		t.Error("a destroyed holding gives a key")
	}
	two.dealt[1].Destroy()
	if _, err := s.p.Gather(1, one.dealt, s.received(1)...); err == nil {
		t.Error("a destroyed part is gathered")
	}
	two.dealt[2].Destroy()
	if _, err := s.p.Gather(2, two.dealt, s.received(2)...); err == nil {
		t.Error("an own destroyed part is gathered")
	}
}

// Two runs at once do not disturb each other (run with -race).
func TestConcurrentUse(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	totals := [][]*big.Int{integers(1), integers(2), integers(3)}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			sum := s.sum(t, Shape{Used: 1, Ciphertexts: 2}, totals...)
			if got, err := s.p.Open(s.receiver, sum, s.shares(t, sum, 2, 3)...); err != nil || got[0].Int64() != 6 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	group.Wait()
}

// No secret comes out of a print.
func TestSecretsDoNotPrint(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	one := s.owners[0]
	key := must(s.p.OwnerKey(one.holding, []Point{1, 2}))
	for _, v := range []any{one.secret, one.dealt[2], one.holding, key} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if out := fmt.Sprintf(verb, v); len(out) > 40 {
				t.Errorf("%s of %T prints %d bytes", verb, v, len(out))
			}
		}
	}
}

func TestDestroyed(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	one := s.owners[0]
	key := must(s.p.OwnerKey(one.holding, []Point{1, 2}))
	key.Destroy()
	one.holding.Destroy()
	one.secret.Destroy()
	one.dealt[2].Destroy()
	for name, data := range map[string][]byte{
		"secret":      one.secret.Marshal(),
		"share key":   append(appendPoly(nil, key.key), key.salt[:]...),
		"holding":     appendPoly(nil, one.holding.share),
		"secret part": append(appendPoly(nil, one.dealt[2].share), one.dealt[2].tie[:]...),
	} {
		for _, b := range data {
			if b != 0 {
				t.Errorf("%s: not overwritten", name)
				break
			}
		}
	}
	for _, tie := range one.holding.ties {
		if tie.dealt != [32]byte{} || tie.received != [32]byte{} {
			t.Error("holding: a tie is not overwritten")
		}
	}
}
