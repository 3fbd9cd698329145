import { describe, expect, it } from 'vitest'
import type { GapRow, MessageRow, Row, SystemRow } from '../../engine/types.ts'
import { firstUnread, shapeOf } from './group.ts'

const noon = new Date(2026, 10, 22, 12, 0, 0).getTime()
const minute = 60_000

export function message(seq: number, author: string, time: number, over: Partial<MessageRow> = {}): MessageRow {
  return {
    kind: 'message', key: `s${seq}`, seq, author, own: author === 'me', time, text: `글 ${seq}`, edited: false, deleted: false, reply: null, reactions: [],
    myReaction: 0, state: 'sent', item: 0, refusal: null, changing: false, ...over,
  }
}
const system = (seq: number, time: number): SystemRow => ({ kind: 'system', key: `s${seq}`, seq, time, what: 'left', author: 'b', users: [], title: '' })
const gap = (seq: number): GapRow => ({ kind: 'gap', key: `g${seq}`, seq })
const edges = (rows: readonly Row[], readLine = -1) => rows.map((_, i) => (shapeOf(rows, i, readLine).first ? '[' : '') + (shapeOf(rows, i, readLine).last ? ']' : ''))

describe('groups', () => {
  it('joins one sender within one minute of the clock', () => {
    const rows = [message(1, 'a', noon), message(2, 'a', noon + 59_000), message(3, 'a', noon + minute), message(4, 'b', noon + minute)]
    expect(edges(rows)).toEqual(['[', ']', '[]', '[]'])
  })
  it('is broken by lines: system, gap, day, what was read', () => {
    expect(edges([message(1, 'a', noon), system(2, noon), message(3, 'a', noon)])).toEqual(['[]', '[]', '[]'])
    expect(edges([message(1, 'a', noon), gap(2), message(9, 'a', noon)])).toEqual(['[]', '[]', '[]'])
    expect(edges([message(1, 'a', noon), message(2, 'a', noon), message(3, 'a', noon)], 1)).toEqual(['[]', '[', ']'])
  })
  it('takes what is not acknowledged in', () => {
    const rows = [message(7, 'me', noon), message(0, 'me', noon + 1000, { key: 'i1', state: 'sending', item: 1 })]
    expect(edges(rows)).toEqual(['[', ']'])
  })
})

describe('days', () => {
  it('come before the first row and at each midnight', () => {
    const night = new Date(2026, 10, 22, 23, 59, 50).getTime()
    const rows = [message(1, 'a', night), message(2, 'a', night + 5000), message(3, 'a', night + 20_000)]
    expect(rows.map((_, i) => shapeOf(rows, i, 0).day)).toEqual([true, false, true])
    expect(edges(rows)).toEqual(['[', ']', '[]'])
  })
  it('are told again after a gap', () => {
    const rows = [message(1, 'a', noon), gap(2), message(9, 'a', noon)]
    expect(rows.map((_, i) => shapeOf(rows, i, 0).day)).toEqual([true, false, true])
  })
})

describe('the line of what was read', () => {
  const rows = [message(3, 'a', noon), message(5, 'a', noon), message(8, 'b', noon), message(0, 'me', noon, { key: 'i1', state: 'waiting', item: 1 })]
  it('stands before the first row after it, seqs may be missing', () => {
    expect(rows.map((_, i) => shapeOf(rows, i, 6).readLine)).toEqual([false, false, true, false])
    expect(firstUnread(rows, 6)).toBe(2)
  })
  it('passes over what was written by the person, on another device', () => {
    const mixed = [message(3, 'a', noon), message(5, 'me', noon), message(6, 'me', noon), message(8, 'b', noon), message(9, 'me', noon), message(10, 'b', noon)]
    expect(mixed.map((_, i) => shapeOf(mixed, i, 3).readLine)).toEqual([false, false, false, true, false, false])
    expect(firstUnread(mixed, 3)).toBe(3)
    expect(firstUnread(mixed.slice(0, 3), 3)).toBe(-1)
  })
  it('leads to the first row of a room of which nothing was read, and does not stand before it', () => {
    const whole = [message(1, 'a', noon), message(2, 'a', noon)]
    expect([firstUnread(whole, 0), whole.some((_, i) => shapeOf(whole, i, 0).readLine)]).toEqual([0, false])
    expect(firstUnread(whole.slice(1), 0)).toBe(-1)
    expect(firstUnread([message(1, 'me', noon), message(2, 'a', noon)], 0)).toBe(-1)
  })
  it('does not stand before what is only under way, nor when its place is not loaded', () => {
    expect(firstUnread(rows, 8)).toBe(-1)
    expect(firstUnread(rows, 1)).toBe(-1)
    expect(firstUnread(rows, -1)).toBe(-1)
    expect(firstUnread([], 0)).toBe(-1)
    expect(rows.some((_, i) => shapeOf(rows, i, 8).readLine)).toBe(false)
  })
})
