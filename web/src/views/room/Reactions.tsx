// The reactions under a bubble. Pressing one gives it or takes it back; resting on one, or holding it, shows who gave it.
import { useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { displayName, useEngine, useMe, usePerson } from '../../app/context.ts'
import type { MessageRow } from '../../engine/types.ts'
import { grouped, t } from '../../lib/messages.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { reactionChars, reactionNames, useActions } from './actions.ts'
import css from './bubble.module.css'
import menuCss from './menu.module.css'
import { useRoomId } from './room-id.ts'

/** reachable: by Tab, while its message has the focus; hundreds of stops would be none. */
export function Reactions({ row, reachable }: { readonly row: MessageRow; readonly reachable: boolean }) {
  return (
    <ul className={css.reacts} aria-label={t('room.reactions')}>
      {row.reactions.map((n, i) => n > 0 && <Reaction key={i} row={row} reaction={i + 1} n={n} reachable={reachable} />)}
    </ul>
  )
}

const restMs = 350
const holdMs = 450

function Reaction({ row, reaction, n, reachable }: { readonly row: MessageRow; readonly reaction: number; readonly n: number; readonly reachable: boolean }) {
  const actions = useActions()
  const button = useRef<HTMLButtonElement>(null)
  const [who, setWho] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const held = useRef(false)
  const later = (ms: number, run: () => void) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(run, ms)
  }
  const leave = () => {
    clearTimeout(timer.current)
    setWho(false)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <li>
      <button
        ref={button}
        type="button"
        className={css.react}
        tabIndex={reachable ? 0 : -1}
        aria-pressed={row.myReaction === reaction}
        onClick={() => {
          if (held.current) held.current = false
          else actions.react(row, reaction)
        }}
        onPointerEnter={(e) => e.pointerType === 'mouse' && later(restMs, () => setWho(true))}
        onPointerLeave={leave}
        onPointerDown={(e) => {
          held.current = false
          if (e.pointerType !== 'mouse')
            later(holdMs, () => {
              held.current = true
              setWho(true)
            })
        }}
        onFocus={(e) => e.currentTarget.matches(':focus-visible') && later(restMs, () => setWho(true))}
        onBlur={leave}
        onContextMenu={(e) => e.preventDefault()}
      >
        <span aria-hidden="true">
          {reactionChars[reaction]} <b>{grouped(n)}</b>
        </span>
        <span className="vh">{t('room.reactCount', { name: t(`room.${reactionNames[reaction - 1]!}`), n })}</span>
      </button>
      {who && button.current && createPortal(<Who row={row} reaction={reaction} n={n} anchor={button.current.getBoundingClientRect()} />, document.body)}
    </li>
  )
}

const shown = 8

function Who({ row, reaction, n, anchor }: { readonly row: MessageRow; readonly reaction: number; readonly n: number; readonly anchor: DOMRect }) {
  const engine = useEngine()
  const room = useRoomId()
  const [users, setUsers] = useState<readonly string[] | 'failed' | null>(null)
  useEffect(() => {
    let gone = false
    engine.whoReacted(room, row.seq).then(
      (all) => !gone && setUsers(all.filter((r) => r.reaction === reaction).map((r) => r.user)),
      () => !gone && setUsers('failed'),
    )
    return () => {
      gone = true
    }
  }, [engine, room, row.seq, reaction])
  const below = anchor.top < 340
  return (
    <div className={menuCss.who} style={{ ...(anchor.left > innerWidth / 2 ? { right: innerWidth - anchor.right } : { left: anchor.left }), ...(below ? { top: anchor.bottom + 6 } : { bottom: innerHeight - anchor.top + 6 }) }} role="status">
      <b>
        {reactionChars[reaction]} {t('room.whoCount', { n })}
      </b>
      {users === 'failed' && <p>{t('room.whoFailed')}</p>}
      {Array.isArray(users) && (
        <ul>
          {users.slice(0, shown).map((u) => (
            <Giver key={u} user={u} />
          ))}
          {n > Math.min(shown, users.length) && <li className={menuCss.rest}>{t('room.whoMore', { n: n - Math.min(shown, users.length) })}</li>}
        </ul>
      )}
    </div>
  )
}

function Giver({ user }: { readonly user: string }) {
  const me = useMe()
  const name = displayName(usePerson(user))
  return (
    <li>
      <Avatar user={user} size="xs" />
      <span>{user === me?.id ? t('room.me') : name}</span>
    </li>
  )
}
