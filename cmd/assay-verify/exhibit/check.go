package exhibit

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Outcome is what came of an exhibit, in one word.
type Outcome string

const (
	// Sound says that whatever the file claims is shown, or is somebody's word and said to be.
	Sound Outcome = "sound"
	// NotSound says that something in it does not hold, or that it cannot be read.
	NotSound Outcome = "not-sound"
)

// Failures besides those of package verdict.
const (
	// Unreadable is a file that is not evidence in its one encoding, or not signed by the organisation that it names.
	Unreadable verdict.Failure = "evidence"
	// LineWrong is evidence with a line that does not hold.
	LineWrong verdict.Failure = "evidence-wrong"
	// ChannelDiffers is a Fabric channel that begins with another block than the caller's.
	ChannelDiffers verdict.Failure = "channel"
)

// Files are what is checked.
type Files struct {
	Evidence []byte
	// Ceremony is the transcript of the ceremony that made the keys, or nil if there is none to check.
	Ceremony []byte
	// Ledger is the id that the evidence must be of. The zero digest compares nothing, and the exhibit says so.
	Ledger commit.Digest
	// Channel is the hash of the Fabric channel's first block. The zero digest takes the one in the evidence, or an embedded ledger's blocks, and the exhibit says so.
	Channel commit.Digest
	// Chaincode is the name of the contract on a Fabric channel.
	Chaincode string
	// At is when they are checked, for the document; the zero time is left out.
	At time.Time
}

// Exhibit is what came of checking.
type Exhibit struct {
	Kind    string  `json:"kind"`
	Outcome Outcome `json:"outcome"`
	Sound   bool    `json:"sound"`
	// Failure and Reason say why it is not sound: the first reason, if there are several.
	Failure    verdict.Failure `json:"failure,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	CheckedAt  *time.Time      `json:"checked_at,omitempty"`
	File       verdict.File    `json:"evidence_file"`
	Transcript *verdict.File   `json:"transcript_file,omitempty"`
	// Compared says whether the caller named the ledger.
	Compared   bool   `json:"ledger_compared"`
	Consortium string `json:"consortium,omitempty"`
	// Format is the encoding of the blocks, and so says which kind of ledger they are of.
	Format string `json:"block_format,omitempty"`
	// Pinned says whether the caller named the Fabric channel; an embedded ledger has none. Channel is the hash of the channel's first block in the file.
	Pinned  bool          `json:"channel_compared"`
	Channel commit.Digest `json:"channel_genesis,omitzero"`
	// Height and BlockHash are the ledger's last block when the evidence was exported, as the exporter says.
	Height    uint64        `json:"height,omitzero"`
	BlockHash commit.Digest `json:"block_hash,omitzero"`
	// Ceremony is nil if no transcript was given, or if it was refused.
	Ceremony *verdict.Ceremony `json:"ceremony,omitempty"`
	// Report is nil if the file cannot be read, or is of another ledger than the caller's.
	Report *evidence.Report `json:"report,omitempty"`
}

const maxReason = 1 << 10

// Check checks files of any origin. It never fails: what cannot be checked is not sound.
func Check(f Files) *Exhibit {
	x := &Exhibit{Kind: "evidence", Outcome: NotSound, File: verdict.FileOf(f.Evidence)}
	if !f.At.IsZero() {
		at := f.At.UTC().Truncate(time.Second)
		x.CheckedAt = &at
	}
	if f.Ceremony != nil {
		file := verdict.FileOf(f.Ceremony)
		x.Transcript = &file
	}
	if err := x.check(f); err != nil {
		x.Failure, x.Reason = failureOf(err), ledger.Printable(err.Error(), maxReason)
		return x
	}
	x.Sound, x.Outcome = true, Sound
	return x
}

func (x *Exhibit) check(f Files) error {
	e, err := evidence.Parse(f.Evidence)
	if err != nil {
		return because(Unreadable, err)
	}
	x.Consortium, x.Height, x.BlockHash = e.Genesis.Name, e.Height, e.BlockHash
	if x.Compared = !f.Ledger.IsZero(); x.Compared && f.Ledger != e.Ledger {
		return because(verdict.LedgerDiffers, fmt.Errorf("the evidence is of ledger %s, not of %s", e.Ledger, f.Ledger))
	}
	blocks, err := e.Reader(audit.Blocks{Genesis: &e.Genesis, ChannelGenesis: f.Channel, Chaincode: f.Chaincode}, sealed.Blocks{Genesis: &e.Genesis})
	if err != nil {
		return because(Unreadable, err)
	}
	if x.Format, x.Pinned = e.Format, !f.Channel.IsZero(); x.fabric() {
		if err := x.begins(e, f.Channel); err != nil {
			return err
		}
	}
	x.Report = evidence.Verify(e, evidence.Options{Blocks: blocks, Ledger: f.Ledger})
	if faults := x.Report.Faults(); len(faults) > 0 {
		return because(LineWrong, fmt.Errorf("%s: %s", faults[0].Subject, faults[0].Text))
	}
	if f.Ceremony == nil {
		return nil
	}
	if x.Ceremony, err = verdict.ReadCeremony(f.Ceremony, verdict.Pinned{Genesis: &e.Genesis, Height: e.Height, Keys: e.Keys}); err != nil {
		return err
	}
	if x.Report.Verdict == nil {
		return because(verdict.CeremonyKeys, errors.New("the evidence holds no proof, and so no keys that a ceremony could have made"))
	}
	return x.Ceremony.Made(x.Report.Verdict)
}

// fabric reports whether the blocks are a Fabric channel's.
func (x *Exhibit) fabric() bool { return x.Format == audit.Blocks{}.Format() }

// begins holds the channel's first block in the file against the caller's. If there is none, or one that cannot be read, nothing in the file is shown, and Verify says so.
func (x *Exhibit) begins(e *evidence.Evidence, want commit.Digest) error {
	if len(e.Blocks) == 0 || e.Blocks[0].Height != 0 {
		return nil
	}
	first, err := audit.ChannelGenesis(e.Blocks[0].Data)
	if err != nil {
		return nil
	}
	x.Channel = first
	return sameChannel("evidence is", first, want)
}

func sameChannel(what string, first, want commit.Digest) error {
	if want.IsZero() || first == want {
		return nil
	}
	return because(ChannelDiffers, fmt.Errorf("the %s of a channel whose first block has the hash %s, not %s", what, first, want))
}

// grounded reports whether what is shown stands on what the caller has from elsewhere. A ledger's id does not say which channel it is kept on, and a channel's first block says who speaks for each organisation:
// whoever may choose either can have blocks that show anything.
func (x *Exhibit) grounded() bool { return x.Compared && (x.Pinned || !x.fabric()) }

// failed is an error with a failure's name.
type failed struct {
	name verdict.Failure
	error
}

func (f *failed) Unwrap() error { return f.error }

func because(name verdict.Failure, err error) error { return &failed{name, err} }

func failureOf(err error) verdict.Failure {
	var f *failed
	if errors.As(err, &f) {
		return f.name
	}
	return verdict.FailureOf(err)
}
