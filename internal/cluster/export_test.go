package cluster

// Kill stops the member as a dying process would: it hands nothing over.
func (e *Etcd) Kill() { e.closeOnce.Do(func() { e.closeErr = e.shutdown() }) }

// CheckDB is what a start does with the database first.
var CheckDB = checkDB
