// A bubble is as wide as its longest line. text-wrap: balance evens the lines but leaves the box at full width and the time
// far away; so the width is set once, from the lines as they are, through CSSOM. Line breaks stay, hence heights stay.

/** fitName names what a width depends on, besides the pane: the message and its words. */
export function fitName(key: string, text: string, edited: boolean): string {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return `${key}:${text.length}:${(h >>> 0).toString(36)}${edited ? 'e' : ''}`
}

/** most: so many widths are remembered. */
const most = 5000

export class BubbleWidths {
  private readonly widths = new Map<string, string>()
  private readonly applied = new WeakMap<HTMLElement, string>()

  /** clear forgets all widths: the pane, the text size or a font has changed. */
  clear(): void {
    this.widths.clear()
  }

  /** fit sets the widths of all texts below root. epoch changes with each clear. All reads come before all writes. */
  fit(root: Element, epoch: number): void {
    if (this.widths.size > most) this.clear()
    const fresh: HTMLElement[] = []
    for (const p of root.querySelectorAll<HTMLElement>('p[data-fit]')) {
      const name = `${epoch}|${p.dataset['fit']}`
      if (this.applied.get(p) === name) continue
      this.applied.set(p, name)
      const known = this.widths.get(name)
      if (known !== undefined) p.style.width = known
      else {
        if (p.style.width !== '') p.style.width = ''
        fresh.push(p)
      }
    }
    const found = fresh.map(longestLine)
    fresh.forEach((p, i) => {
      const width = found[i]!
      this.widths.set(this.applied.get(p)!, width)
      if (width !== '') p.style.width = width
    })
  }
}

const range = typeof document === 'undefined' ? null : document.createRange()

/** longestLine is the width a text needs, '' if it is one line and fits itself. */
function longestLine(p: HTMLElement): string {
  if (range === null) return ''
  range.selectNodeContents(p)
  const rects = range.getClientRects()
  if (rects.length < 2) return ''
  let left = Infinity
  let right = -Infinity
  let top = Infinity
  let bottom = -Infinity
  for (const r of rects) {
    left = Math.min(left, r.left)
    right = Math.max(right, r.right)
    top = Math.min(top, r.bottom)
    bottom = Math.max(bottom, r.top)
  }
  // Several pieces of one line: links, marks.
  if (bottom < top) return ''
  return `${Math.ceil(right - left + 0.5)}px`
}
