import { describe, expect, it } from 'vitest'
import { fit, PHOTO_BYTES, workSize } from './photo.ts'

describe('fit', () => {
  const sized = (f: (q: number) => number) => {
    const asked: number[] = []
    return { asked, encode: async (q: number) => (asked.push(q), { size: f(q) }) }
  }

  it('takes the first that is small enough', async () => {
    const e = sized(() => 1000)
    expect(await fit(e.encode, PHOTO_BYTES)).toEqual({ size: 1000 })
    expect(e.asked).toEqual([0.92])
  })

  it('steps down, never up, and ends at the limit itself', async () => {
    const e = sized((q) => (q > 0.5 ? PHOTO_BYTES + 1 : PHOTO_BYTES))
    expect(await fit(e.encode, PHOTO_BYTES)).toEqual({ size: PHOTO_BYTES })
    expect(e.asked).toEqual([...e.asked].sort((a, b) => b - a))
    expect(e.asked.at(-1)).toBeLessThanOrEqual(0.5)
  })

  it('gives nothing rather than too much', async () => {
    expect(await fit(sized(() => PHOTO_BYTES + 1).encode, PHOTO_BYTES)).toBeNull()
    expect(await fit(async () => null, PHOTO_BYTES)).toBeNull()
  })
})

describe('workSize', () => {
  it('keeps the shape and never enlarges', () => {
    expect(workSize({ w: 100, h: 40 })).toEqual({ w: 100, h: 40 })
    expect(workSize({ w: 8192, h: 4096 })).toEqual({ w: 2048, h: 1024 })
    expect(workSize({ w: 40000, h: 1 })).toEqual({ w: 2048, h: 1 })
  })
})
