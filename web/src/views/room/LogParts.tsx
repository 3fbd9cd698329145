// The parts of the log around its rows.
import { refusalText } from '../../app/errors.ts'
import type { RoomState } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import css from './log.module.css'

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
