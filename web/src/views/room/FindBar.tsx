// Finding in the open room. It looks at what is loaded on this device, says so, and loads further back on request.
import { type KeyboardEvent, useEffect, useRef } from 'react'
import { useEngine } from '../../app/context.ts'
import { useLayer } from '../../app/route.ts'
import type { RoomState } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { IconButton } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import css from './room.module.css'

export interface FindBarProps {
  readonly state: RoomState
  readonly query: string
  readonly hits: readonly string[]
  readonly current: string | null
  readonly onQuery: (query: string) => void
  readonly onStep: (by: 1 | -1) => void
  readonly onClose: () => void
}

export function FindBar({ state, query, hits, current, onQuery, onStep, onClose }: FindBarProps) {
  const engine = useEngine()
  const field = useRef<HTMLInputElement>(null)
  useLayer(onClose)
  useEffect(() => {
    field.current?.focus()
    field.current?.select()
  }, [])
  const key = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing || e.nativeEvent.keyCode === 229) return
    if (e.key === 'Enter') onStep(e.shiftKey ? 1 : -1)
    else if (e.key === 'ArrowUp') onStep(-1)
    else if (e.key === 'ArrowDown') onStep(1)
    else if (e.key === 'Escape') onClose()
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  const asked = query.trim() !== ''
  const none = asked && hits.length === 0
  const at = current === null ? -1 : hits.indexOf(current)
  return (
    <div className={css.find} role="search">
      <label className={css.field}>
        <Icon name="search" />
        <span className="vh">{t('room.find')}</span>
        <input ref={field} type="search" value={query} placeholder={t('room.findPlaceholder')} autoComplete="off" onChange={(e) => onQuery(e.target.value)} onKeyDown={key} />
      </label>
      <span className={css.hits} role="status">
        {asked && (none ? t('room.noHits') : t('room.hits', { n: hits.length, at: at + 1 }))}
      </span>
      <IconButton icon="chevron-up" className={css.step} label={t('room.hitBefore')} disabled={hits.length === 0} onClick={() => onStep(-1)} />
      <IconButton icon="chevron-down" className={css.step} label={t('room.hitAfter')} disabled={hits.length === 0} onClick={() => onStep(1)} />
      <IconButton icon="x" className={css.close} label={t('room.closeFind')} onClick={onClose} />
      <p>
        <span>{state.atStart && state.atEnd ? t(none ? 'room.findNone' : 'room.findAll') : t(none ? 'room.findNoneHere' : 'room.findWhere')}</span>
        {!state.atStart &&
          (state.loadingOlder ? (
            <span> · {t('room.findLoading')}</span>
          ) : (
            <>
              <span> · </span>
              <button type="button" onClick={() => engine.loadOlder(state.line.id)}>
                {t('room.findOlder')}
              </button>
            </>
          ))}
      </p>
    </div>
  )
}
