// The line between list and room: it is moved by pointer or arrow keys, and its place is kept.
import { type CSSProperties, type KeyboardEvent, type PointerEvent, useRef, useState } from 'react'
import { t } from '../lib/messages.ts'
import { layout, useLayout } from './layout.ts'
import { setSetting, settings, useSetting } from './settings.ts'
import css from './Splitter.module.css'

const LEAST = 280
const MOST = 440

/** useListWidth is the style that carries the width, unless it is the design's own. */
export function useListWidth(): CSSProperties | undefined {
  const width = useSetting('listWidth')
  const tablet = useLayout() === 'tablet'
  if (width === 0) return undefined
  return { '--list-now': `calc(${tablet ? Math.min(width, 340) : width}px * var(--grow))` } as CSSProperties
}

function own(): number {
  const l = layout()
  return settings().listWidth || (l === 'wide' ? 380 : l === 'tablet' ? 300 : 348)
}

export function ListSplitter() {
  const width = useSetting('listWidth')
  useLayout()
  const [dragging, setDragging] = useState(false)
  const start = useRef({ x: 0, width: 0 })
  const now = width || own()

  const set = (w: number) => setSetting('listWidth', Math.round(Math.max(LEAST, Math.min(MOST, w))))
  const down = (e: PointerEvent<HTMLDivElement>) => {
    e.currentTarget.setPointerCapture(e.pointerId)
    start.current = { x: e.clientX, width: now }
    setDragging(true)
  }
  const move = (e: PointerEvent) => {
    if (!dragging) return
    const grow = Number(getComputedStyle(document.documentElement).getPropertyValue('--grow')) || 1
    set(start.current.width + (e.clientX - start.current.x) / grow)
  }
  const key = (e: KeyboardEvent) => {
    const to = { ArrowLeft: now - 12, ArrowRight: now + 12, Home: LEAST, End: MOST }[e.key]
    if (to === undefined) return
    e.preventDefault()
    set(to)
  }
  return (
    <div
      className={css.splitter}
      data-dragging={dragging || undefined}
      role="separator"
      aria-orientation="vertical"
      aria-label={t('shell.resize')}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      aria-valuenow={now}
      tabIndex={0}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => setDragging(false)}
      onPointerCancel={() => setDragging(false)}
      onDoubleClick={() => setSetting('listWidth', 0)}
      onKeyDown={key}
    />
  )
}
