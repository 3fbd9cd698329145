// A line of the room list after a row of its room: what the server would say, as far as a row tells. Its position stays that
// of the server's last word; the server's next line replaces what is worked out here.
import type { Message, Room } from '../inner.ts'

/** isText: a message by a person, which counts as unread and is shown in the list. */
export const isText = (m: Message): boolean => m.kind === 'text'

export function advance(line: Room, m: Message, me: string): Room {
  if (m.seq <= line.lastSeq) return line
  const next = { ...line, lastSeq: m.seq }
  switch (m.kind) {
    case 'text':
      next.last = m
      if (m.author !== me) next.unread = line.unread + (m.seq > line.readSeq ? 1 : 0)
      else if (line.unread === 0) next.readSeq = m.seq // who has read all others has read the own one too
      if (!line.group) next.left = false // a hidden 1:1 comes back
      break
    case 'edit':
    case 'delete':
      if (m.changed && line.last?.seq === m.target) next.last = m.changed
      break
    case 'renamed':
      next.title = m.text
      break
    case 'invited':
      next.memberCount = line.memberCount + m.users.length
      break
    case 'left':
      next.memberCount = Math.max(0, line.memberCount - 1)
      break
    default:
      break
  }
  return next
}

/** read is a line after an own read mark; how many are left unread is known only at the end. */
export function read(line: Room, seq: number): Room {
  if (seq <= line.readSeq) return line
  return { ...line, readSeq: seq, unread: seq >= (line.last?.seq ?? line.lastSeq) ? 0 : line.unread }
}
