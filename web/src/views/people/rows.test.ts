import { describe, expect, it } from 'vitest'
import { inSight, offsetsOf, rowAt, rowHeight, scrollFor } from './rows.ts'

describe('rows', () => {
  const o = offsetsOf(3000, (i) => (i % 10 === 0 ? 31 : 60))

  it('covers what is seen, wherever it is, with few rows', () => {
    const end = o.at(-1)!
    for (let top = 0; top < end; top += 337) {
      const [from, to] = inSight(o, top, 900)
      expect(o[from]!).toBeLessThanOrEqual(Math.max(0, top - 700))
      expect(o[to]!).toBeGreaterThanOrEqual(Math.min(end, top + 900 + 700))
      expect(to - from).toBeLessThan(60)
    }
  })

  it('is fine with nothing and with positions outside', () => {
    expect(inSight(offsetsOf(0, () => 60), 0, 900)).toEqual([0, 0])
    expect(inSight(offsetsOf(2, () => 60), -5000, 100)).toEqual([0, 1])
    expect(inSight(offsetsOf(2, () => 60), 90000, 100)).toEqual([1, 2])
    expect(rowAt(o, -1)).toBe(0)
    expect(rowAt(o, 30)).toBe(0)
    expect(rowAt(o, 31)).toBe(1)
  })

  it('scrolls only as far as needed', () => {
    const p = offsetsOf(100, () => 60)
    expect(scrollFor(p, 5, 0, 600)).toBe(0)
    expect(scrollFor(p, 10, 0, 600)).toBe(60)
    expect(scrollFor(p, 2, 300, 600)).toBe(-180)
    expect(scrollFor(p, 500, 0, 600)).toBe(0)
  })

  it('has the heights of the design', () => {
    expect(rowHeight('room', 16, 1, false)).toBe(66)
    expect(rowHeight('room', 16, 1, true)).toBe(68)
    expect(rowHeight('friend', 16, 1, false)).toBe(60)
    expect(rowHeight('room', 22.4, 1.22, false)).toBe(79)
  })
})
