// Package chat is domain 2 of the cell: rooms, members, messages, edits, deletions, reactions, read marks, the lines of
// everybody's list, and blocks. It is a deterministic state machine (kernel.Domain) and a set of pure queries over its
// view; it knows no clock, no network and no other domain.
//
// Guarantees:
//   - Everything that happens in a room takes the next number of the room's one sequence: 1, 2, 3 ... without holes. A
//     command takes one number or none.
//   - A refused command writes nothing: every check comes before the first write.
//   - A text that was edited or deleted is in no row any more, the moment the command is applied.
//   - Nobody is shown anything below the number at which they joined; an ex-member is shown nothing of a group.
//   - The same commands give the same bytes, and events in the order of their effects. MemberJoined comes before the
//     MessageAdded of its command, MemberLeft after it.
//
// Not given: queries do not ask who is asking. GetRoom, GetMessage, History and Members answer whatever they are asked;
// the caller checks membership and the joined number. Limits on texts and titles, and whether a person exists, are
// checked before a command gets into the log.
//
// Rows (rows.go, message.go) and verdicts (the table in policy_test.go) are one-way doors: docs/formats.md.
package chat
