// Order and search of a room's members. Names of thousands come in while one looks, so the order must hold without them.
import { compareNames, matchInitials, type Range } from '../../lib/hangul.ts'
import type { Member, Person } from '../../engine/types.ts'

/** MAX members of a group, and from how many on there is a search. */
export const MAX_MEMBERS = 3000
export const SEARCH_FROM = 50

export interface Entry {
  readonly user: string
  readonly marks: readonly Range[]
}

type People = ReadonlyMap<string, Person>

/** short is the beginning that is shown at first: I, those online, then by name (small rooms) or as they joined. */
export function short(members: readonly Member[], me: string, online: ReadonlySet<string>, people: People): readonly Entry[] {
  const byJoin = members.length >= SEARCH_FROM
  return plain(members, (a, b) => first(a, b, me) || Number(online.has(b.user)) - Number(online.has(a.user)) || (byJoin ? joined(a, b) : named(a, b, people)))
}

/** whole is everybody by name; who is not known yet comes last, as they joined. */
export function whole(members: readonly Member[], me: string, people: People): readonly Entry[] {
  return plain(members, (a, b) => first(a, b, me) || named(a, b, people))
}

/** search finds among those whose names are known. */
export function search(members: readonly Member[], me: string, people: People, query: string): readonly Entry[] {
  return whole(members, me, people).flatMap((e) => {
    const p = people.get(e.user)
    const marks = p && !p.closed ? matchInitials(query, p.name) : null
    return marks === null ? [] : [{ user: e.user, marks }]
  })
}

function plain(members: readonly Member[], order: (a: Member, b: Member) => number): readonly Entry[] {
  return [...members].sort(order).map((m) => ({ user: m.user, marks: [] }))
}

function first(a: Member, b: Member, me: string): number {
  return Number(b.user === me) - Number(a.user === me)
}

function joined(a: Member, b: Member): number {
  return a.joinedSeq - b.joinedSeq || (a.user < b.user ? -1 : 1)
}

function named(a: Member, b: Member, people: People): number {
  const p = people.get(a.user)
  const q = people.get(b.user)
  const rank = (x: Person | undefined) => (x === undefined ? 2 : x.closed ? 1 : 0)
  return rank(p) - rank(q) || (p && q ? compareNames(p.name, q.name) : 0) || joined(a, b)
}
