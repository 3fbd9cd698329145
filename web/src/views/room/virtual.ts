// The arithmetic of the virtualised log: heights of thousands of rows, where each one is, which are to be in the document.
// No DOM in here. A height is exact once measured, else what it was at the last width, else an estimate; exact positions are
// only needed for rows in the document, because the view holds an anchor there.

export interface Keyed {
  readonly key: string
}

export interface Window {
  readonly start: number
  readonly end: number
}

export class VirtualRows<R extends Keyed> {
  private rows: readonly R[] = []
  private heights = new Float64Array(0)
  /** sums[i] is the top of row i, right up to `summed`. */
  private sums = new Float64Array(1)
  private summed = 0
  private readonly measured = new Map<string, number>()
  private readonly estimate: (row: R) => number

  constructor(estimate: (row: R) => number) {
    this.estimate = estimate
  }

  get count(): number {
    return this.rows.length
  }

  get total(): number {
    return this.top(this.rows.length)
  }

  /** setRows takes a new list. Heights follow their keys; it is linear with a small constant (a copy, in the usual case). */
  setRows(rows: readonly R[]): void {
    const old = this.rows
    if (rows === old) return
    // Rows may have come before the first one, or it may have gone.
    let shift = old.length > 0 ? indexOfKey(rows, old[0]!.key, 0) : -1
    if (shift < 0 && rows.length > 0) shift = -Math.max(0, indexOfKey(old, rows[0]!.key, 0))
    const heights = new Float64Array(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const before = old[i - shift]
      heights[i] = before !== undefined && before.key === row.key ? this.heights[i - shift]! : (this.measured.get(row.key) ?? this.estimate(row))
    }
    this.rows = rows
    this.heights = heights
    this.sums = new Float64Array(rows.length + 1)
    this.summed = 0
    keepKeys(this.measured, rows)
  }

  /** measure stores the height of a row in the document. */
  measure(index: number, height: number): void {
    const row = this.rows[index]
    if (row === undefined) return
    this.measured.set(row.key, height)
    if (this.heights[index] === height) return
    this.heights[index] = height
    if (index < this.summed) this.summed = index
  }

  height(index: number): number {
    return this.heights[index] ?? 0
  }

  /** top of a row, from the first row's top; of the row after the last one: the total. */
  top(index: number): number {
    const i = Math.max(0, Math.min(index, this.rows.length))
    for (; this.summed < i; this.summed++) this.sums[this.summed + 1] = this.sums[this.summed]! + this.heights[this.summed]!
    return this.sums[i]!
  }

  bottom(index: number): number {
    return this.top(index + 1)
  }

  /** at is the row that covers y: the first whose bottom is below it; the last one if y is beyond. */
  at(y: number): number {
    this.top(this.rows.length)
    let lo = 0
    let hi = this.rows.length - 1
    if (hi < 0) return -1
    while (lo < hi) {
      const mid = (lo + hi) >> 1
      if (this.sums[mid + 1]! > y) hi = mid
      else lo = mid + 1
    }
    return lo
  }

  /** indexOf finds a key, searching outwards from where it was. */
  indexOf(key: string, hint: number): number {
    return indexOfKey(this.rows, key, hint)
  }

  /** window gives the rows that cover from..to with `over` pixels more on both sides, never more than max. */
  window(from: number, to: number, over: number, max: number): Window {
    if (this.rows.length === 0) return { start: 0, end: 0 }
    const first = this.at(from)
    const last = this.at(to)
    let start = this.at(from - over)
    let end = this.at(to + over) + 1
    // Rows in view come first; what is left of max is shared by both sides.
    if (end - start > max) {
      const spare = Math.max(0, max - (last + 1 - first))
      const above = Math.min(first - start, Math.max(spare >> 1, spare - (end - last - 1)))
      start = first - above
      end = Math.min(end, start + max)
    }
    return { start, end }
  }
}

/** keepKeys drops what is remembered of rows that are long gone, now and then: most of a map is of rows that are there. */
export function keepKeys(map: Map<string, unknown>, rows: readonly Keyed[]): void {
  if (map.size < 2 * rows.length + 1000) return
  const here = new Set(rows.map((r) => r.key))
  for (const key of map.keys()) if (!here.has(key)) map.delete(key)
}

function indexOfKey(rows: readonly Keyed[], key: string, hint: number): number {
  const from = Math.max(0, Math.min(hint, rows.length - 1))
  for (let d = 0; d < rows.length; d++) {
    const up = from + d
    const down = from - d
    if (up >= rows.length && down < 0) break
    if (rows[up]?.key === key) return up
    if (rows[down]?.key === key) return down
  }
  return -1
}
