// The row above the composer: who is typing, or what the connection is doing. What heals by itself is said calmly, and once.
import { useEffect, useState } from 'react'
import { displayName, useEngine, usePerson, useSelect } from '../../app/context.ts'
import type { AppState, RoomState } from '../../engine/types.ts'
import { useLater } from '../../app/later.ts'
import { MOVED, several, siteName } from '../../app/sites.ts'
import { t } from '../../lib/messages.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Flame, Icon } from '../../ui/Icon.tsx'
import css from './composer.module.css'

const longMs = 10_000
const slowMs = 5000

const connectionOf = (a: AppState) => a.connection
const sinceOf = (a: AppState) => a.since
const storageOf = (a: AppState) => a.storage
const sitesOf = (a: AppState) => a.sites

export function StatusRow({ state }: { readonly state: RoomState }) {
  const engine = useEngine()
  const connection = useSelect(engine.app, connectionOf)
  const since = useSelect(engine.app, sinceOf)
  const storage = useSelect(engine.app, storageOf)
  const elsewhere = useSelect(engine.app, several)
  const { at, movedAt } = useSelect(engine.app, sitesOf)
  const reconnecting = connection === 'reconnecting'
  const long = useLater(reconnecting ? since : 0, longMs)
  const settled = useLater(movedAt, MOVED)
  const sending = useSendingSince(state)
  const slow = useLater(connection === 'online' ? sending : 0, slowMs)
  return (
    <div className={css.status}>
      {reconnecting ? (
        <div className={css.bar} role="status">
          {elsewhere ? (
            <span className={css.marks}>
              <Flame state="out" />
              <i />
              <Flame state="breath" />
            </span>
          ) : (
            <Flame state="breath" />
          )}
          <b>{long ? t('room.reconnectingLong') : elsewhere ? t('room.moving') : t('room.reconnecting')}</b>
          <small>{storage === 'ok' ? t('room.safeHere') : t('room.keepOpen')}</small>
        </div>
      ) : elsewhere && movedAt !== 0 && !settled ? (
        <div className={`${css.bar} ${css.done}`} role="status">
          <Icon name="circle-check" />
          <b>{t('room.moved', { site: siteName(at) })}</b>
          {whole(state) && <small>{t('room.movedChecked')}</small>}
        </div>
      ) : slow ? (
        <div className={css.typing} role="status">
          <span>{t('room.slow')}</span>
        </div>
      ) : (
        connection === 'online' && state.typing.length > 0 && <Typing users={state.typing} />
      )}
    </div>
  )
}

/** whole: the conversation is known to its end, and everything of this device is in it. */
function whole(state: RoomState): boolean {
  const last = state.rows.at(-1)
  const open = last?.kind === 'message' && (last.state === 'sending' || last.state === 'unknown' || last.state === 'waiting')
  return state.atEnd && !state.failed && !state.loadingNewer && !open
}

/** useSendingSince is when (local) the oldest message under way was first seen so; 0: none is. */
function useSendingSince(state: RoomState): number {
  const [since, setSince] = useState(0)
  const last = state.rows.at(-1)
  const busy = last?.kind === 'message' && (last.state === 'sending' || last.state === 'unknown')
  useEffect(() => setSince(busy ? Date.now() : 0), [busy])
  return since
}

function Typing({ users }: { readonly users: readonly string[] }) {
  const first = users[0]!
  const name = displayName(usePerson(first))
  if (name === '') return null
  return (
    <div className={css.typing} role="status">
      {users.length === 1 && <Avatar user={first} size="xs" className={css.pic ?? ''} />}
      <span>{users.length === 1 ? t('room.typingOne', { name }) : t('room.typingMany', { name, n: users.length - 1 })}</span>
      <i />
      <i />
      <i />
    </div>
  )
}
