// One row of the chat list: picture, name, marks, time, one line of preview, unread. Draws anew only when its line, the
// people in it or the day change.
import { memo, type MouseEvent, useEffect } from 'react'
import { useEngine, usePerson, useSelect } from '../../app/context.ts'
import { formatPath, slot } from '../../app/route.ts'
import type { RoomLine } from '../../engine/types.ts'
import type { Range } from '../../lib/hangul.ts'
import { listTime } from '../../lib/dates.ts'
import { grouped, t } from '../../lib/messages.ts'
import { RoomPicture } from '../../ui/Avatar.tsx'
import { Badge, Tag } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Marked } from '../people/Marked.tsx'
import css from '../people/rows.module.css'
import { preview, roomName } from './lines.ts'

export interface ChatRowProps {
  readonly id: string
  readonly line: RoomLine
  readonly marks: readonly Range[]
  readonly top: number
  readonly height: number
  readonly place: number
  readonly count: number
  readonly open: boolean
  readonly active: boolean
  /** today changes with the day: 오후 1:35 becomes 어제. */
  readonly today: number
  readonly onOpen: (id: string) => void
  readonly onMenu: (id: string, at: DOMRect) => void
}

export const ChatRow = memo(function ChatRow(p: ChatRowProps) {
  const engine = useEngine()
  const { line } = p
  const me = useSelect(engine.app, (a) => a.me?.id ?? '')
  const people = engine.people
  const name = useSelect(people, (s) => roomName(line, s.byId))
  const text = useSelect(people, (s) => preview(line, s.byId, me, p.open).text)
  const kind = useSelect(people, (s) => preview(line, s.byId, me, p.open).kind)
  const simulated = useSelect(people, (s) => line.kind === 'direct' && s.byId.get(line.peer)?.simulated === true)
  // The picture asks for the peer; who wrote or writes in a group is asked for here.
  const author = line.kind === 'group' ? (line.typing[0] ?? line.last?.author ?? '') : ''
  usePerson(author === me ? '' : author)
  const faceless = line.kind === 'group' && line.faces.length < 2
  const online = useSelect(engine.app, (a) => faceless && a.connection === 'online')
  useEffect(() => {
    if (faceless) engine.wantFaces(line.id)
  }, [engine, line.id, faceless, online])
  /** apart opens the room in a window of its own, as a link would. */
  const apart = () => void window.open(formatPath({ at: 'room', id: line.id }, slot()), '_blank', 'noopener')
  const menu = (e: MouseEvent) => {
    e.preventDefault()
    p.onMenu(line.id, new DOMRect(e.clientX, e.clientY, 0, 0))
  }
  const classes = [css.row, p.open && css.open, p.active && css.active, line.unread > 0 && css.unread]
  return (
    <div
      id={p.id}
      role="option"
      aria-selected={p.open}
      aria-posinset={p.place}
      aria-setsize={p.count}
      className={classes.filter(Boolean).join(' ')}
      style={{ top: p.top, height: p.height }}
      onClick={(e) => (e.ctrlKey || e.metaKey ? apart() : p.onOpen(line.id))}
      onMouseDown={(e) => e.button === 1 && e.preventDefault()}
      onAuxClick={(e) => e.button === 1 && apart()}
      onContextMenu={menu}
    >
      <RoomPicture line={line} />
      <span className={css.main}>
        <span className={css.top}>
          <b className={css.name}>
            <Marked text={name} marks={p.marks} />
          </b>
          {line.kind === 'group' && line.memberCount > 0 && (
            <span className={css.count}>
              <span className="vh">{t('chats.members')} </span>
              {grouped(line.memberCount)}
            </span>
          )}
          {simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
          {line.pinned && <Mark icon="pin" label={t('chats.pinned')} />}
          {line.muted && <Mark icon="bell-off" label={t('chats.muted')} />}
          {line.last !== null && <time>{listTime(line.last.time, p.today)}</time>}
        </span>
        <span className={css.sub}>
          <span className={`${css.preview} ${kind === 'typing' ? css.typing : ''}`}>
            {kind === 'draft' && <em className={css.draft}>{t('chats.draft')} </em>}
            {kind === 'failed' ? <em className={css.failed}>{text}</em> : text}
          </span>
          <Badge n={line.unread} quiet={line.muted} label={t('common.unread', { n: line.unread })} />
        </span>
      </span>
    </div>
  )
})

function Mark({ icon, label }: { readonly icon: 'pin' | 'bell-off'; readonly label: string }) {
  return (
    <>
      <Icon name={icon} className={css.tiny} />
      <span className="vh">{label}</span>
    </>
  )
}
