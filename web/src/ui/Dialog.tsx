// Dialog: a card in the middle of a desktop, a sheet from below on a phone with its buttons at the foot. Its title is the
// question, its button the answer. The focus stays inside while it is open; what is below is inert.
import { type ReactNode, type KeyboardEvent, type MouseEvent, type PointerEvent, useEffect, useId, useRef } from 'react'
import { useLayer } from '../app/route.ts'
import { t } from '../lib/messages.ts'
import { IconButton } from './Button.tsx'
import css from './Dialog.module.css'
import { Icon } from './Icon.tsx'
import { useTop } from './overlay.tsx'

export interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children?: ReactNode
  /** footer holds the buttons; the last one is the answer. */
  readonly footer?: ReactNode
  /** danger marks a dialog that loses something: no close button in the head, the mark above the title. */
  readonly danger?: boolean
  readonly size?: 'm' | 'wide' | 'tall' | 'narrow'
  /** bare leaves out head and padding; the content brings them, and its own element with the title's id is not needed. */
  readonly bare?: boolean
  readonly className?: string | undefined
  /** place top is the palette's. */
  readonly place?: 'middle' | 'top'
}

export function Dialog({ title, onClose, children, footer, danger, size = 'm', bare, className, place = 'middle' }: DialogProps) {
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const top = useTop()
  useLayer(onClose)

  useEffect(() => {
    const el = box.current
    if (!el || el.contains(document.activeElement)) return
    const first = el.querySelector<HTMLElement>('[data-autofocus]') ?? el
    first.focus({ preventScroll: true })
  }, [])

  // A press that began in the card and ended outside (a selection) does not close it.
  const pressed = useRef(false)
  const press = (e: PointerEvent) => {
    pressed.current = e.target === e.currentTarget
  }
  const release = (e: MouseEvent) => {
    if (pressed.current && e.target === e.currentTarget && !danger) onClose()
  }
  const key = (e: KeyboardEvent) => {
    e.stopPropagation()
    if (!top) return
    if (e.key === 'Escape' && !e.nativeEvent.isComposing) {
      e.preventDefault()
      onClose()
    } else if (e.key === 'Tab') {
      keepIn(e, box.current)
    }
  }
  const classes = [css.dialog, css[size], bare && css.bare, className]
  return (
    <div className={`${css.scrim} ${place === 'top' ? css.top : css.sheet}`} onPointerDown={press} onClick={release} onKeyDown={key} inert={!top}>
      <div ref={box} className={classes.filter(Boolean).join(' ')} role={danger ? 'alertdialog' : 'dialog'} aria-modal="true" tabIndex={-1} {...(bare ? { 'aria-label': title } : { 'aria-labelledby': id })}>
        {!bare &&
          (danger ? (
            <h2 id={id}>{title}</h2>
          ) : (
            <header className={css.head}>
              <h2 id={id}>{title}</h2>
              <IconButton icon="x" size="s" label={t('common.close')} onClick={onClose} />
            </header>
          ))}
        {children}
        {footer && <footer>{footer}</footer>}
      </div>
    </div>
  )
}

/** Warn is the box that says what is lost. */
export function Warn({ children }: { readonly children: ReactNode }) {
  return (
    <div className={css.warn}>
      <Icon name="triangle-alert" />
      <div>{children}</div>
    </div>
  )
}

/** Points are the rest of what a question says. */
export function Points({ of }: { readonly of: readonly string[] }) {
  return (
    <ul className={css.points}>
      {of.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  )
}

const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), select:not(:disabled), [tabindex]:not([tabindex="-1"])'

function keepIn(e: KeyboardEvent, el: HTMLElement | null): void {
  if (!el) return
  const all = [...el.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((f) => f.tabIndex >= 0 && f.getClientRects().length > 0)
  const first = all[0]
  const last = all.at(-1)
  if (!first || !last) return e.preventDefault()
  const now = document.activeElement
  if (e.shiftKey ? now === first || now === el : now === last) {
    e.preventDefault()
    ;(e.shiftKey ? last : first).focus()
  }
}
