package verify_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func uniform() fr.Element {
	var e fr.Element
	return *e.MustSetRandom()
}

func times(p bn254.G1Affine, k fr.Element) bn254.G1Affine {
	return *p.ScalarMultiplication(&p, k.BigInt(new(big.Int)))
}

func improved(r record.Record) record.Record {
	r[1], r[7] = 10_000, 0
	return r
}

// TestVerifyRefusesMaskOutsideItsCoefficients lets the owner improve a record
// by giving M support on the record's own coefficient. Everything but the proof
// for M fits, for C + M is the commitment to the improved chunk.
func TestVerifyRefusesMaskOutsideItsCoefficients(t *testing.T) {
	l := proven(t)
	const slot = 3
	for name, prove := range map[string]func(place *verify.ChunkPlace, bases [2]bn254.G1Affine, anchored *bn254.G1Affine, p *verify.ChunkProof){
		"with the proof for the part that has it": func(*verify.ChunkPlace, [2]bn254.G1Affine, *bn254.G1Affine, *verify.ChunkProof) {},
		"with a proof whose challenge leaves out R": func(place *verify.ChunkPlace, bases [2]bn254.G1Affine, anchored *bn254.G1Affine, p *verify.ChunkProof) {
			e := verify.MaskChallenge(place, bases, anchored, &p.M, &bases[0]) // a fixed point stands where R should
			p.Mask = solvedForR(bases, p.M, e)
			if err := p.Mask.CheckBases(bases[0], bases[1], p.M, e); err != nil {
				t.Errorf("under such a challenge it should pass: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var real bn254.G1Affine
			b, _, err := l.prove(&cheat{
				only: map[int]bool{0: true},
				chunk: func(_ int, _ *verify.ChunkPlace, anchored *bn254.G1Affine, c *zk.Chunk) {
					real = *anchored
					better := improved(c.Records[slot])
					gain, old := better.Pack(), c.Records[slot].Pack()
					gain.Sub(&gain, &old)
					step := times(l.keys.SRS().G1(slot), gain)
					anchored.Add(anchored, &step)
					c.Records[slot] = better
				},
				proof: func(_ int, place verify.ChunkPlace, p *verify.ChunkProof, _ *zk.Opened) {
					claimed := l.keys.SRS().G1(slot)
					better, old := improved(l.chunks[0].Records[slot]).Pack(), l.chunks[0].Records[slot].Pack()
					claimed = times(claimed, *better.Sub(&better, &old))
					p.M.Add(&p.M, &claimed)
					bases := [2]bn254.G1Affine{l.keys.SRS().G1(2 * size), l.keys.SRS().G1(2*size + 1)}
					prove(&place, bases, &real, p)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			l.refuses(t, b, "chunk 2: mask M is not shown to lie in its two coefficients")
		})
	}
}

// solvedForR chooses the answers first: R = z₀·bases₀ + z₁·bases₁ − e·M.
func solvedForR(bases [2]bn254.G1Affine, m bn254.G1Affine, e fr.Element) commit.Representation {
	out := commit.Representation{Zx: uniform(), Zr: uniform()}
	e.Neg(&e)
	out.R = commit.Sum([]bn254.G1Affine{times(bases[0], out.Zx), times(bases[1], out.Zr), times(m, e)})
	return out
}

// TestVerifyRefusesUnanchoredRecords proves about records that are not those
// behind the anchor: all holds for them but the opening of the commitment.
func TestVerifyRefusesUnanchoredRecords(t *testing.T) {
	l := proven(t)
	b, _, err := l.prove(&cheat{
		only: map[int]bool{0: true},
		chunk: func(_ int, _ *verify.ChunkPlace, _ *bn254.G1Affine, c *zk.Chunk) {
			c.Records[3] = improved(c.Records[3])
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.refuses(t, b, "chunk 2: opening of the anchored commitment")
}

// another is a second proof of the first chunk for the same statement.
func (l *lending) another(t *testing.T) *verify.ChunkProof {
	t.Helper()
	p, _, err := l.proveChunk(&cheat{}, l.keys, l.statement, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestVerifyRefusesSplicedProof takes each field of a proof from another valid
// proof of the same chunk and statement. The opening is one of another point.
func TestVerifyRefusesSplicedProof(t *testing.T) {
	l := proven(t)
	q := l.another(t)
	const circuit, mask, opening = "chunk 2: circuit chunk-64/v1", "chunk 2: mask M", "chunk 2: opening"
	for name, c := range map[string]struct {
		splice func(p *verify.ChunkProof)
		reason string
	}{
		"A":                        {func(p *verify.ChunkProof) { p.Groth16.Ar = q.Groth16.Ar }, circuit},
		"B":                        {func(p *verify.ChunkProof) { p.Groth16.Bs = q.Groth16.Bs }, circuit},
		"C":                        {func(p *verify.ChunkProof) { p.Groth16.Krs = q.Groth16.Krs }, circuit},
		"link commitment":          {func(p *verify.ChunkProof) { p.Groth16.Commitments[0] = q.Groth16.Commitments[0] }, circuit},
		"lookup commitment":        {func(p *verify.ChunkProof) { p.Groth16.Commitments[1] = q.Groth16.Commitments[1] }, circuit},
		"commitments exchanged":    {func(p *verify.ChunkProof) { c := p.Groth16.Commitments; c[0], c[1] = c[1], c[0] }, circuit},
		"proof of knowledge":       {func(p *verify.ChunkProof) { p.Groth16.CommitmentPok = q.Groth16.CommitmentPok }, circuit},
		"whole Groth16 proof":      {func(p *verify.ChunkProof) { p.Groth16 = q.Groth16 }, circuit},
		"M":                        {func(p *verify.ChunkProof) { p.M = q.M }, mask},
		"M and its proof":          {func(p *verify.ChunkProof) { p.M, p.Mask = q.M, q.Mask }, circuit},
		"R of M":                   {func(p *verify.ChunkProof) { p.Mask.R = q.Mask.R }, mask},
		"first response":           {func(p *verify.ChunkProof) { p.Mask.Zx = q.Mask.Zx }, mask},
		"second response":          {func(p *verify.ChunkProof) { p.Mask.Zr = q.Mask.Zr }, mask},
		"y":                        {func(p *verify.ChunkProof) { p.Y = q.Y }, circuit},
		"opening":                  {func(p *verify.ChunkProof) { p.Opening = q.Opening }, opening},
		"opening turned":           {func(p *verify.ChunkProof) { p.Opening.Neg(&p.Opening) }, opening},
		"y and opening":            {func(p *verify.ChunkProof) { p.Y, p.Opening = q.Y, q.Opening }, circuit},
		"all but M":                {func(p *verify.ChunkProof) { m, r := p.M, p.Mask; *p = *q; p.M, p.Mask = m, r }, circuit},
		"all but the opening":      {func(p *verify.ChunkProof) { h := p.Opening; *p = *q; p.Opening = h }, opening},
		"T":                        {func(p *verify.ChunkProof) { p.T = q.T }, circuit},
		"all, under the old chain": {func(p *verify.ChunkProof) { *p = *q }, "fleet proof 0"},
	} {
		t.Run(name, func(t *testing.T) {
			b := l.copied(t)
			c.splice(b.Chunks[0].Proof)
			l.refuses(t, b, c.reason)
		})
	}
}

// TestVerifyRefusesProofFromElsewhere proves the right records of the right
// anchor in the wrong place.
func TestVerifyRefusesProofFromElsewhere(t *testing.T) {
	l := proven(t)
	const circuit, mask = "chunk 2: circuit chunk-64/v1", "chunk 2: mask M"
	for name, c := range map[string]struct {
		change func(p *verify.ChunkPlace)
		reason string
	}{
		"another chunk":     {func(p *verify.ChunkPlace) { p.Chunk = 5 }, circuit},
		"another epoch":     {func(p *verify.ChunkPlace) { p.Epoch = 6 }, circuit},
		"another fleet":     {func(p *verify.ChunkPlace) { p.Fleet = "fleet-b" }, circuit},
		"another ledger":    {func(p *verify.ChunkPlace) { p.Ledger[0] ^= 1 }, mask},
		"another statement": {func(p *verify.ChunkPlace) { p.Statement[0] ^= 1 }, mask},
	} {
		t.Run(name, func(t *testing.T) {
			b := l.copied(t)
			p, _, err := l.proveChunk(&cheat{
				chunk: func(_ int, place *verify.ChunkPlace, _ *bn254.G1Affine, _ *zk.Chunk) { c.change(place) },
			}, l.keys, l.statement, 0)
			if err != nil {
				t.Fatal(err)
			}
			b.Chunks[0].Proof = p
			l.refuses(t, b, c.reason)
		})
	}
	t.Run("another chunk's proof", func(t *testing.T) {
		b := l.copied(t)
		b.Chunks[0].Proof, b.Chunks[1].Proof = b.Chunks[1].Proof, b.Chunks[0].Proof
		l.refuses(t, b, mask)
	})
}

// TestVerifyRefusesOtherParameters proves under the statement's digest with the
// parameters of another.
func TestVerifyRefusesOtherParameters(t *testing.T) {
	l := proven(t)
	dearer := asked()
	dearer.Valuation.Price = "1000.01"
	parameters, err := dearer.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	f := &l.facts.Chunks[0]
	anchored, err := commit.ParsePoint(f.Commitment)
	if err != nil {
		t.Fatal(err)
	}
	place := verify.ChunkPlace{Ledger: l.facts.Ledger, Statement: l.statement.Digest(l.facts.Ledger), Fleet: l.facts.Fleet, Chunk: f.Index, Size: f.Size, Epoch: l.facts.Epoch}
	b := l.copied(t)
	if b.Chunks[0].Proof, _, err = zk.ProveChunk(l.keys, place, &anchored, l.chunks[0], parameters); err != nil {
		t.Fatal(err)
	}
	l.refuses(t, b, "chunk 2: circuit chunk-64/v1")
}

// TestVerifyRefusesChangedStatement changes every field of the statement after
// proving.
func TestVerifyRefusesChangedStatement(t *testing.T) {
	l := proven(t)
	const changed = "chunk 2: mask M" // the first check that the digest is in
	for name, c := range map[string]struct {
		change func(s *statement.Statement)
		reason string
	}{
		"version":          {func(s *statement.Statement) { s.Version = "assay-statement/v2" }, "version"},
		"fleet":            {func(s *statement.Statement) { s.Fleet = "fleet-b" }, "fleet"},
		"epoch":            {func(s *statement.Statement) { s.Epoch = 8 }, "epoch"},
		"schema":           {func(s *statement.Statement) { *s = *charged(s) }, "schema"},
		"cohort wider":     {func(s *statement.Statement) { s.Cohort[1].Max = "3" }, changed},
		"cohort less":      {func(s *statement.Statement) { s.Cohort = s.Cohort[:1] }, changed},
		"cohort rewritten": {func(s *statement.Statement) { s.Cohort[0].Min = "70.00" }, changed},
		"price":            {func(s *statement.Statement) { s.Valuation.Price = "1000.01" }, changed},
		"currency":         {func(s *statement.Statement) { s.Valuation.Currency = "USD" }, changed},
		"knot":             {func(s *statement.Statement) { s.Valuation.Curves[0].Knots[0].Factor = "0.200001" }, changed},
		"curve":            {func(s *statement.Statement) { s.Valuation.Curves = s.Valuation.Curves[:1] }, changed},
		"claim's total":    {func(s *statement.Statement) { s.Claims[0].Terms[0].Total = "population" }, changed},
		"coefficient":      {func(s *statement.Statement) { s.Claims[1].Terms[1].Coefficient = "-98" }, changed},
		"at least":         {func(s *statement.Statement) { s.Claims[0].AtLeast = "71" }, changed},
		"claim less":       {func(s *statement.Statement) { s.Claims = s.Claims[:1] }, changed},
		"disclose":         {func(s *statement.Statement) { s.Disclose[1] = "count" }, changed},
		"disclose order":   {func(s *statement.Statement) { s.Disclose = []string{"age_days", "value"} }, changed},
		"coverage":         {func(s *statement.Statement) { s.MinimumCoverage = "59.99" }, changed},
		"key classes":      {func(s *statement.Statement) { s.KeyClasses = []string{"module", "secure_element", "gateway"} }, changed},
		"requester":        {func(s *statement.Statement) { s.Requester = "lender-2" }, changed},
		"grant":            {func(s *statement.Statement) { s.Grant = "" }, changed},
		"purpose":          {func(s *statement.Statement) { s.Purpose = "sale" }, changed},
		"nonce":            {func(s *statement.Statement) { s.Nonce = "00112233445566778899aabbccddee00" }, changed},
		"expiry":           {func(s *statement.Statement) { s.Expiry = s.Expiry.AddDate(1, 0, 0) }, changed},
	} {
		t.Run(name, func(t *testing.T) {
			b := l.copied(t)
			c.change(b.Statement)
			l.refuses(t, b, c.reason)
		})
	}
}

// charged is a statement about charging piles.
func charged(s *statement.Statement) *statement.Statement {
	out := *s
	out.Schema, out.Cohort, out.Valuation, out.Claims, out.Disclose = "charger/v1", nil, nil, nil, nil
	return &out
}
