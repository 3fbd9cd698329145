// Package ids has the keys of the cell: users, rooms, devices. They are derived by the server from random bytes of the
// client, so that the same request again meets the same row and nobody can choose a key. Binary inside, lower-case
// base32 without padding outside. A one-way door: docs/formats.md, "Ids".
package ids

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
)

// User is cell2 | 8 bytes of SHA-256(the client's 16 random bytes).
type User [10]byte

// Room is cell2 | kind1 | 13 bytes of a SHA-256.
type Room [16]byte

// Device is 16 random bytes made by the client, one per account and outbox.
type Device [16]byte

// Token is the sha256 of a session's bearer token.
type Token [32]byte

// Kinds of rooms, the third byte of a Room.
const (
	KindDirect byte = 1
	KindGroup  byte = 2
)

// ErrID is returned for text or bytes that are no id.
var ErrID = errors.New("not an id")

var text = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewUser derives a user from the client's 16 random bytes.
func NewUser(cell uint16, random []byte) (u User) {
	h := sha256.Sum256(random)
	u[0], u[1] = byte(cell>>8), byte(cell)
	copy(u[2:], h[:8])
	return u
}

// Direct derives the 1:1 of two people, in the cell of the lower one. With itself it is the self chat.
func Direct(a, b User) (r Room) {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	h := sha256.Sum256(append(append(make([]byte, 0, 20), a[:]...), b[:]...))
	r[0], r[1], r[2] = a[0], a[1], KindDirect
	copy(r[3:], h[:13])
	return r
}

// NewGroup derives a group from its creator and the client's 16 random bytes, in the creator's cell.
func NewGroup(creator User, random []byte) (r Room) {
	h := sha256.Sum256(append(append(make([]byte, 0, 26), creator[:]...), random...))
	r[0], r[1], r[2] = creator[0], creator[1], KindGroup
	copy(r[3:], h[:13])
	return r
}

// HashToken is the form in which a bearer token is known to the server.
func HashToken(token []byte) Token { return sha256.Sum256(token) }

// Kind of a room: KindDirect or KindGroup.
func (r Room) Kind() byte { return r[2] }

func (u User) String() string   { return text.EncodeToString(u[:]) }
func (r Room) String() string   { return text.EncodeToString(r[:]) }
func (d Device) String() string { return text.EncodeToString(d[:]) }

// Text encodes bytes the way ids are written.
func Text(b []byte) string { return text.EncodeToString(b) }

// Bytes decodes text of any length; ErrID if it is not canonical.
func Bytes(s string) ([]byte, error) {
	b, err := text.DecodeString(s)
	if err != nil || text.EncodeToString(b) != s {
		return nil, ErrID
	}
	return b, nil
}

// ParseUser reads the text form.
func ParseUser(s string) (u User, err error) {
	err = parse(s, u[:])
	return u, err
}

// ParseRoom reads the text form.
func ParseRoom(s string) (r Room, err error) {
	err = parse(s, r[:])
	return r, err
}

// ParseDevice reads the text form.
func ParseDevice(s string) (d Device, err error) {
	err = parse(s, d[:])
	return d, err
}

// UserOf takes the binary form.
func UserOf(b []byte) (u User, err error) {
	err = take(b, u[:])
	return u, err
}

// RoomOf takes the binary form.
func RoomOf(b []byte) (r Room, err error) {
	err = take(b, r[:])
	return r, err
}

// DeviceOf takes the binary form.
func DeviceOf(b []byte) (d Device, err error) {
	err = take(b, d[:])
	return d, err
}

// TokenOf takes the binary form.
func TokenOf(b []byte) (t Token, err error) {
	err = take(b, t[:])
	return t, err
}

func parse(s string, into []byte) error {
	b, err := Bytes(s)
	if err != nil {
		return err
	}
	return take(b, into)
}

func take(b, into []byte) error {
	if len(b) != len(into) {
		return ErrID
	}
	copy(into, b)
	return nil
}
