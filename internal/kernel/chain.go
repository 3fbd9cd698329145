package kernel

// chainWindow is how many chains per domain a node keeps to compare with what others report.
const chainWindow = 65536

// chainRing keeps chain(n) of the last chainWindow entries.
type chainRing struct {
	n      uint64 // newest
	low    uint64 // oldest kept
	chains []uint64
}

func (r *chainRing) put(n, chain uint64) {
	if r.chains == nil {
		r.chains = make([]uint64, chainWindow)
	}
	if n != r.n+1 || r.low == 0 && r.n == 0 {
		r.low = n // a new epoch or the first one known
	}
	r.n = n
	r.low = max(r.low, n-min(n, chainWindow-1))
	r.chains[n%chainWindow] = chain
}

func (r *chainRing) at(n uint64) (uint64, bool) {
	if r.chains == nil || n < r.low || n > r.n {
		return 0, false
	}
	return r.chains[n%chainWindow], true
}
