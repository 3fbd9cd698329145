package kernel

import (
	"strings"

	"github.com/RaduBerinde/btreemap"
)

// cacheBytes bounds the rows kept in memory per view, in each of two generations.
const cacheBytes = 8 << 20

// maxCachedRow is the largest value that is kept: pictures and the longest messages are read by few commands, and a few
// hundred of them would drive out everything else.
const maxCachedRow = 4 << 10

// rowOverhead is what a cached row costs beside key and value.
const rowOverhead = 96

// rowCache keeps rows of a view that were read or written lately, so that a busy room's rows cost a map look-up and not
// a search through tables. It holds exactly what is committed: only the goroutine that applies entries uses it. Two
// generations make it forget what was not used for a while, in constant time per use.
type rowCache struct {
	young, old map[string][]byte // nil value: known to be absent
	bytes      int               // of young
}

func (c *rowCache) get(key []byte) (value []byte, known bool) {
	if v, ok := c.young[string(key)]; ok {
		return v, true
	}
	if v, ok := c.old[string(key)]; ok {
		c.put(string(key), v)
		return v, true
	}
	return nil, false
}

// put takes ownership of value.
func (c *rowCache) put(key string, value []byte) {
	if len(value) > maxCachedRow {
		delete(c.young, key)
		delete(c.old, key)
		return
	}
	if c.bytes > cacheBytes || c.young == nil {
		c.young, c.old, c.bytes = make(map[string][]byte), c.young, 0
	}
	c.bytes += len(key) + len(value) + rowOverhead
	c.young[key] = value
}

// overlay holds the writes of a batch over the store below it.
type overlay struct {
	rows map[string][]byte // nil value: deleted
	// order has the keys of rows in order, from the first scan on: most entries never scan, and one that ends all sessions
	// scans twice for each of them.
	order *btreemap.BTreeMap[string, struct{}]
}

func newOverlay() *overlay { return &overlay{rows: map[string][]byte{}} }

func (o *overlay) get(key []byte) (value []byte, written bool) {
	value, written = o.rows[string(key)]
	return value, written
}

// put takes ownership of value.
func (o *overlay) put(key, value []byte) {
	k := string(key)
	o.rows[k] = value
	if o.order != nil {
		o.order.ReplaceOrInsert(k, struct{}{})
	}
}

func (o *overlay) reset() {
	clear(o.rows)
	o.order = nil
}

// scan merges the writes in [lower, upper), as they are now, with what below yields, in order. What fn writes is not part
// of the scan.
func (o *overlay) scan(lower, upper []byte, fn func(key, value []byte) bool, below func(fn func(key, value []byte) bool)) {
	if o.order == nil {
		o.order = btreemap.New[string, struct{}](32, strings.Compare)
		for k := range o.rows {
			o.order.ReplaceOrInsert(k, struct{}{})
		}
	}
	var rows []memRow
	for k := range o.order.Ascend(btreemap.GE(string(lower)), btreemap.LT(string(upper))) {
		rows = append(rows, memRow{k, o.rows[k]})
	}
	on := true
	own := func() {
		if r := rows[0]; r.value != nil {
			on = fn([]byte(r.key), r.value)
		}
		rows = rows[1:]
	}
	below(func(k, v []byte) bool {
		for on && len(rows) > 0 && rows[0].key < string(k) {
			own()
		}
		if on && len(rows) > 0 && rows[0].key == string(k) {
			own()
		} else if on {
			on = fn(k, v)
		}
		return on
	})
	for on && len(rows) > 0 {
		own()
	}
}
