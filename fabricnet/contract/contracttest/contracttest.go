// Package contracttest makes what tests of the ledger need: a consortium, a maker with its CA, devices with certificates and attestations, a statement, and a state
// in memory that behaves as Fabric's does. Nothing outside tests may import it.
package contracttest

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// The organisations of Genesis.
const (
	Operator  = "operator"  // owner
	Rival     = "rival"     // another owner
	Lender    = "lender"    // financier
	Regulator = "regulator" // regulator
)

// Schema and ChunkSize are what tests use where it does not matter.
const (
	Schema    = "battery/v1"
	ChunkSize = 64
)

// Genesis is a consortium with days as epochs and anchors taken for six hours. Its organisations have no keys yet.
func Genesis() ledger.Genesis {
	return ledger.Genesis{
		Version: ledger.GenesisVersion, Name: "test consortium",
		Organisations: []ledger.Organisation{
			{ID: Operator, Name: "Operator", Roles: []ledger.Role{ledger.RoleOwner}},
			{ID: Rival, Name: "Rival", Roles: []ledger.Role{ledger.RoleOwner}},
			{ID: Lender, Name: "Lender", Roles: []ledger.Role{ledger.RoleFinancier}},
			{ID: Regulator, Name: "Regulator", Roles: []ledger.Role{ledger.RoleRegulator}},
		},
		EpochZero: 1_700_000_000, EpochSeconds: 86_400, AnchorWindowSeconds: 21_600, ClockSkewSeconds: 15, ProposalAgeSeconds: 300,
		Quorum: ledger.Quorum{Regulators: 1, Others: 1},
	}
}

// WithKeys gives every organisation a key and forgets its private half.
func WithKeys(g ledger.Genesis) *ledger.Genesis {
	out, _ := WithSigners(g)
	return out
}

// Maker is a device maker's CA.
type Maker struct {
	ID   string
	Cert *x509.Certificate
	key  crypto.Signer
}

// Node has the CA vouch for an organisation's node.
func (m *Maker) Node(on commit.Digest, organisation, url string) ledger.PublishNode {
	possession, err := ledger.SignNode(m.key, on, organisation, url)
	if err != nil {
		panic(err)
	}
	return ledger.PublishNode{URL: url, Certificate: m.Cert.Raw, Possession: possession}
}

// NewMaker draws a CA.
func NewMaker(id string) *Maker {
	key := committest.NewDevice(commit.P256).Key
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{id}},
		NotBefore: commit.DeviceNotBefore, NotAfter: commit.DeviceNotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return &Maker{ID: id, Cert: issue(template, template, key.Public(), key), key: key}
}

// Certify issues a certificate in the name of any maker, its own or not.
func (m *Maker) Certify(maker, serial string, class commit.KeyClass, key crypto.PublicKey) []byte {
	policy, err := class.Policy()
	if err != nil {
		panic(err)
	}
	return issue(&x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{Organization: []string{maker}, SerialNumber: serial},
		NotBefore: commit.DeviceNotBefore, NotAfter: commit.DeviceNotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, Policies: []x509.OID{policy},
	}, m.Cert, key, m.key).Raw
}

func issue(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

// Device is a device with its maker's certificate.
type Device struct {
	committest.Device
	Serial      string
	Certificate []byte
}

// Devices draws devices whose serials are a prefix and a number. Their keys are in secure elements, every fifth's in a gateway.
func (m *Maker) Devices(prefix string, count int) []Device {
	out := make([]Device, count)
	for i := range out {
		d := committest.NewDevice(commit.Ed25519)
		class, serial := commit.SecureElement, fmt.Sprintf("%s-%04d", prefix, i)
		if i%5 == 4 {
			class = commit.Gateway
		}
		out[i] = Device{Device: d, Serial: serial, Certificate: m.Certify(m.ID, serial, class, d.Key.Public())}
	}
	return out
}

// Enrolment enrols devices in successive slots, as they agree to.
func Enrolment(of commit.Digest, fleet string, chunk, first uint32, devices []Device) ledger.Enrol {
	a := ledger.Enrol{Fleet: fleet, Chunk: chunk}
	for i, d := range devices {
		a.Devices = append(a.Devices, EnrolDevice(of, fleet, chunk, first+uint32(i), d.Key, d.Certificate))
	}
	return a
}

// EnrolDevice enrols the device of a key under a certificate, which agrees to it in any epoch.
func EnrolDevice(of commit.Digest, fleet string, chunk, slot uint32, key crypto.Signer, certificate []byte) ledger.EnrolDevice {
	return EnrolDeviceUntil(of, fleet, chunk, slot, ledger.MaxEpoch-1, key, certificate)
}

// EnrolDeviceUntil enrols a device that agrees to it in an epoch not after until.
func EnrolDeviceUntil(of commit.Digest, fleet string, chunk, slot uint32, until uint64, key crypto.Signer, certificate []byte) ledger.EnrolDevice {
	possession, err := commit.SignPossession(of, fleet, chunk, slot, until, key)
	if err != nil {
		panic(err)
	}
	return ledger.EnrolDevice{Slot: slot, Certificate: certificate, Possession: possession, Until: until}
}

// Attest lets the device in a slot attest to a record that depends on the slot.
func Attest(srs *commit.SRS, place commit.ChunkPlace, slot uint32, d Device) []byte {
	return AttestTo(srs, place, slot, d, committest.Record(int(slot)))
}

// AttestTo lets the device attest to a record.
func AttestTo(srs *commit.SRS, place commit.ChunkPlace, slot uint32, d Device, rec record.Record) []byte {
	a, err := commit.Attest(srs, place.At(slot), rec, d.Secret, d.Key)
	if err != nil {
		panic(err)
	}
	return a.Marshal()
}

// Anchor adds attestations up, without checking them.
func Anchor(place commit.ChunkPlace, attestations [][]byte) ledger.AnchorChunk {
	checked := &commit.Checked{Attested: len(attestations), Bitmap: make([]byte, place.Size/8)}
	points := make([]bn254.G1Affine, len(attestations))
	for i, encoded := range attestations {
		a, err := commit.ParseAttestation(encoded)
		if err != nil {
			panic(err)
		}
		points[i] = a.C
		checked.Bitmap[a.Slot/8] |= 1 << (a.Slot % 8)
	}
	var err error
	if checked.Root, err = commit.MerkleRoot(attestations); err != nil {
		panic(err)
	}
	sum := commit.Sum(points)
	encoded := sum.Bytes()
	return ledger.NewAnchor(place, encoded[:], checked)
}

// SRS is large enough to be published. Its τ was known to this process.
func SRS() *commit.SRS { return committest.UnsafeSRS(commit.MaxSize) }

// SRSKey is the key to publish for an SRS.
func SRSKey(srs *commit.SRS) verify.PublishedKey {
	key, err := verify.EncodeSRSKey(srs)
	if err != nil {
		panic(err)
	}
	return verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, key)
}

// Statement asks whether a fleet had at least ten devices, under the grant of Terms.
func Statement(fleet string, epoch uint64, nonce byte, expiry time.Time) *statement.Statement {
	return &statement.Statement{
		Version: statement.Version, Fleet: fleet, Epoch: epoch, Schema: Schema,
		Claims:          []statement.Claim{{Terms: []statement.Term{{Total: "count", Coefficient: "1"}}, AtLeast: "10"}},
		MinimumCoverage: "50", Requester: Lender, Grant: GrantID, Purpose: Purpose,
		Nonce: fmt.Sprintf("%032x", nonce), Expiry: expiry.UTC(),
	}
}

// Reissue is a CA certificate for the same key under another id.
func (m *Maker) Reissue(id string) []byte {
	template := *m.Cert
	template.Subject = pkix.Name{Organization: []string{id}}
	template.RawSubject = nil
	return issue(&template, &template, m.Cert.PublicKey, m.key).Raw
}

// FleetKey is a key of the fleet circuit that is well-formed and verifies nothing, another each time.
func FleetKey(srs *commit.SRS) verify.PublishedKey {
	key, err := verify.EncodeFleetKey(verifyingKey(verify.FleetPublic+1, 0))
	return published(srs, verify.FleetCircuit, key, err)
}

// ChunkKey is such a key of the circuit for chunks of a size.
func ChunkKey(srs *commit.SRS, size uint32) verify.PublishedKey {
	vk := verifyingKey(8, 2)
	vk.Covered = [][]int{{1}, {6}}
	key, err := verify.EncodeChunkKey(vk)
	return published(srs, verify.ChunkCircuit(size), key, err)
}

// verifyingKey has so many points for public inputs, and keys of commitments. All its secrets differ.
func verifyingKey(points, commitments int) *verify.VerifyingKey {
	var random fr.Element
	random.MustSetRandom()
	_, _, g1, g2 := bn254.Generators()
	times := func(k int64) *big.Int { return new(big.Int).Mul(random.BigInt(new(big.Int)), big.NewInt(k)) }
	vk := new(verify.VerifyingKey)
	vk.Alpha.ScalarMultiplication(&g1, times(1))
	vk.Beta.ScalarMultiplication(&g2, times(2))
	vk.Gamma.ScalarMultiplication(&g2, times(3))
	vk.Delta.ScalarMultiplication(&g2, times(4))
	for i := range points {
		var point bn254.G1Affine
		vk.K = append(vk.K, *point.ScalarMultiplication(&g1, times(int64(5+i))))
	}
	for i := range commitments {
		var secret bn254.G2Affine
		vk.Commitments = append(vk.Commitments, verify.CommitmentKey{Generator: g2, Secret: *secret.ScalarMultiplication(&g2, times(int64(-5-i)))})
	}
	return vk
}

func published(srs *commit.SRS, circuit string, key []byte, err error) verify.PublishedKey {
	if err != nil {
		panic(err)
	}
	out := verify.NewPublishedKey(circuit, verify.SetupUnsafe, key)
	out.SRS, out.Circuit = srs.Digest(), out.Digest
	return out
}
