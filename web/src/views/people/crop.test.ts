import { describe, expect, it } from 'vitest'
import { clamp, fromSlider, maxZoom, move, sideOf, start, toSlider, turn, turned, zoomAt, type Crop, type Size } from './crop.ts'

const wide: Size = { w: 1200, h: 800 }
const tall: Size = { w: 600, h: 1000 }

function inside(size: Size, c: Crop): boolean {
  const { w, h } = turned(size, c.turns)
  const half = sideOf(size, c) / 2
  return c.x - half >= -1e-6 && c.y - half >= -1e-6 && c.x + half <= w + 1e-6 && c.y + half <= h + 1e-6
}

describe('crop', () => {
  it('begins with the largest square inside', () => {
    for (const size of [wide, tall, { w: 50, h: 50 }, { w: 1, h: 4000 }]) {
      const c = start(size)
      expect(sideOf(size, c)).toBe(Math.min(size.w, size.h))
      expect(inside(size, c)).toBe(true)
    }
  })

  it('follows the finger and stops at the edge', () => {
    const c = clamp(wide, { x: 600, y: 400, zoom: 2, turns: 0 })
    const m = move(wide, c, 20, -10, 200)
    expect(m).toEqual({ x: 600 - 40, y: 400 + 20, zoom: 2, turns: 0 })
    const far = move(wide, c, 1e6, 1e6, 200)
    expect(far).toEqual({ x: 200, y: 200, zoom: 2, turns: 0 })
  })

  it('keeps the point under the cursor while it zooms', () => {
    const c = clamp(wide, { x: 600, y: 400, zoom: 2, turns: 0 })
    const at = (q: Crop) => [q.x + 30 * (sideOf(wide, q) / 200), q.y - 20 * (sideOf(wide, q) / 200)]
    const [x, y] = at(c)
    const [nx, ny] = at(zoomAt(wide, c, 3.3, 30, -20, 200))
    expect(nx).toBeCloseTo(x!, 6)
    expect(ny).toBeCloseTo(y!, 6)
  })

  it('bounds the zoom by pixels', () => {
    expect(maxZoom({ w: 40, h: 40 })).toBe(1)
    expect(maxZoom({ w: 96, h: 3000 })).toBe(2)
    expect(maxZoom({ w: 9000, h: 9000 })).toBe(8)
    expect(zoomAt(wide, start(wide), 1000, 0, 0, 200).zoom).toBe(8)
    expect(zoomAt(wide, start(wide), 0, 0, 0, 200).zoom).toBe(1)
  })

  it('is back after four quarter turns', () => {
    const c = clamp(tall, { x: 250, y: 700, zoom: 1.7, turns: 0 })
    let q = c
    for (let i = 0; i < 4; i++) {
      q = turn(tall, q)
      expect(inside(tall, q)).toBe(true)
    }
    expect(q.x).toBeCloseTo(c.x, 6)
    expect(q.y).toBeCloseTo(c.y, 6)
    expect(q.turns).toBe(0)
  })

  it('has a slider that is its own inverse', () => {
    for (const v of [0, 13, 50, 100]) expect(toSlider(wide, fromSlider(wide, v))).toBeCloseTo(v, 6)
    expect(toSlider({ w: 10, h: 10 }, 1)).toBe(0)
    expect(fromSlider({ w: 10, h: 10 }, 70)).toBe(1)
  })

  it('stays inside whatever is done', () => {
    let seed = 7
    const rnd = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
    for (const size of [wide, tall, { w: 33, h: 2000 }]) {
      let c = start(size)
      for (let i = 0; i < 500; i++) {
        const r = rnd()
        if (r < 0.4) c = move(size, c, (rnd() - 0.5) * 900, (rnd() - 0.5) * 900, 200)
        else if (r < 0.8) c = zoomAt(size, c, rnd() * 12, (rnd() - 0.5) * 200, (rnd() - 0.5) * 200, 200)
        else c = turn(size, c)
        expect(inside(size, c)).toBe(true)
      }
    }
  })
})
