// Package kernel is what every domain of a cell stands on: it turns commands into entries of the log (Batcher), applies
// entries in their order to one view per domain (Applier), and tells callers what became of their commands (Node).
//
// Guarantees: a Submit that returns without an error is committed by a quorum and applied to the local view. A named
// command is decided once, whatever is retried, doubled or late; the same name again gets the first verdict. One entry is
// one batch of a view, with the position in it, so that a crash loses a suffix that the tail replays. The same log gives
// the same rows, verdicts and chain at every node. On several sites a command is applied in an entry by which the log's
// time has gone on by less than a second since it was admitted, or not at all. Events of an entry are delivered in log
// order, those of people before those of other domains.
//
// Not given: an error that leaves the outcome unknown says nothing about it; ask again under the same name. Views are
// synced every few seconds, not with every entry: the log is what is durable. Ephemeral commands may be dropped.
//
// Batcher and Applier are pure: no clock, no goroutine, no I/O besides the view. Node drives them with the real ones, the
// simulation with virtual ones. Formats: docs/formats.md.
package kernel
