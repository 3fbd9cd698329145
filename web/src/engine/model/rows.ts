// Rows makes what the views draw out of entries and items. An equal row is given back as the same object.
import type { Kept } from '../inner.ts'
import type { MessageRow, Quote, Refusal, Row, SystemRow } from '../types.ts'
import type { Entry, Log } from './log.ts'
import { place } from './log.ts'
import type { Outbox, Sending } from './outbox.ts'
import { keyOf } from './outbox.ts'

/** Sight is what rows are made with. */
export interface Sight {
  readonly me: string
  /** skew is local clock minus server clock. */
  readonly skew: number
  readonly log: Log
  readonly outbox: Outbox
  /** readable: the first seq this person may read. */
  readonly first: number
  /** ask is called for a message that is answered and not loaded. */
  readonly ask: (seq: number) => void
  /** gone: a message that was asked for and is not to be had. */
  readonly gone: ReadonlySet<number>
}

/** rowsOf makes the rows of the log; was is what it gave the last time. With thousands of rows, one that changes or comes at the
    end costs a copy of the array and no look at the others. */
export function rowsOf(s: Sight, was: readonly Row[]): readonly Row[] {
  const { order, dirty } = s.log
  let out: Row[] | null = null
  if (s.log.rebuilt) {
    out = order.map((e) => (e.row && !dirty.has(e) ? e.row : make(s, e)))
    if (out.length === was.length && out.every((r, i) => r === was[i])) out = null
  } else {
    for (const e of dirty) {
      const i = place(order, e.m.seq)
      if (order[i] !== e) e.row = null // not in the stretch now; it may come back
      if (order[i] !== e || i >= was.length) continue
      const row = make(s, e)
      if (row !== was[i]) (out ??= was.slice())[i] = row
    }
    if (order.length > was.length) out = (out ?? was).concat(order.slice(was.length).map((e) => make(s, e)))
  }
  s.log.rebuilt = false
  dirty.clear()
  return out ?? was
}

/** make makes the row of an entry. */
function make(s: Sight, e: Entry): Row {
  const row = e.m.kind === 'text' ? textRow(s, e) : systemRow(s, e)
  if (!e.row || !equal(e.row, row)) e.row = row
  return e.row
}

/** tailOf makes the rows of what is not acknowledged, in the order it was said. */
export function tailOf(s: Sight, was: readonly Row[]): readonly Row[] {
  const { sends, kept } = s.outbox
  if (sends.size === 0 && kept.size === 0) return was.length === 0 ? was : []
  const old = new Map<string, Row>()
  for (const r of was) old.set(r.key, r)
  const ids = [...new Set([...sends.keys(), ...kept.keys()])].sort((a, b) => a - b)
  const out = ids.map((id) => {
    const k = kept.get(id)
    const sent = sends.get(id)
    const row = k ? keptRow(s, k) : sendingRow(s, sent!)
    const before = old.get(row.key)
    return before && equal(before, row) ? before : row
  })
  return out.length === was.length && out.every((r, i) => r === was[i]) ? was : out
}

function textRow(s: Sight, e: Entry): MessageRow {
  const m = e.m
  const seen = s.outbox.see(m, e.my)
  return {
    kind: 'message', key: s.outbox.key(m.seq), seq: m.seq, author: m.author, own: m.author === s.me, time: m.time, text: seen.text,
    edited: seen.edited, deleted: seen.deleted, reply: seen.deleted ? null : quote(s, m.replyTo), reactions: seen.reactions, myReaction: seen.my,
    state: 'sent', item: 0, refusal: null, changing: seen.changing,
  }
}

function systemRow(s: Sight, e: Entry): SystemRow {
  const { seq, kind, time, author, users, text } = e.m
  return {
    kind: 'system', key: s.outbox.key(seq), seq, time, what: kind as SystemRow['what'], author, users, title: kind === 'renamed' ? text : '',
  }
}

function sendingRow(s: Sight, sent: Sending): MessageRow {
  const { item, seq, time } = sent
  const state = seq ? 'sent' : item.state
  return unsent(s, item.id, item.op.text ?? '', item.op.replyTo ?? 0, seq, seq ? time : item.created - s.skew, state, null)
}

function keptRow(s: Sight, k: Kept): MessageRow {
  return unsent(s, k.id, k.op.text ?? '', k.op.replyTo ?? 0, 0, k.created - s.skew, 'refused', k.refusal)
}

function unsent(
  s: Sight, id: number, text: string, replyTo: number, seq: number, time: number, state: MessageRow['state'], refusal: Refusal | null,
): MessageRow {
  return {
    kind: 'message', key: keyOf(id), seq, author: s.me, own: true, time, text, edited: false, deleted: false, reply: quote(s, replyTo),
    reactions: [], myReaction: 0, state, item: seq ? 0 : id, refusal, changing: false,
  }
}

/** quote is the message that a row answers. One that may not be read, or is gone, is loaded and empty. */
function quote(s: Sight, seq: number): Quote | null {
  if (seq === 0) return null
  const e = s.log.get(seq)
  if (e) {
    const seen = s.outbox.say(e.m)
    return { seq, author: e.m.author, text: seen.text, deleted: seen.deleted, loaded: true }
  }
  if (seq < s.first || s.gone.has(seq)) return { seq, author: '', text: '', deleted: false, loaded: true }
  s.ask(seq)
  return { seq, author: '', text: '', deleted: false, loaded: false }
}

/** equal compares two values that are plain data. */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((v, i) => equal(v, b[i]))
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  const keys = Object.keys(x)
  return keys.length === Object.keys(y).length && keys.every((k) => equal(x[k], y[k]))
}
