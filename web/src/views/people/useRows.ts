// React around rows.ts: the rows of a list that are in the document, and how to bring one into sight.
import { type RefObject, useCallback, useLayoutEffect, useState } from 'react'
import { usePhone } from '../../app/layout.ts'
import { useSetting } from '../../app/settings.ts'
import { inSight, type Offsets, rowHeight, type RowKind, scrollFor } from './rows.ts'

/** useRowHeight is the height of a row here and now. */
export function useRowHeight(kind: RowKind): number {
  const phone = usePhone()
  const large = useSetting('text') === 'large'
  // The font size on <html> follows the setting and the browser's own.
  const root = parseFloat(getComputedStyle(document.documentElement).fontSize) || (large ? 22.4 : 16)
  return rowHeight(kind, root, large ? 1.22 : 1, phone)
}

export interface Rows {
  readonly from: number
  readonly to: number
  /** reveal scrolls a row into sight, if it is not. */
  reveal(row: number): void
}

/** useRows follows a scrolling element in which the list stands, with other things above it perhaps. */
export function useRows(scroller: RefObject<HTMLElement | null>, list: RefObject<HTMLElement | null>, offsets: Offsets): Rows {
  const [range, setRange] = useState<readonly [number, number]>([0, Math.min(30, offsets.length - 1)])

  useLayoutEffect(() => {
    const box = scroller.current
    if (!box) return
    const update = () => {
      const at = seen(box, list.current)
      const next = inSight(offsets, at.top, at.height)
      setRange((r) => (r[0] === next[0] && r[1] === next[1] ? r : next))
    }
    update()
    box.addEventListener('scroll', update, { passive: true })
    const size = new ResizeObserver(update)
    size.observe(box)
    return () => {
      box.removeEventListener('scroll', update)
      size.disconnect()
    }
  }, [scroller, list, offsets])

  const reveal = useCallback(
    (row: number) => {
      const box = scroller.current
      if (!box) return
      const at = seen(box, list.current)
      const by = scrollFor(offsets, row, at.top, at.height)
      if (by !== 0) box.scrollTop += by
    },
    [scroller, list, offsets],
  )

  return { from: Math.min(range[0], offsets.length - 1), to: Math.min(range[1], offsets.length - 1), reveal }
}

// seen is which part of the list is in the scrolling element's window.
function seen(box: HTMLElement, list: HTMLElement | null): { top: number; height: number } {
  if (!list) return { top: 0, height: box.clientHeight }
  return { top: box.getBoundingClientRect().top - list.getBoundingClientRect().top, height: box.clientHeight }
}
