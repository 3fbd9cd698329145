package gateway

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"
)

const (
	// codeValid is how long a device's code can be confirmed.
	codeValid = 2 * time.Minute
	// maxCodes is how many may be open at once on this node: a guess hits one with at most 1 in 10,000.
	maxCodes = 10_000
)

// pendingDevice waits to be admitted by a logged-in one.
type pendingDevice struct {
	token  ids.Token
	device ids.Device
	label  string
	until  time.Time
}

// deviceCodes keeps the codes that new devices show, in memory: one that is lost is asked for anew.
type deviceCodes struct {
	mu struct {
		sync.Mutex
		byCode  map[string]pendingDevice
		byToken map[ids.Token]string
	}
}

func newDeviceCodes() *deviceCodes {
	d := &deviceCodes{}
	d.mu.byCode = map[string]pendingDevice{}
	d.mu.byToken = map[ids.Token]string{}
	return d
}

// add makes a code for a device; the same token again replaces its code. ok is false when too many are open.
func (d *deviceCodes) add(now time.Time, p pendingDevice) (code string, ok bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, known := d.mu.byToken[p.token]; known {
		d.drop(old)
	}
	if len(d.mu.byCode) >= maxCodes {
		for c, q := range d.mu.byCode {
			if !now.Before(q.until) {
				d.drop(c)
			}
		}
		if len(d.mu.byCode) >= maxCodes {
			return "", false, nil
		}
	}
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
		if err != nil {
			return "", false, err
		}
		code = fmt.Sprintf("%08d", n)
		if q, used := d.mu.byCode[code]; used {
			if now.Before(q.until) {
				continue
			}
			d.drop(code)
		}
		break
	}
	p.until = now.Add(codeValid)
	d.mu.byCode[code] = p
	d.mu.byToken[p.token] = code
	return code, true, nil
}

// find returns the device that shows a code.
func (d *deviceCodes) find(now time.Time, code string) (pendingDevice, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.mu.byCode[code]
	if ok && !now.Before(p.until) {
		d.drop(code)
		return pendingDevice{}, false
	}
	return p, ok
}

// waiting says whether the token's code is still valid.
func (d *deviceCodes) waiting(now time.Time, token ids.Token) bool {
	d.mu.Lock()
	code := d.mu.byToken[token]
	d.mu.Unlock()
	_, ok := d.find(now, code)
	return ok
}

// remove ends a code.
func (d *deviceCodes) remove(code string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(code)
}

func (d *deviceCodes) drop(code string) {
	if p, ok := d.mu.byCode[code]; ok {
		delete(d.mu.byToken, p.token)
		delete(d.mu.byCode, code)
	}
}
