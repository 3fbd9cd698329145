// How rows follow each other: groups by sender and minute, day lines, the line of what was read. Each answer needs a row and
// its neighbours only, so it is asked for rows in the document, never for the whole log. And what else rows tell of themselves.

import type { MessageRow, Row } from '../../engine/types.ts'
import { sameDay } from '../../lib/dates.ts'

export interface Shape {
  /** day: a line with the date comes before the row. */
  readonly day: boolean
  /** readLine: the line 여기까지 읽었어요 comes before the row. */
  readonly readLine: boolean
  /** first and last of a group: name, picture and pinched corner; time. */
  readonly first: boolean
  readonly last: boolean
}

const minute = 60_000

function timeOf(row: Row | undefined): number | null {
  return row === undefined || row.kind === 'gap' ? null : row.time
}

function newDay(rows: readonly Row[], i: number): boolean {
  const time = timeOf(rows[i])
  if (time === null) return false
  const before = timeOf(rows[i - 1])
  return before === null || !sameDay(before, time)
}

/** beginsUnread: row i is the first one after readLine (-1: there is no line) that is not an own message, and others come before. */
function beginsUnread(rows: readonly Row[], i: number, readLine: number): boolean {
  if (readLine < 0) return false
  const row = rows[i]
  if (row === undefined || row.seq <= readLine || own(row)) return false
  // What was written on another device needs no reading.
  let b = i - 1
  while (b >= 0 && rows[b]!.seq > readLine && own(rows[b]!)) b--
  const before = rows[b]
  return before !== undefined && before.seq !== 0 && before.seq <= readLine
}

function own(row: Row): boolean {
  return row.kind === 'message' && row.own
}

function joins(a: Row | undefined, b: MessageRow): boolean {
  return a !== undefined && a.kind === 'message' && a.author === b.author && a.own === b.own && Math.floor(a.time / minute) === Math.floor(b.time / minute)
}

/** shapeOf tells how row i is drawn. */
export function shapeOf(rows: readonly Row[], i: number, readLine: number): Shape {
  const row = rows[i]!
  const day = newDay(rows, i)
  const line = beginsUnread(rows, i, readLine)
  if (row.kind !== 'message') return { day, readLine: line, first: true, last: true }
  const next = rows[i + 1]
  return {
    day,
    readLine: line,
    first: day || line || !joins(rows[i - 1], row),
    last: next === undefined || next.kind !== 'message' || !joins(row, next) || newDay(rows, i + 1) || beginsUnread(rows, i + 1, readLine),
  }
}

/** firstUnread is the index of the row under the line, -1 if it is not loaded. Where nothing was ever read it is the first row,
 * which has no line above it. */
export function firstUnread(rows: readonly Row[], readLine: number): number {
  if (readLine < 0) return -1
  for (let i = rows.length - 1; i > 0; i--) {
    if (beginsUnread(rows, i, readLine)) return i
    const seq = rows[i]!.seq
    if (seq !== 0 && seq <= readLine) return -1
  }
  const first = rows[0]
  return first?.seq === readLine + 1 && !own(first) ? 0 : -1
}

/** estimate of a row's height before it is measured: near is good enough, the anchor takes the rest. */
export function estimate(row: Row): number {
  if (row.kind !== 'message') return 44
  let lines = 1
  if (row.text.length > 30) lines = Math.min(16, Math.max(Math.ceil(row.text.length / 34), row.text.split('\n', 16).length))
  return 22 + 22 * lines + 10 + (row.reply ? 44 : 0) + (row.reactions.length > 0 ? 32 : 0)
}

/** lastSeq is the newest sequence in rows, 0 if none has one. */
export function lastSeq(rows: readonly Row[]): number {
  for (let i = rows.length - 1; i >= 0; i--) if (rows[i]!.seq !== 0) return rows[i]!.seq
  return 0
}
