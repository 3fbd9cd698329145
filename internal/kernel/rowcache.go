package kernel

import (
	"slices"
	"strings"
)

// cacheBytes bounds the rows kept in memory per view, in each of two generations.
const cacheBytes = 8 << 20

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
	if c.bytes > cacheBytes || c.young == nil {
		c.young, c.old, c.bytes = make(map[string][]byte), c.young, 0
	}
	c.bytes += len(key) + len(value) + rowOverhead
	c.young[key] = value
}

// overlay holds the writes of a batch over the store below it.
type overlay map[string][]byte // nil value: deleted

// scan merges the writes in [lower, upper), as they are now, with what below yields, in order. What fn writes is not part
// of the scan.
func (o overlay) scan(lower, upper []byte, fn func(key, value []byte) bool, below func(fn func(key, value []byte) bool)) {
	var rows []memRow
	for k, v := range o {
		if k >= string(lower) && k < string(upper) {
			rows = append(rows, memRow{k, v})
		}
	}
	slices.SortFunc(rows, func(a, b memRow) int { return strings.Compare(a.key, b.key) })
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
