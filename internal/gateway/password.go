package gateway

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// argon2id parameters of new hashes: 19 MiB, two passes.
const (
	argonMemory  = 19456
	argonTime    = 2
	argonThreads = 1
	saltLen      = 16
	keyLen       = 32
)

// hasher makes and checks password hashes, at most one per core at a time.
type hasher struct {
	turns turnstile
	// dummy is checked where there is no account, so that a guessed handle costs the same as a wrong password.
	dummy string
}

func newHasher(l Limits, m *metrics) *hasher {
	return &hasher{newTurnstile(l.HashSlots, l.HashWait, m.hashQueue), phc(make([]byte, saltLen), make([]byte, keyLen))}
}

// slot waits for a turn.
func (h *hasher) slot(ctx context.Context) (release func(), err error) {
	release, ok := h.turns.enter(ctx)
	if !ok {
		return nil, retryAfter(apiv1.Reason_REASON_BUSY, uint64(h.turns.wait.Milliseconds()))
	}
	return release, nil
}

// hash makes the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	release, err := h.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return phc(salt, argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, keyLen)), nil
}

// verify checks a password against a PHC string; with none it takes as long and says no.
func (h *hasher) verify(ctx context.Context, encoded, password string) (bool, error) {
	none := encoded == ""
	if none {
		encoded = h.dummy
	}
	p, err := parsePHC(encoded)
	if err != nil {
		return false, err
	}
	release, err := h.slot(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	got := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(got, p.key) == 1 && !none, nil
}

var b64 = base64.RawStdEncoding

func phc(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

type phcParts struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// parsePHC reads what phc writes, with other parameters within bounds.
func parsePHC(s string) (p phcParts, err error) {
	bad := fmt.Errorf("stored password hash cannot be read")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, bad
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil || n != 3 {
		return p, bad
	}
	if p.salt, err = b64.DecodeString(parts[4]); err != nil {
		return p, bad
	}
	if p.key, err = b64.DecodeString(parts[5]); err != nil {
		return p, bad
	}
	if p.memory < 8 || p.memory > 1<<18 || p.time < 1 || p.time > 16 || p.threads < 1 || len(p.salt) < 8 || len(p.key) < 16 || len(p.key) > 64 {
		return p, bad
	}
	return p, nil
}
