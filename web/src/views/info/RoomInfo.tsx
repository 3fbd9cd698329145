// What there is to know and to set about a room. One component in four places: beside the room from the start on very wide
// windows, beside it while open on wide ones, over it with a veil on narrower ones, a page of its own on a phone. It fills
// the place the shell gives it.
import './texts.ts'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { useEngine, useSelect, useSignal } from '../../app/context.ts'
import { findInRoom } from '../../app/finder.ts'
import { layout, usePhone } from '../../app/layout.ts'
import type { RoomLine, RoomState } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { RoomPicture } from '../../ui/Avatar.tsx'
import { Button, IconButton, Tag } from '../../ui/Button.tsx'
import { Switch } from '../../ui/Field.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { leaveRoom } from '../chats/actions.tsx'
import { roomName } from '../chats/lines.ts'
import { attempt, blockPerson, unblockPerson } from '../people/actions.tsx'
import { openNewGroup, openProfile } from '../people/index.ts'
import css from './RoomInfo.module.css'
import { Members } from './Members.tsx'
import { Title } from './Title.tsx'

export function RoomInfo({ room, onClose }: { readonly room: string; readonly onClose: () => void }) {
  const engine = useEngine()
  const state = useSignal(engine.room(room))
  const phone = usePhone()
  const box = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLDivElement>(null)

  // Opened by a press, it takes the focus and gives it back; where it stands from the start it takes nothing.
  useEffect(() => {
    if (layout() === 'wide') return
    const el = box.current
    const origin = document.activeElement
    el?.focus({ preventScroll: true })
    return () => {
      if (origin instanceof HTMLElement && origin.isConnected && (document.activeElement === document.body || el?.contains(document.activeElement))) origin.focus({ preventScroll: true })
    }
  }, [])

  const key = (e: KeyboardEvent) => {
    // Where it stands from the start it is not in the way: Esc is the room's.
    if (e.key !== 'Escape' || e.defaultPrevented || e.nativeEvent.isComposing || layout() === 'wide') return
    e.preventDefault()
    e.stopPropagation()
    onClose()
  }
  // The room can take the focus once this is away.
  const find = () => {
    addEventListener('popstate', () => findInRoom()?.(''), { once: true })
    onClose()
  }
  const Heading = phone ? 'h1' : 'h2'
  return (
    <div ref={box} className={css.info} tabIndex={-1} onKeyDown={key}>
      <header>
        <Heading>{t('info.title')}</Heading>
        <IconButton icon="x" label={t('info.close')} onClick={onClose} />
      </header>
      {state === null ? (
        <p className={css.gone}>{t('info.leftAlready')}</p>
      ) : (
        <>
          <div ref={body} className={css.body} tabIndex={0} role="group" aria-label={t('info.body')}>
            <Top state={state} />
            <Switches key={room} line={state.line} />
            <button type="button" className={`${css.act} ${css.find}`} onClick={find}>
              <span>
                <Icon name="search" />
              </span>
              {t('room.findHere')}
            </button>
            {state.line.kind === 'direct' && <Peer line={state.line} />}
            {state.line.kind === 'group' && <Members key={room} state={state} scroller={body} />}
          </div>
          {!state.line.left && (
            <footer>
              <Button kind="danger" icon="log-out" block onClick={() => void leaveRoom(engine, state.line)}>
                {t('info.leave')}
              </Button>
            </footer>
          )}
        </>
      )}
    </div>
  )
}

function Top({ state }: { readonly state: RoomState }) {
  const engine = useEngine()
  const { line, online } = state
  const name = useSelect(engine.people, (p) => roomName(line, p.byId))
  const peer = useSelect(engine.people, (p) => (line.kind === 'direct' ? p.byId.get(line.peer) : undefined))
  const here = useSelect(engine.people, (p) => line.kind === 'direct' && p.online.has(line.peer))
  useEffect(() => {
    if (line.kind === 'direct') engine.wantPresence([line.peer])
  }, [engine, line.kind, line.peer])

  const about = line.kind === 'self' ? t('info.self') : t(line.kind === 'group' ? 'info.group' : 'info.direct')
  const now = line.kind === 'group' ? (online !== null && online.count > 0 ? t('info.onlineCount', { n: online.count }) : '') : line.kind === 'direct' && (here || online?.users.includes(line.peer)) ? t('info.onlineNow') : ''
  return (
    <div className={css.top}>
      <RoomPicture line={line} size="l" className={css.pic ?? ''} />
      {line.kind === 'group' && !line.left && !line.provisional ? (
        <Title key={line.id} room={line.id} title={line.title} name={name} />
      ) : (
        <p className={css.name}>
          <b>{name}</b>
          {peer?.simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
        </p>
      )}
      <small>{now === '' ? about : `${about} · ${now}`}</small>
    </div>
  )
}

function Switches({ line }: { readonly line: RoomLine }) {
  const engine = useEngine()
  if (line.left || line.provisional) return null
  return (
    <ul className={css.switches}>
      {line.kind !== 'self' && <Setting icon="bell-off" label={t('info.mute')} on={line.muted} set={(on) => engine.mute(line.id, on)} />}
      <Setting icon="pin" label={t('info.pin')} on={line.pinned} set={(on) => engine.pin(line.id, on)} />
    </ul>
  )
}

// A switch shows the wish at once; refused, it falls back and says why.
function Setting({ icon, label, on, set }: { readonly icon: IconName; readonly label: string; readonly on: boolean; readonly set: (on: boolean) => Promise<void> }) {
  const [wish, setWish] = useState<boolean | null>(null)
  const change = (next: boolean) => {
    setWish(next)
    void attempt(label, set(next)).then(() => setWish(null))
  }
  return (
    <li>
      <Icon name={icon} />
      <span>{label}</span>
      <Switch label={label} checked={wish ?? on} onChange={change} />
    </li>
  )
}

function Peer({ line }: { readonly line: RoomLine }) {
  const engine = useEngine()
  const peer = useSelect(engine.people, (p) => p.byId.get(line.peer))
  const blocked = useSelect(engine.people, (p) => p.blocked.includes(line.peer)) || line.blocked
  if (!peer || peer.closed) return null
  return (
    <section className={css.section}>
      <button type="button" className={css.act} onClick={() => openProfile(peer.id)}>
        <span>
          <Icon name="user-round" />
        </span>
        {t('info.profile')}
      </button>
      {!blocked && (
        <button type="button" className={css.act} onClick={() => openNewGroup([peer.id])}>
          <span>
            <Icon name="users-round" />
          </span>
          {t('info.groupWith')}
        </button>
      )}
      <button type="button" className={`${css.act} ${blocked ? '' : css.bad}`} onClick={() => void (blocked ? unblockPerson(engine, peer) : blockPerson(engine, peer))}>
        <span>
          <Icon name="ban" />
        </span>
        {t(blocked ? 'info.unblock' : 'info.block')}
      </button>
    </section>
  )
}
