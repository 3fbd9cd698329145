// The parts of the log around its rows.
import type { ReactNode } from 'react'
import { displayName, usePerson } from '../../app/context.ts'
import { refusalText } from '../../app/errors.ts'
import type { MessageRow, RoomState } from '../../engine/types.ts'
import { timeOf } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import rowCss from './bubble.module.css'
import css from './log.module.css'

/** Group is one sender within one minute, as far as it is drawn. top takes it out of the flow. */
export function Group({ row, top, children }: { readonly row: MessageRow; readonly top?: number; readonly children: ReactNode }) {
  const name = displayName(usePerson(row.author))
  return (
    <article aria-label={t('room.articleName', { name: row.own ? t('room.me') : name, time: timeOf(row.time) })} {...(top === undefined ? {} : { className: rowCss.away, style: { top } })}>
      {children}
    </article>
  )
}

/** LogTop stands above the first row: what is being loaded, or that nothing came before. */
export function LogTop({ state, retry }: { readonly state: RoomState; readonly retry: () => void }) {
  return (
    <div className={css.top}>
      {!state.atStart && <div className={css.state}>{state.failed ? <LoadFailed state={state} retry={retry} /> : state.loadingOlder && t('room.loadingOlder')}</div>}
      {state.atStart && state.atEnd && state.rows.length === 0 && <p className={css.empty}>{t('room.empty')}</p>}
    </div>
  )
}

export function LoadFailed({ state, retry }: { readonly state: RoomState; readonly retry: () => void }) {
  return (
    <>
      <span>{t('room.loadFailed', { why: state.failed ? refusalText(state.failed) : '' })}</span>
      <button type="button" onClick={retry}>
        {t('room.tryAgain')}
      </button>
    </>
  )
}
