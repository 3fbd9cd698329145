package kernel

// Disk is what the free space of a node's disk allows it to do.
type Disk int

const (
	// DiskFine: everything.
	DiskFine Disk = iota
	// DiskLow: the disk is on its way to be full. The node does not lead, if another one can.
	DiskLow
	// DiskFull: the node takes no commands, before any engine meets a full disk. Reading goes on.
	DiskFull
)

// The reserve of a disk is 5% of it, but never more than 2 GiB, and never less than what log and views may take at once: the
// log makes its next file of 64 MiB before it needs it.
const leastReserve, mostReserve = 192 << 20, 2 << 30

// Reserve is how much of a disk of this size is to be kept free.
func Reserve(total uint64) uint64 { return max(min(total/20, mostReserve), min(leastReserve, total/2)) }

// DiskOf says what so many free bytes are.
func DiskOf(free, total uint64) Disk {
	switch reserve := Reserve(total); {
	case free < reserve:
		return DiskFull
	case free < 2*reserve:
		return DiskLow
	}
	return DiskFine
}
