// What the palette finds: rooms by name, people by name and 아이디, things to do by name; initials count as names.
import type { PeopleState, RoomLine } from '../engine/types.ts'
import { type Range, matchInitials } from '../lib/hangul.ts'
import { displayName } from './context.ts'
import { roomName } from '../views/chats/lines.ts'

export type Entry =
  | { readonly kind: 'room'; readonly line: RoomLine; readonly name: string; readonly marks: readonly Range[] }
  | { readonly kind: 'person'; readonly id: string; readonly name: string; readonly marks: readonly Range[]; readonly handle: string }
  | { readonly kind: 'act'; readonly act: number; readonly name: string; readonly marks: readonly Range[] }

const MOST = { rooms: 8, recent: 7, people: 6, acts: 4 } as const

export interface Found {
  readonly rooms: readonly Entry[]
  readonly people: readonly Entry[]
  readonly acts: readonly Entry[]
}

/** find looks through what is known here; nothing is asked of the server. */
export function find(query: string, lines: readonly RoomLine[], people: PeopleState, acts: readonly string[]): Found {
  const q = query.trim()
  const rooms: Entry[] = []
  for (const line of lines) {
    if (rooms.length >= (q === '' ? MOST.recent : MOST.rooms)) break
    const name = roomName(line, people.byId)
    const marks = matchInitials(q, name)
    if (marks && name !== '') rooms.push({ kind: 'room', line, name, marks })
  }
  if (q === '') return { rooms, people: [], acts: acts.map((name, act) => ({ kind: 'act', act, name, marks: [] })) }
  // A friend whose 1:1 is among the rooms stands there already, and opening either leads to the same place.
  const there = new Set(rooms.map((r) => (r.kind === 'room' ? r.line.peer : '')))
  const found: Entry[] = []
  for (const id of people.friends) {
    if (found.length >= MOST.people) break
    const p = people.byId.get(id)
    if (!p || p.closed || there.has(id)) continue
    const name = displayName(p)
    const marks = matchInitials(q, name)
    if (marks || p.handle.startsWith(q.toLowerCase())) found.push({ kind: 'person', id, name, marks: marks ?? [], handle: p.handle })
  }
  const todo = acts.flatMap((name, act): Entry[] => {
    const marks = matchInitials(q, name)
    return marks ? [{ kind: 'act', act, name, marks }] : []
  })
  return { rooms, people: found, acts: todo.slice(0, MOST.acts) }
}
