// Finding in the loaded rows of a room: plain substring, without regard to case, after NFC. Folded texts are remembered by
// row object, so a further letter of the query costs one pass of indexOf.

import type { MessageRow, Row } from '../../engine/types.ts'

const plain = new WeakMap<MessageRow, string>()

/** plainQuery is what is searched for; empty finds nothing. */
export function plainQuery(query: string): string {
  return query.normalize('NFC').toLowerCase().trim()
}

function plainText(row: MessageRow): string {
  let text = plain.get(row)
  if (text === undefined) {
    text = row.text.normalize('NFC').toLowerCase()
    plain.set(row, text)
  }
  return text
}

export function matches(row: Row, query: string): row is MessageRow {
  return query !== '' && row.kind === 'message' && !row.deleted && plainText(row).includes(query)
}

/** find gives the keys of all rows that contain the query (already plain), oldest first. */
export function find(rows: readonly Row[], query: string): readonly string[] {
  const keys: string[] = []
  if (query === '') return keys
  for (const row of rows) if (matches(row, query)) keys.push(row.key)
  return keys
}

/** step goes to the hit before (-1) or after (+1) the current one and round at the ends. */
export function nextHit(hits: readonly string[], current: string | null, by: 1 | -1): string | null {
  if (hits.length === 0) return null
  const at = current === null ? -1 : hits.indexOf(current)
  if (at < 0) return by < 0 ? hits[hits.length - 1]! : hits[0]!
  return hits[(at + by + hits.length) % hits.length]!
}

export interface Piece {
  readonly text: string
  readonly hit: boolean
}

/** marks splits a text at the hits of a query. A text whose length changes in lower case is not marked (İ and the like). */
export function marks(text: string, query: string): readonly Piece[] {
  const lower = text.toLowerCase()
  if (query === '' || lower.length !== text.length) return [{ text, hit: false }]
  const pieces: Piece[] = []
  let from = 0
  for (let at = lower.indexOf(query); at >= 0; at = lower.indexOf(query, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false })
    pieces.push({ text: text.slice(at, at + query.length), hit: true })
    from = at + query.length
  }
  if (from < text.length || pieces.length === 0) pieces.push({ text: text.slice(from), hit: false })
  return pieces
}
