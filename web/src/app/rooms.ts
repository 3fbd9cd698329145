// The order in which keys walk through the rooms.
import type { RoomLine } from '../engine/types.ts'

/** neighbour is the room after (step 1) or before (-1) the open one in list order, or the first; null if there is none. */
export function neighbour(lines: readonly RoomLine[], open: string | null, step: 1 | -1, unreadOnly: boolean): string | null {
  const n = lines.length
  const at = lines.findIndex((l) => l.id === open)
  for (let i = 1; i <= n; i++) {
    const from = at < 0 ? (step === 1 ? -1 : n) : at
    const to = from + step * i
    const line = unreadOnly ? lines[((to % n) + n) % n] : lines[to]
    if (!line) return null
    if (line.id !== open && (!unreadOnly || line.unread > 0)) return line.id
  }
  return null
}
