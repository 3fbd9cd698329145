// Menu: at what was pressed on a desktop, within the window; a sheet from below on a phone. Arrows, Home, End and first
// letters move; Enter and Space choose; Esc, Tab and a press elsewhere close it.
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { usePhone } from '../app/layout.ts'
import { useLayer } from '../app/route.ts'
import { Icon, type IconName } from './Icon.tsx'
import css from './Menu.module.css'

export interface MenuItem {
  readonly label: string
  readonly run: () => void
  readonly icon?: IconName
  /** note is a second line. */
  readonly note?: string
  /** hint is the key that does the same. */
  readonly hint?: string
  readonly danger?: boolean
  readonly checked?: boolean
  readonly disabled?: boolean
}

export interface MenuOptions {
  /** label is the menu's name for screen readers. */
  readonly label: string
  readonly align?: 'start' | 'end'
  /** side where there is room on both; without room it is the other one. */
  readonly side?: 'above' | 'below'
  /** edge is how far up it may reach while there is room below. */
  readonly edge?: number | undefined
  /** head stands above the items: reactions, the text on a phone. */
  readonly head?: (close: () => void) => ReactNode
  readonly onClose?: () => void
}

export interface MenuProps {
  readonly anchor: DOMRect
  readonly items: readonly (MenuItem | 'line')[]
  readonly options: MenuOptions
  readonly onClose: () => void
}

const GAP = 6
const EDGE = 8

export function Menu({ anchor, items, options, onClose }: MenuProps) {
  const phone = usePhone()
  const box = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null)
  useLayer(onClose)

  useLayoutEffect(() => {
    const el = box.current
    if (!el || phone) return
    const { offsetWidth: w, offsetHeight: h } = el
    const below = anchor.bottom + GAP
    const above = anchor.top - GAP - h
    const fitsBelow = below + h <= innerHeight - EDGE
    const top = options.side === 'above' ? (above >= (fitsBelow ? (options.edge ?? EDGE) : EDGE) ? above : below) : fitsBelow ? below : above
    const left = options.align === 'end' ? anchor.right - w : anchor.left
    setPlace({ left: clamp(left, EDGE, innerWidth - w - EDGE), top: clamp(top, EDGE, innerHeight - h - EDGE) })
  }, [anchor, options, phone])

  // Only what is visible takes the focus: once it has its place.
  const visible = phone || place !== null
  useEffect(() => {
    if (visible) box.current?.querySelector<HTMLElement>('[role^="menuitem"]:not(:disabled)')?.focus({ preventScroll: true })
  }, [visible])
  useEffect(() => {
    return () => options.onClose?.()
    // The options of an open menu do not change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])

  const key = (e: KeyboardEvent) => {
    e.stopPropagation()
    const all = [...(box.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]:not(:disabled)') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLElement)
    let to: HTMLElement | undefined
    if (e.key === 'Escape' || e.key === 'Tab') {
      e.preventDefault()
      return onClose()
    } else if (e.key === 'ArrowDown') to = all[(at + 1) % all.length]
    else if (e.key === 'ArrowUp') to = all[(at - 1 + all.length) % all.length]
    else if (e.key === 'Home') to = all[0]
    else if (e.key === 'End') to = all.at(-1)
    else if (e.key.length === 1 && e.key !== ' ' && !e.ctrlKey && !e.metaKey && !e.altKey) {
      const rest = [...all.slice(at + 1), ...all.slice(0, at + 1)]
      to = rest.find((i) => i.textContent?.toLowerCase().startsWith(e.key.toLowerCase()))
    } else return
    e.preventDefault()
    to?.focus({ preventScroll: true })
  }

  return (
    <div className={phone ? css.sheetScrim : css.clear} onPointerDown={(e) => e.target === e.currentTarget && onClose()} onContextMenu={(e) => e.preventDefault()}>
      <div ref={box} className={phone ? css.sheet : css.pop} style={phone ? undefined : place ? { left: place.left, top: place.top, justifyItems: options.align } : { visibility: 'hidden' }} onKeyDown={key}>
        {options.head?.(onClose)}
        {items.length > 0 && (
          <div className={css.menu} role="menu" aria-label={options.label}>
            {items.map((item, i) =>
              item === 'line' ? (
                <div key={i} className={css.line} role="separator" />
              ) : (
                <button
                  key={i}
                  type="button"
                  role={item.checked === undefined ? 'menuitem' : 'menuitemcheckbox'}
                  aria-checked={item.checked}
                  disabled={item.disabled}
                  tabIndex={-1}
                  className={item.danger ? css.bad : undefined}
                  onPointerMove={(e) => e.currentTarget.focus({ preventScroll: true })}
                  onClick={() => {
                    onClose()
                    item.run()
                  }}
                >
                  {item.icon && <Icon name={item.icon} />}
                  <span>
                    {item.label}
                    {item.note !== undefined && <small>{item.note}</small>}
                  </span>
                  {item.checked && <Icon name="check" />}
                  {item.hint !== undefined && <kbd aria-hidden="true">{item.hint}</kbd>}
                </button>
              ),
            )}
          </div>
        )}
      </div>
    </div>
  )
}

function clamp(n: number, low: number, high: number): number {
  return Math.max(low, Math.min(n, high))
}
