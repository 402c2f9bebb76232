package gbt32960

import "fmt"

// Edition is the byte of which a frame's two start bytes are made.
type Edition uint8

// The editions.
const (
	Edition2016 Edition = 0x23
	Edition2025 Edition = 0x24
)

func (e Edition) known() bool { return e == Edition2016 || e == Edition2025 }

func (e Edition) String() string {
	switch e {
	case Edition2016:
		return "GB/T 32960.3-2016"
	case Edition2025:
		return "GB/T 32960.3-2025"
	}
	return fmt.Sprintf("edition %02X", uint8(e))
}

// either is the byte that stands for something in this edition, 0 for none.
func (e Edition) either(of2016, of2025 byte) byte {
	switch e {
	case Edition2016:
		return of2016
	case Edition2025:
		return of2025
	}
	return 0
}

// Command says what a frame is for.
type Command uint8

// The commands. Activation, ActivationResult and KeyExchange exist in the edition of 2025 only.
const (
	VehicleLogin     Command = 0x01
	RealTime         Command = 0x02
	Reissue          Command = 0x03
	VehicleLogout    Command = 0x04
	PlatformSignIn   Command = 0x05
	PlatformSignOut  Command = 0x06
	Heartbeat        Command = 0x07
	ClockRequest     Command = 0x08
	ActivationAsked  Command = 0x09
	ActivationResult Command = 0x0A
	KeyExchanged     Command = 0x0B
)

// Reply says whether a frame is a command or the answer to one, and how that went.
type Reply uint8

// The replies. Those from VehicleUnknown to NotDecrypted exist in the edition of 2025 only.
const (
	Done             Reply = 0x01
	Failed           Reply = 0x02
	DuplicateVehicle Reply = 0x03
	VehicleUnknown   Reply = 0x04
	WrongSignature   Reply = 0x05
	WrongStructure   Reply = 0x06
	NotDecrypted     Reply = 0x07
	IsCommand        Reply = 0xFE
)

func (r Reply) in(e Edition) bool {
	last := DuplicateVehicle
	if e == Edition2025 {
		last = NotDecrypted
	}
	return r == IsCommand || r >= Done && r <= last
}

// Encryption says how the unit of a frame is encrypted.
type Encryption uint8

// The encryptions. SM2 and SM4 exist in the edition of 2025 only.
const (
	Plain              Encryption = 0x01
	RSA                Encryption = 0x02
	AES128             Encryption = 0x03
	SM2                Encryption = 0x04
	SM4                Encryption = 0x05
	EncryptionAbnormal Encryption = 0xFE
	EncryptionInvalid  Encryption = 0xFF
)

func (c Encryption) in(e Edition) bool {
	last := AES128
	if e == Edition2025 {
		last = SM4
	}
	return c >= Plain && c <= last || c >= EncryptionAbnormal
}

func (c Encryption) String() string {
	switch c {
	case Plain:
		return "no encryption"
	case RSA:
		return "RSA"
	case AES128:
		return "AES-128"
	case SM2:
		return "SM2"
	case SM4:
		return "SM4"
	case EncryptionAbnormal:
		return "encryption abnormal"
	case EncryptionInvalid:
		return "encryption invalid"
	}
	return fmt.Sprintf("encryption %02X", uint8(c))
}
