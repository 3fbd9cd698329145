// The menu of a message: reactions above, then what can be done, in the same order in the menu and in the phone's sheet.
import { type KeyboardEvent, useEffect, useRef } from 'react'
import type { MessageRow } from '../../engine/types.ts'
import { now } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import type { MenuItem } from '../../ui/Menu.tsx'
import { openMenu } from '../../ui/overlay.tsx'
import { type RoomActions, can, reactionChars, reactionNames } from './actions.ts'
import css from './menu.module.css'
import { oneLine } from './MessageLine.tsx'

export interface MessageMenuOptions {
  readonly row: MessageRow
  readonly bubble: Element
  readonly what: 'menu' | 'react'
  readonly actions: RoomActions
  /** closedRoom: nothing can be sent here any more. */
  readonly closedRoom: boolean
  readonly onClose: () => void
}

export function openMessageMenu({ row, bubble, what, actions, closedRoom, onClose }: MessageMenuOptions): () => void {
  const may = can(row, now())
  const items: MenuItem[] = []
  if (what === 'menu') {
    if (may.reply && !closedRoom) items.push({ label: t('room.reply'), icon: 'reply', hint: 'R', run: () => actions.reply(row) })
    if (row.state === 'refused' && row.refusal?.reason !== 'cannot_receive') items.push({ label: t('room.resend'), icon: 'rotate-cw', run: () => actions.resend(row) })
    items.push({ label: t('room.copy'), icon: 'copy', hint: 'C', run: () => actions.copy(row) })
    if (may.change && !closedRoom) items.push({ label: t('room.edit'), icon: 'pencil', run: () => actions.edit(row) })
    if (may.change && row.state === 'sent' && !closedRoom) items.push({ label: t('room.remove'), note: t('room.removeNote'), icon: 'trash-2', danger: true, run: () => actions.remove(row) })
    if (may.stop) items.push({ label: t('room.giveUp'), note: t('room.giveUpNote'), icon: 'x', run: () => actions.giveUp(row) })
    if (row.state === 'refused') items.push({ label: t('room.discard'), icon: 'trash-2', danger: true, run: () => actions.discard(row) })
  }
  const reacts = may.react && !closedRoom
  if (items.length === 0 && !reacts) return onClose
  return openMenu(bubble, items, {
    label: t('room.messageMenu'),
    side: 'above',
    edge: bubble.closest('[role=log]')?.getBoundingClientRect().top,
    align: row.own ? 'end' : 'start',
    onClose,
    head: (close) => (
      <>
        <p className={css.says}>{oneLine(row.text)}</p>
        {reacts && <Six row={row} own={row.own} take={what === 'react'} actions={actions} close={close} />}
      </>
    ),
  })
}

/** Six are the reactions; arrows move among them. take: they take the focus, else the first item of the menu keeps it. */
function Six({ row, own, take, actions, close }: { readonly row: MessageRow; readonly own: boolean; readonly take: boolean; readonly actions: RoomActions; readonly close: () => void }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // The menu focuses its first item in the same turn; the last word is said after it.
    queueMicrotask(() => {
      const el = box.current
      const chosen = el?.querySelector<HTMLElement>('[aria-checked="true"]') ?? el?.querySelector<HTMLElement>('button')
      const item = el?.parentElement?.querySelector<HTMLElement>('[role="menuitem"]')
      ;(take || !item ? chosen : item)?.focus({ preventScroll: true })
    })
  }, [take])
  const key = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0
    if (by === 0) return
    const all = [...(box.current?.querySelectorAll<HTMLElement>('button') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLElement)
    all[(at + by + all.length) % all.length]?.focus()
    e.preventDefault()
    e.stopPropagation()
  }
  return (
    <div ref={box} className={own ? `${css.six} ${css.end}` : css.six} role="menu" aria-orientation="horizontal" aria-label={t('room.reactions')} onKeyDown={key}>
      {reactionNames.map((name, i) => (
        <button
          key={name}
          type="button"
          role="menuitemradio"
          tabIndex={-1}
          aria-label={t(`room.${name}`)}
          aria-checked={row.myReaction === i + 1}
          title={t(`room.${name}`)}
          onClick={() => {
            close()
            actions.react(row, i + 1)
          }}
        >
          {reactionChars[i + 1]}
        </button>
      ))}
    </div>
  )
}
