// A name with what was found in it marked, and other small pieces that lists share.
import type { ReactNode } from 'react'
import type { Range } from '../../lib/hangul.ts'
import { t } from '../../lib/messages.ts'
import { Field } from '../../ui/Field.tsx'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import css from './rows.module.css'

export function Marked({ text, marks }: { readonly text: string; readonly marks: readonly Range[] }) {
  if (marks.length === 0) return text
  const out: ReactNode[] = []
  let at = 0
  for (const [start, end] of marks) {
    if (start > at) out.push(text.slice(at, start))
    out.push(<mark key={start}>{text.slice(start, end)}</mark>)
    at = end
  }
  if (at < text.length) out.push(text.slice(at))
  return out
}

export interface SearchProps {
  readonly label: string
  readonly hint: string
  readonly value: string
  readonly onChange: (query: string) => void
  /** onDown: the arrow down leads into the list. */
  readonly onDown?: () => void
  readonly onEnter?: () => void
  /** onEscape of an empty field. */
  readonly onEscape?: () => void
  readonly autoFocus?: boolean
  readonly className?: string | undefined
}

/** Search is the quiet field above a list. Esc clears it. */
export function Search({ label, hint, value, onChange, onDown, onEnter, onEscape, autoFocus, className }: SearchProps) {
  return (
    <Field
      label={label}
      hideLabel
      kind="search"
      type="search"
      icon="search"
      placeholder={hint}
      value={value}
      autoComplete="off"
      spellCheck={false}
      enterKeyHint="search"
      className={className}
      {...(autoFocus ? { autoFocus } : {})}
      onChange={(e) => onChange(e.target.value)}
      onKeyDown={(e) => {
        if (e.nativeEvent.isComposing) return
        if (e.key === 'ArrowDown' && onDown) {
          e.preventDefault()
          onDown()
        } else if (e.key === 'Enter' && onEnter) {
          e.preventDefault()
          onEnter()
        } else if (e.key === 'Escape' && (value !== '' || onEscape)) {
          e.preventDefault()
          e.stopPropagation()
          if (value !== '') onChange('')
          else onEscape?.()
        }
      }}
      trailing={value !== '' && <IconButton icon="x" size="s" label={t('common.clear')} onClick={() => onChange('')} />}
    />
  )
}

export interface BlankProps {
  /** mark stands above; without one the block begins higher up. */
  readonly mark?: 'search' | 'check'
  readonly title: string
  readonly text: string
  readonly action?: string
  readonly run?: () => void
  /** children are further ways, instead of the one. */
  readonly children?: ReactNode
}

/** Blank is an empty state: what it is and what to do next. */
export function Blank({ mark, title, text, action, run, children }: BlankProps) {
  return (
    <div className={mark ? css.blank : `${css.blank} ${css.high}`}>
      {mark && (
        <span className={css.mark}>
          <Icon name={mark} />
        </span>
      )}
      <h2>{title}</h2>
      <p>{text}</p>
      {action !== undefined && (
        <Button kind="primary" onClick={run}>
          {action}
        </Button>
      )}
      {children}
    </div>
  )
}

/** Skeleton is the shape of rows to come; shown only while nothing is known. */
export function Skeleton({ height }: { readonly height: number }) {
  return (
    <ul className={css.skeleton} aria-hidden="true">
      {Array.from({ length: 9 }, (_, i) => (
        <li key={i} style={{ height }}>
          <i />
          <span>
            <i />
            <i />
          </span>
        </li>
      ))}
    </ul>
  )
}
