// Which rows of a long list are in the document: those in sight and a screenful around them. Heights are known before
// anything is drawn, so nothing is measured and nothing shifts. No DOM in here.

/** offsets[i] is the top of row i; the last one is the height of all. */
export type Offsets = readonly number[]

export function offsetsOf(count: number, heightAt: (i: number) => number): Offsets {
  const out = [0]
  for (let i = 0; i < count; i++) out.push(out[i]! + heightAt(i))
  return out
}

/** OVER px above and below what is seen are drawn too: a turn of the wheel shows no blank. */
const OVER = 700

/** inSight is the first row to draw and the one after the last. */
export function inSight(offsets: Offsets, top: number, height: number): readonly [number, number] {
  const count = offsets.length - 1
  const from = Math.max(0, rowAt(offsets, top - OVER))
  return [from, Math.min(count, rowAt(offsets, top + height + OVER) + 1)]
}

/** rowAt is the row that covers y: the last one whose top is not below it. */
export function rowAt(offsets: Offsets, y: number): number {
  let lo = 0
  let hi = offsets.length - 1
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1
    if (offsets[mid]! <= y) lo = mid
    else hi = mid - 1
  }
  return Math.min(lo, Math.max(0, offsets.length - 2))
}

/** scrollFor is by how much to scroll so that a row is wholly seen: 0 if it is already. seen is the part of the list in sight. */
export function scrollFor(offsets: Offsets, row: number, seenTop: number, seenHeight: number): number {
  const top = offsets[row]
  const bottom = offsets[row + 1]
  if (top === undefined || bottom === undefined) return 0
  if (top < seenTop) return top - seenTop
  return Math.max(0, Math.min(bottom - seenTop - seenHeight, top - seenTop))
}

export type RowKind = 'room' | 'friend' | 'head' | 'pick' | 'member'

/** rowHeight in px. root is the font size of the page, grow that of controls; the CSS of the rows adds up to the same. */
export function rowHeight(kind: RowKind, root: number, grow: number, phone: boolean): number {
  const name = (phone ? 1 : 0.9375) * root * 1.4
  const small = 0.8125 * root
  switch (kind) {
    case 'head':
      return Math.ceil(11 + small * 1.5)
    case 'room':
      return Math.ceil((phone ? 22 : 20) + Math.max(46 * grow, name + 2 + Math.max(20 * grow, small * 1.5)))
    case 'friend':
      return Math.ceil((phone ? 22 : 14) + Math.max(46 * grow, name + 2 + small * 1.5))
    case 'pick':
      return Math.ceil(14 + Math.max(38 * grow, name + small * 1.4))
    case 'member':
      return Math.ceil(12 + Math.max(38 * grow, name * 1.1))
  }
}
