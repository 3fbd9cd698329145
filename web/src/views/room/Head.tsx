// The head of a room: who it is with, who is there, search and information. The phone leads back from here.
import { useEffect } from 'react'
import { displayName, useEngine, usePerson, useSelect } from '../../app/context.ts'
import { toggleInfo, useInfoOpen, usePhone } from '../../app/layout.ts'
import { back } from '../../app/route.ts'
import type { AppState, RoomState } from '../../engine/types.ts'
import { grouped, t } from '../../lib/messages.ts'
import { RoomPicture } from '../../ui/Avatar.tsx'
import { IconButton } from '../../ui/Button.tsx'
import css from './room.module.css'

const onlineOf = (a: AppState) => a.connection === 'online'

export function Head({ state, title, onFind }: { readonly state: RoomState; readonly title: string; readonly onFind: () => void }) {
  const { line } = state
  const phone = usePhone()
  const open = useInfoOpen()
  const Title = phone ? 'h1' : 'h2'
  const about = usePresence(state)
  return (
    <header className={css.head}>
      <IconButton icon="chevron-left" label={t('room.toChats')} className={css.back} onClick={back} />
      <RoomPicture line={line} size="s" className={css.pic ?? ''} />
      <div className={css.id}>
        <Title>
          <bdi>{title}</bdi>
          {line.kind === 'group' && line.memberCount > 0 && (
            <span className={css.count}>
              <span className="vh">{t('room.members')} </span>
              {grouped(line.memberCount)}
            </span>
          )}
        </Title>
        {about !== '' && <p>{about}</p>}
      </div>
      <div className={css.acts}>
        <IconButton icon="search" label={t('room.findHere')} className={css.findButton} onClick={onFind} />
        <IconButton icon="menu" label={t('room.info')} aria-expanded={open} onClick={toggleInfo} />
      </div>
    </header>
  )
}

/** usePresence is the line under the title. While nothing is known of others, it says so. */
function usePresence(state: RoomState): string {
  const engine = useEngine()
  const { line } = state
  const connected = useSelect(engine.app, onlineOf)
  const peer = usePerson(line.kind === 'direct' ? line.peer : '')
  const here = useSelect(engine.people, (p) => line.kind === 'direct' && p.online.has(line.peer))
  useEffect(() => {
    if (line.kind === 'direct') engine.wantPresence([line.peer])
  }, [engine, line.kind, line.peer])
  if (line.kind === 'self') return t('room.selfHint')
  if (line.left || peer?.closed) return ''
  if (line.blocked) return t('room.blockedLine')
  if (peer?.simulated) return t('room.simLine')
  if (!connected) return t('room.onlineUnknown')
  if (line.kind === 'direct') return here || (state.online?.users.includes(line.peer) ?? false) ? t('room.online') : displayName(peer) === '' ? '' : (peer?.status ?? '')
  return state.online === null || state.online.count === 0 ? '' : t('room.onlineCount', { n: state.online.count })
}
