import { describe, expect, it } from 'vitest'
import { VirtualRows, type Keyed } from './virtual.ts'

const rows = (from: number, to: number): Keyed[] => Array.from({ length: to - from }, (_, i) => ({ key: `k${from + i}` }))

/** random numbers that are the same in every run. */
function rng(seed: number) {
  let s = seed
  return (n: number) => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0
    return Math.floor((s / 2 ** 32) * n)
  }
}

describe('VirtualRows', () => {
  it('keeps the heights of rows when a page is put before or after them', () => {
    const v = new VirtualRows<Keyed>(() => 40)
    v.setRows(rows(100, 200))
    v.measure(0, 55)
    v.measure(99, 70)
    v.setRows(rows(0, 250))
    expect(v.height(100)).toBe(55)
    expect(v.height(199)).toBe(70)
    expect(v.top(100)).toBe(100 * 40)
    expect(v.top(101)).toBe(100 * 40 + 55)
    expect(v.total).toBe(248 * 40 + 125)
  })

  it('knows a measured height again when the row was away', () => {
    const v = new VirtualRows<Keyed>(() => 40)
    v.setRows(rows(0, 10))
    v.measure(3, 99)
    v.setRows(rows(500, 510))
    v.setRows(rows(0, 10))
    expect(v.height(3)).toBe(99)
  })

  it('answers an empty list', () => {
    const v = new VirtualRows<Keyed>(() => 40)
    expect(v.total).toBe(0)
    expect(v.at(10)).toBe(-1)
    expect(v.window(0, 500, 100, 300)).toEqual({ start: 0, end: 0 })
    expect(v.indexOf('k1', 5)).toBe(-1)
  })

  it('never gives more rows than max, and those in view always', () => {
    const v = new VirtualRows<Keyed>(() => 10)
    v.setRows(rows(0, 5000))
    for (const y of [0, 12345, 49_000]) {
      const w = v.window(y, y + 900, 3000, 300)
      expect(w.end - w.start).toBeLessThanOrEqual(300)
      expect(v.top(w.start)).toBeLessThanOrEqual(y)
      expect(v.top(w.end)).toBeGreaterThanOrEqual(Math.min(y + 900, v.total))
    }
  })

  it('agrees with plain sums after any changes', () => {
    const random = rng(7)
    const v = new VirtualRows<Keyed>((r) => 20 + (r.key.length % 7))
    let from = 1000
    let to = 1050
    let list = rows(from, to)
    v.setRows(list)
    const known = new Map<string, number>()
    for (let turn = 0; turn < 400; turn++) {
      switch (random(5)) {
        case 0:
          from -= random(30)
          break
        case 3: {
          // A page comes below, and what is far above goes.
          const page = random(20)
          from += page
          to += page
          break
        }
        case 1:
          to += random(10)
          break
        case 2: {
          const i = random(list.length)
          const h = 10 + random(100)
          v.measure(i, h)
          known.set(list[i]!.key, h)
          break
        }
        default:
          if (to - from > 60) to -= random(5)
      }
      list = rows(from, to)
      v.setRows(list)
      let y = 0
      const tops = list.map((r) => {
        const top = y
        y += known.get(r.key) ?? 20 + (r.key.length % 7)
        return top
      })
      expect(v.total).toBe(y)
      const i = random(list.length)
      expect(v.top(i)).toBe(tops[i])
      const at = random(y)
      const expected = tops.findIndex((top, j) => at < (tops[j + 1] ?? y) && at >= top)
      expect(v.at(at)).toBe(expected)
      expect(v.indexOf(list[i]!.key, random(list.length))).toBe(i)
    }
  })

  it('goes through 20,000 rows, a thousand at a time, and forgets those that are far away', () => {
    const v = new VirtualRows<Keyed>(() => 44)
    let estimated = 0
    for (let from = 0; from + 1000 <= 20_000; from += 500) {
      v.setRows(rows(from, from + 1000))
      for (let i = 0; i < 1000; i++) {
        if (v.height(i) === 44) estimated++
        v.measure(i, 50)
      }
    }
    expect(estimated).toBe(20_000)
    expect((v as unknown as { measured: Map<string, number> }).measured.size).toBeLessThan(4 * 1000)
  })

  it('takes 100,000 rows and one more without rebuilding from estimates', () => {
    let estimates = 0
    const v = new VirtualRows<Keyed>(() => (estimates++, 44))
    const all = rows(0, 100_000)
    v.setRows(all)
    estimates = 0
    v.setRows([...all, { key: 'new' }])
    expect(estimates).toBe(1)
    expect(v.total).toBe(100_001 * 44)
  })
})
