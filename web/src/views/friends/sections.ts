// The friend list as one flat run of rows: 가나다 first, then Latin, then the rest, a heading before each section. The same
// run serves the virtualised list, the 초성 index beside it and the search.
import { compareNames, INDEX, initialOf, matchInitials, type Range } from '../../lib/hangul.ts'
import type { Person } from '../../engine/types.ts'

export type Item =
  | { readonly kind: 'head'; readonly letter: string }
  | { readonly kind: 'friend'; readonly person: Person; readonly marks: readonly Range[] }

export interface Sections {
  readonly items: readonly Item[]
  /** heads: the place of each section's heading in items. */
  readonly heads: ReadonlyMap<string, number>
}

/** byName orders people 가나다; same names by handle, so that the order never changes by itself. Closed accounts come last. */
export function byName(a: Person, b: Person): number {
  return Number(a.closed) - Number(b.closed) || compareNames(a.name, b.name) || (a.handle < b.handle ? -1 : 1)
}

/** sections of a friend list. */
export function sections(people: readonly Person[]): Sections {
  const items: Item[] = []
  const heads = new Map<string, number>()
  for (const person of [...people].sort(byName)) {
    const letter = person.closed ? '#' : initialOf(person.name)
    if (!heads.has(letter)) {
      heads.set(letter, items.length)
      items.push({ kind: 'head', letter })
    }
    items.push({ kind: 'friend', person, marks: [] })
  }
  return { items, heads }
}

/** found are the friends whose name matches, in the same order, with what to mark. */
export function found(people: readonly Person[], query: string): readonly (Item & { readonly kind: 'friend' })[] {
  const out: (Item & { readonly kind: 'friend' })[] = []
  for (const person of people) {
    const marks = person.closed ? null : matchInitials(query, person.name)
    if (marks !== null) out.push({ kind: 'friend', person, marks })
  }
  return out.sort((a, b) => byName(a.person, b.person))
}

/** target is where a letter of the index leads: its own section, else the next one, else the last; -1 of an empty list. */
export function target(heads: ReadonlyMap<string, number>, letter: string): number {
  for (const l of INDEX.slice(INDEX.indexOf(letter as (typeof INDEX)[number]))) {
    const at = heads.get(l)
    if (at !== undefined) return at
  }
  return Math.max(-1, ...heads.values())
}

// Two-set keys: which initial a key types. Where a list has the focus an input method composes nothing, so the key is all
// there is to go by.
const KEYS: Record<string, string> = {
  KeyQ: 'ㅂ', KeyW: 'ㅈ', KeyE: 'ㄷ', KeyR: 'ㄱ', KeyT: 'ㅅ', KeyA: 'ㅁ', KeyS: 'ㄴ', KeyD: 'ㅇ', KeyF: 'ㄹ', KeyG: 'ㅎ', KeyZ: 'ㅋ', KeyX: 'ㅌ', KeyC: 'ㅊ', KeyV: 'ㅍ',
}

export interface Stroke {
  readonly key: string
  readonly code: string
  readonly at: number
}

/** Typed is what was typed at a list lately, as it came and as the Korean keyboard has it. */
export interface Typed {
  readonly text: string
  readonly jamo: string
  readonly at: number
}

export const nothingTyped: Typed = { text: '', jamo: '', at: 0 }
const PAUSE = 900

/** type adds a key press; null if it types no letter. A pause begins anew. */
export function type(before: Typed, s: Stroke): Typed | null {
  const one = /^[\p{L}\p{N}]$/u.test(s.key)
  if (!one && s.key !== 'Process') return null
  const jamo = KEYS[s.code] ?? (one ? s.key : '')
  if (jamo === '') return null
  const old = s.at - before.at > PAUSE ? nothingTyped : before
  return { text: old.text + (one ? s.key : jamo), jamo: old.jamo + jamo, at: s.at }
}

/**
 * jump finds the row that typed letters lead to: the next name that begins with them, from the current row on and round to
 * the top; the same letter again and again walks through all that begin with it. -1: none.
 */
export function jump(names: readonly string[], typed: Typed, current: number): number {
  for (const text of new Set([typed.text, typed.jamo])) {
    const same = [...text].every((c) => c === text[0])
    const words = same && [...text].length > 1 ? [text, [...text][0]!] : [text]
    for (const w of words) {
      const from = [...w].length === 1 ? current + 1 : Math.max(0, current)
      for (let i = 0; i < names.length; i++) {
        const at = (from + i) % names.length
        const r = matchInitials(w, names[at]!)
        if (r !== null && r[0]?.[0] === 0) return at
      }
    }
  }
  return -1
}
