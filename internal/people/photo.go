package people

import (
	"crypto/sha256"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// PhotoName names the bytes of a profile photo: the first 16 bytes of their sha256. Another photo has another name.
type PhotoName [16]byte

// String is the text form; empty for none.
func (n PhotoName) String() string {
	if n == (PhotoName{}) {
		return ""
	}
	return ids.Text(n[:])
}

// setPhoto replaces the profile photo; no bytes remove it. Whether the bytes are a photo was checked before the log.
type setPhoto struct{ jpeg []byte }

func (o *setPhoto) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	acc, ok := openAccount(a, u)
	if !ok {
		return kernel.UnknownUser
	}
	var name PhotoName
	if len(o.jpeg) > 0 {
		sum := sha256.Sum256(o.jpeg)
		copy(name[:], sum[:])
	}
	if acc.Photo == name {
		return kernel.OK
	}

	if name == (PhotoName{}) {
		a.Delete(photoKey(u))
	} else {
		a.Set(photoKey(u), encodePhoto(o.jpeg))
	}
	acc.Photo = name
	a.Set(accountKey(u), encodeAccount(acc))
	a.Emit(AccountChanged{u, true})
	return kernel.OK
}

// markSimulated says that a program of the operator drives the account. It is never taken back.
type markSimulated struct{}

func (markSimulated) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	acc, ok := openAccount(a, u)
	if !ok {
		return kernel.UnknownUser
	}
	if acc.Simulated {
		return kernel.OK
	}
	acc.Simulated = true
	a.Set(accountKey(u), encodeAccount(acc))
	a.Emit(AccountChanged{u, true})
	return kernel.OK
}

// Photo reads a profile photo; ok is false if there is none.
func Photo(r kernel.Reader, u ids.User) (jpeg []byte, ok bool) {
	v, ok := r.Get(photoKey(u))
	if !ok {
		return nil, false
	}
	return must(decodePhoto(v)), true
}
