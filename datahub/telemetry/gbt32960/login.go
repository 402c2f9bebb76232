package gbt32960

import "slices"

// Login opens a vehicle's session.
type Login struct {
	Time Time
	// Serial counts logins of a day from 1 to 65531.
	Serial uint16
	ICCID  [20]byte
	// Systems says whether the list of storage systems is there, and Codes are the codes of their packs.
	Systems Absent
	// CodeLength is the length of each code, in the edition of 2016 only: 0 to 50, or one of the two codes for no length.
	CodeLength uint8
	// Codes of the edition of 2016: one for each system. A system without codes has an empty one.
	Codes [][]byte
	// Packs of the edition of 2025: the codes of the packs of each battery management system.
	Packs []Packs
}

// Packs are the codes of the packs of one battery management system, in the edition of 2025.
type Packs struct {
	Count Absent
	Codes [][24]byte
}

func (l *Login) code(c *coder, e Edition) {
	c.fixed("login time", l.Time[:])
	c.u16("login serial", &l.Serial)
	c.fixed("login ICCID", l.ICCID[:])
	if e == Edition2016 {
		l.code2016(c)
	} else {
		l.code2025(c)
	}
}

func (l *Login) code2016(c *coder) {
	if c.writing && len(l.Packs) > 0 {
		c.fail("login: packs of systems belong to the edition of 2025")
	}
	n := c.count("login system", 1, 0, &l.Systems, len(l.Codes))
	c.u8("login code length", &l.CodeLength)
	length := int(l.CodeLength)
	if length >= 0xFE {
		length = 0
	}
	if !c.writing {
		if n*length > c.left() {
			c.fail("login codes: need %d bytes, %d are left", n*length, c.left())
		}
		if c.err != nil || n == 0 {
			return
		}
		l.Codes = make([][]byte, n)
	}
	for i := range l.Codes {
		l.codeOf(c, i, length)
	}
}

func (l *Login) codeOf(c *coder, i, length int) {
	if !c.writing {
		l.Codes[i] = append([]byte(nil), c.take(length, "login code")...)
		return
	}
	if len(l.Codes[i]) != length {
		c.fail("login code: has %d bytes, %d are stated", len(l.Codes[i]), length)
	}
	c.fixed("login code", l.Codes[i])
}

func (l *Login) code2025(c *coder) {
	if c.writing && (len(l.Codes) > 0 || l.CodeLength != 0) {
		c.fail("login: codes of any length belong to the edition of 2016")
	}
	all := 0
	list(c, "login system", 1, 1, &l.Systems, &l.Packs, func(p *Packs) {
		// Only the numbers stand here, the codes of all systems follow together: it is their sum that has to fit.
		n := c.count("login pack", 1, 24, &p.Count, len(p.Codes))
		all += n
		if c.writing || n == 0 {
			return
		}
		if all*24 > c.left() {
			c.fail("login pack codes: need %d bytes, %d are left", all*24, c.left())
			return
		}
		p.Codes = make([][24]byte, n)
	})
	for _, p := range l.Packs {
		for i := range p.Codes {
			c.fixed("login pack code", p.Codes[i][:])
		}
	}
}

// Logout ends a session of a vehicle or of a platform.
type Logout struct {
	Time Time
	// Serial is that of the login.
	Serial uint16
}

func (l *Logout) code(c *coder, _ Edition) {
	c.fixed("logout time", l.Time[:])
	c.u16("logout serial", &l.Serial)
}

// Password is a platform's. It prints as a placeholder.
type Password [20]byte

func (Password) String() string { return "(password)" }

// GoString keeps the password out of %#v.
func (Password) GoString() string { return "(password)" }

// MarshalText keeps the password out of what is marshalled.
func (Password) MarshalText() ([]byte, error) { return []byte("(password)"), nil }

// PlatformLogin opens the session of a platform that forwards for its vehicles.
type PlatformLogin struct {
	Time     Time
	Serial   uint16
	User     [12]byte
	Password Password
	// Encryption is the rule that the platform asks for.
	Encryption Encryption
}

func (l *PlatformLogin) code(c *coder, _ Edition) {
	c.fixed("platform login time", l.Time[:])
	c.u16("platform login serial", &l.Serial)
	c.fixed("platform login user", l.User[:])
	c.fixed("platform login password", l.Password[:])
	c.u8("platform login encryption", (*uint8)(&l.Encryption))
}

// PackCodes lists the codes of all packs of a login, of either edition.
func (l *Login) PackCodes() [][]byte {
	codes := slices.Clone(l.Codes)
	for _, p := range l.Packs {
		for i := range p.Codes {
			codes = append(codes, p.Codes[i][:])
		}
	}
	return codes
}
