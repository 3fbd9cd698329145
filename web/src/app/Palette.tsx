// Find anything (Ctrl/⌘ K): rooms, friends, things to do; the last row searches the open room.
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react'
import type { Range } from '../lib/hangul.ts'
import { t } from '../lib/messages.ts'
import { Avatar, RoomPicture } from '../ui/Avatar.tsx'
import { IconButton } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Icon, type IconName } from '../ui/Icon.tsx'
import { openDialog } from '../ui/overlay.tsx'
import { openAddFriend, openMe, openNewGroup, openProfile } from '../views/people/index.ts'
import { useEngine, useMe, useSignal } from './context.ts'
import { findInRoom } from './finder.ts'
import { openKeys } from './lazy.tsx'
import { type Entry, find } from './palette.ts'
import css from './Palette.module.css'
import { go } from './route.ts'

/** openPalette shows it. */
export function openPalette(): void {
  openDialog((close) => <Palette onClose={close} />)
}

interface Act {
  readonly name: string
  readonly icon: IconName
  readonly run: () => void
}

function acts(): readonly Act[] {
  return [
    { name: t('shell.actAddFriend'), icon: 'user-plus', run: () => openAddFriend() },
    { name: t('shell.actNewGroup'), icon: 'message-square-plus', run: () => openNewGroup() },
    { name: t('shell.actMe'), icon: 'pencil', run: () => openMe() },
    { name: t('shell.actScreen'), icon: 'sun-moon', run: () => go({ at: 'more', page: 'screen' }) },
    { name: t('shell.actDevices'), icon: 'monitor', run: () => go({ at: 'more', page: 'devices' }) },
    { name: t('shell.actKeys'), icon: 'keyboard', run: () => openKeys() },
  ]
}

type Row = Entry | { readonly kind: 'inRoom' }

function Palette({ onClose }: { readonly onClose: () => void }) {
  const engine = useEngine()
  const me = useMe()
  const people = useSignal(engine.people)
  const { lines } = useSignal(engine.rooms)
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const id = useId()
  const list = useRef<HTMLUListElement>(null)
  const todo = useMemo(acts, [])
  const inRoom = useMemo(findInRoom, [])
  const found = useMemo(() => find(query, lines, people, todo.map((a) => a.name)), [query, lines, people, todo])
  const q = query.trim()
  const here: readonly Row[] = inRoom && q !== '' ? [{ kind: 'inRoom' }] : []
  const rows: readonly Row[] = [...found.rooms, ...found.people, ...found.acts, ...here]
  const chosen = Math.min(at, rows.length - 1)

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [chosen])

  const open = (row: Row | undefined) => {
    if (!row) return
    onClose()
    if (row.kind === 'room') go({ at: 'room', id: row.line.id })
    else if (row.kind === 'person') go({ at: 'room', id: engine.directRoom(row.id) })
    else if (row.kind === 'act') todo[row.act]?.run()
    else inRoom?.(q)
  }
  const key = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return
    const row = rows[chosen]
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      const n = rows.length
      if (n > 0) setAt((chosen + (e.key === 'ArrowDown' ? 1 : n - 1)) % n)
    } else if (e.key === 'Enter') open(row)
    else if (e.key === 'Tab' && !e.shiftKey && row && profileOf(row, me?.id)) {
      e.stopPropagation()
      onClose()
      openProfile(profileOf(row, me?.id)!)
    } else return
    e.preventDefault()
  }

  const group = (title: string, entries: readonly Row[], first: number): ReactNode =>
    entries.length > 0 && (
      <li role="presentation">
        <ul role="group" aria-label={title}>
          <li role="presentation" className={css.heading}>
            {title}
          </li>
          {entries.map((row, i) => (
            <Option key={i} row={row} id={`${id}-${first + i}`} selected={first + i === chosen} query={q} todo={todo} onOpen={() => open(row)} onPoint={() => setAt(first + i)} />
          ))}
        </ul>
      </li>
    )

  return (
    <Dialog title={t('shell.palette')} bare place="top" className={css.palette ?? ''} onClose={onClose}>
      <div className={css.in}>
        <Icon name="search" />
        <input
          type="text"
          value={query}
          autoFocus
          data-autofocus
          onChange={(e) => {
            setQuery(e.target.value)
            setAt(0)
          }}
          onKeyDown={key}
          role="combobox"
          aria-label={t('shell.paletteField')}
          placeholder={t('shell.paletteField')}
          aria-expanded={rows.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={rows.length > 0 ? `${id}-${chosen}` : undefined}
          autoComplete="off"
          spellCheck={false}
        />
        <kbd aria-hidden="true">Esc</kbd>
        <IconButton icon="x" size="s" label={t('common.close')} className={css.close} onClick={onClose} />
      </div>
      <ul ref={list} id={`${id}-list`} className={css.list} role="listbox" aria-label={t('shell.paletteList')}>
        {group(q === '' ? t('shell.paletteRecent') : t('shell.paletteRooms'), found.rooms, 0)}
        {group(t('shell.paletteFriends'), found.people, found.rooms.length)}
        {group(t('shell.paletteActs'), found.acts, found.rooms.length + found.people.length)}
        {group(t('shell.paletteHere'), here, found.rooms.length + found.people.length + found.acts.length)}
      </ul>
      {rows.length === here.length && q !== '' && <p className={css.nothing}>{t('shell.paletteNothing', { query: q })}</p>}
      <p className="vh" role="status">
        {q === '' ? '' : t('shell.paletteFound', { n: rows.length - here.length })}
      </p>
      <footer className={css.foot}>
        <span>
          <kbd>↑</kbd>
          <kbd>↓</kbd> {t('shell.palettePick')}
        </span>
        <span>
          <kbd>Enter</kbd> {t('shell.paletteOpen')}
        </span>
        <span>
          <kbd>Tab</kbd> {t('shell.paletteProfile')}
        </span>
      </footer>
    </Dialog>
  )
}

// profileOf is whose profile Tab shows: a friend's, or the peer's of a 1:1.
function profileOf(row: Row, me: string | undefined): string | null {
  if (row.kind === 'person') return row.id
  if (row.kind === 'room' && row.line.kind === 'direct' && row.line.peer !== me) return row.line.peer
  return null
}

interface OptionProps {
  readonly row: Row
  readonly id: string
  readonly selected: boolean
  readonly query: string
  readonly todo: readonly Act[]
  readonly onOpen: () => void
  readonly onPoint: () => void
}

function Option({ row, id, selected, query, todo, onOpen, onPoint }: OptionProps) {
  return (
    <li id={id} role="option" aria-selected={selected} className={css.option} onClick={onOpen} onPointerMove={onPoint}>
      {row.kind === 'room' ? <RoomPicture line={row.line} size="s" /> : row.kind === 'person' ? <Avatar user={row.id} size="s" /> : <span className={css.pic}><Icon name={row.kind === 'act' ? todo[row.act]!.icon : 'search'} /></span>}
      <span className={css.text}>
        <b>{row.kind === 'inRoom' ? t('shell.paletteInRoom', { query }) : marked(row.name, row.marks)}</b>
        {row.kind === 'room' && <RoomNote row={row} />}
        {row.kind === 'person' && <small>{row.handle}</small>}
      </span>
      {row.kind === 'inRoom' && !selected ? <kbd aria-hidden="true">/</kbd> : selected && <kbd aria-hidden="true">Enter</kbd>}
    </li>
  )
}

function RoomNote({ row }: { readonly row: Entry & { readonly kind: 'room' } }) {
  const me = useMe()
  const { line } = row
  const last = line.last && !line.last.deleted ? (line.kind === 'group' && line.last.author === me?.id ? `${t('shell.you')}: ${line.last.text}` : line.last.text) : ''
  const note = [line.kind === 'group' ? t('shell.members', { n: line.memberCount }) : '', last].filter((s) => s !== '').join(' · ')
  return note === '' ? null : <small>{note}</small>
}

function marked(name: string, marks: readonly Range[]): ReactNode {
  const out: ReactNode[] = []
  let from = 0
  for (const [start, end] of marks) {
    out.push(name.slice(from, start), <mark key={start}>{name.slice(start, end)}</mark>)
    from = end
  }
  out.push(name.slice(from))
  return out
}
