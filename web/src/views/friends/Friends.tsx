// The friends: oneself on top, who added me, then everybody 가나다 with an index of initials. A search marks what it finds.
import './texts.ts'
import { type MouseEvent, memo, useCallback, useId, useMemo, useRef, useState } from 'react'
import { useEngine, useMe, useSelect, useSignal } from '../../app/context.ts'
import { go } from '../../app/route.ts'
import type { Engine, Person } from '../../engine/types.ts'
import type { Range } from '../../lib/hangul.ts'
import { INDEX } from '../../lib/hangul.ts'
import { t } from '../../lib/messages.ts'
import { nfc } from '../../lib/text.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, IconButton, Tag } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { openMenu } from '../../ui/overlay.tsx'
import { nameOf } from '../chats/lines.ts'
import { openAddedMe } from '../people/AddedMe.tsx'
import { friendMenu } from '../people/actions.tsx'
import { IdBox } from '../people/IdBox.tsx'
import { openAddFriend, openMe, openProfile } from '../people/index.ts'
import { Blank, Marked, Search, Skeleton } from '../people/Marked.tsx'
import css from '../people/rows.module.css'
import { offsetsOf } from '../people/rows.ts'
import { useListBox } from '../people/useListBox.ts'
import { useRowHeight, useRows } from '../people/useRows.ts'
import own from './Friends.module.css'
import { found, type Item, sections, target } from './sections.ts'

export { FriendsRest } from './FriendsRest.tsx'

const noHeads: ReadonlyMap<string, number> = new Map()

export function Friends() {
  const engine = useEngine()
  const people = useSignal(engine.people)
  const [query, setQuery] = useState('')
  const q = nfc(query).trim()
  const box = useRef<HTMLDivElement>(null)

  const friends = useMemo(() => people.friends.flatMap((id) => people.byId.get(id) ?? []), [people.friends, people.byId])
  const all = useMemo(() => sections(friends), [friends])
  const hits = useMemo(() => (q === '' ? [] : found(friends, q)), [friends, q])
  const height = useRowHeight('friend')
  const first = hits[0]

  return (
    <div className={css.pane}>
      <header className={css.head}>
        <h1>
          {t('friends.title')}
          {friends.length > 0 && <span className={css.count}> {friends.length.toLocaleString('en-US')}</span>}
        </h1>
        <IconButton icon="user-plus" label={t('friends.add')} onClick={() => openAddFriend()} />
      </header>
      {friends.length > 0 && (
        <Search
          className={css.search}
          label={t('friends.search')}
          hint={t('friends.searchHint')}
          value={query}
          onChange={setQuery}
          onDown={() => box.current?.querySelector<HTMLElement>('[role=listbox]')?.focus()}
          onEnter={() => first && chatWith(engine, first.person.id)}
        />
      )}
      <p className={q !== '' && hits.length > 0 ? css.note : 'vh'} role="status">
        {q !== '' && hits.length > 0 ? t('friends.foundCount', { n: hits.length }) : ''}
      </p>
      <div className={own.wrap} ref={box}>
        {q === '' ? (
          !people.friendsLoaded ? (
            <Skeleton height={height} />
          ) : friends.length === 0 ? (
            <Nobody addedMe={people.addedMe} />
          ) : (
            <Rows items={all.items} heads={all.heads} addedMe={people.addedMe} />
          )
        ) : hits.length === 0 ? (
          <Blank mark="search" title={t('friends.nothingTitle', { query: q })} text={t('friends.nothingText')} action={t('friends.nothingAction')} run={() => openAddFriend(q)} />
        ) : (
          <Rows items={hits} heads={noHeads} query={q} addedMe={[]} />
        )}
      </div>
    </div>
  )
}

/** chatWith opens the 1:1 with a person; with oneself the own chat. */
function chatWith(engine: Engine, user: string): void {
  go({ at: 'room', id: engine.directRoom(user) })
}

interface RowsProps {
  readonly items: readonly Item[]
  readonly heads: ReadonlyMap<string, number>
  readonly addedMe: readonly string[]
  readonly query?: string
}

function Rows({ items, heads, addedMe, query }: RowsProps) {
  const engine = useEngine()
  const prefix = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const friend = useRowHeight('friend')
  const head = useRowHeight('head')
  const offsets = useMemo(() => offsetsOf(items.length, (i) => (items[i]!.kind === 'head' ? head : friend)), [items, friend, head])
  const rows = useRows(scroller, list, offsets)
  // The current row counts friends, the rows count headings too.
  const friends = useMemo(() => items.flatMap((item, row) => (item.kind === 'friend' ? [{ person: item.person, row }] : [])), [items])
  const ids = useMemo(() => friends.map((f) => f.person.id), [friends])
  const places = useMemo(() => new Map(friends.map((f, i) => [f.row, i + 1])), [friends])

  const onOpen = useCallback((id: string) => chatWith(engine, id), [engine])
  const onMenu = useCallback((id: string, at: DOMRect) => openFriendMenu(engine, id, at), [engine])
  const box = useListBox({
    ids,
    prefix,
    nameAt: (i) => friends[i]!.person.name,
    open: (i) => onOpen(ids[i]!),
    peek: (i) => openProfile(ids[i]!),
    menu: (i) => {
      const el = document.getElementById(prefix + ids[i]!)
      if (el) onMenu(ids[i]!, el.getBoundingClientRect())
    },
    reveal: (i) => rows.reveal(friends[i]!.row),
  })
  const activeRow = box.index < 0 ? -1 : friends[box.index]!.row

  const to = (letter: string) => {
    const row = target(heads, letter)
    const el = scroller.current
    const at = list.current
    if (row < 0 || !el || !at) return
    el.scrollTop += at.getBoundingClientRect().top - el.getBoundingClientRect().top + offsets[row]!
    const next = items.slice(row).find((i) => i.kind === 'friend')
    if (next) box.setActive(next.person.id)
  }

  const shown: number[] = []
  for (let i = rows.from; i < rows.to; i++) shown.push(i)
  if (activeRow >= 0 && (activeRow < rows.from || activeRow >= rows.to)) shown.push(activeRow)
  const searching = query !== undefined
  return (
    <>
      <div className={`${css.scroll} ${searching ? '' : own.indexed}`} ref={scroller}>
        {!searching && <Me />}
        {!searching && addedMe.length > 0 && <AddedMeRow ids={addedMe} />}
        <div {...box.props} ref={list} className={css.list} aria-label={t('friends.list')} style={{ height: offsets.at(-1) }}>
          {shown.map((i) => {
            const item = items[i]
            if (!item) return null
            if (item.kind === 'head') {
              return (
                <div key={`#${item.letter}`} className={css.letter} role="presentation" aria-hidden="true" style={{ top: offsets[i], height: head }}>
                  {item.letter}
                </div>
              )
            }
            return (
              <FriendRow
                key={item.person.id}
                id={prefix + item.person.id}
                person={item.person}
                marks={item.marks}
                top={offsets[i]!}
                height={friend}
                place={places.get(i) ?? 0}
                count={ids.length}
                active={i === activeRow}
                chosen={searching && activeRow < 0 && i === 0}
                ring={i === activeRow && box.ring}
                onOpen={onOpen}
                onMenu={onMenu}
              />
            )
          })}
        </div>
      </div>
      {searching && (
        <button type="button" className={`${css.wide} ${css.offer}`} onClick={() => openAddFriend(query)}>
          <Icon name="user-plus" />
          <span>
            <b>{t('friends.moreTitle')}</b>
            <small>{t('friends.moreText')}</small>
          </span>
          <Icon name="chevron-right" />
        </button>
      )}
      {!searching && (
        <nav className={own.index} aria-label={t('friends.index')}>
          {INDEX.map((letter) => (
            <button key={letter} type="button" className={heads.has(letter) ? undefined : own.off} aria-label={t('friends.indexTo', { letter })} onClick={() => to(letter)}>
              {letter}
            </button>
          ))}
        </nav>
      )}
    </>
  )
}

function openFriendMenu(engine: Engine, id: string, at: DOMRect): void {
  const person = engine.people.get().byId.get(id)
  if (person) openMenu(at, friendMenu(engine, person, { chat: () => chatWith(engine, id), profile: () => openProfile(id) }), { label: nameOf(person) })
}

interface FriendRowProps {
  readonly id: string
  readonly person: Person
  readonly marks: readonly Range[]
  readonly top: number
  readonly height: number
  readonly place: number
  readonly count: number
  readonly active: boolean
  /** chosen is what Enter in the search field opens. */
  readonly chosen: boolean
  readonly ring: boolean
  readonly onOpen: (id: string) => void
  readonly onMenu: (id: string, at: DOMRect) => void
}

// A press on the row talks, one on the picture looks; Enter and Space do the same.
const FriendRow = memo(function FriendRow({ id, person, marks, top, height, place, count, active, chosen, ring, onOpen, onMenu }: FriendRowProps) {
  const menu = (e: MouseEvent) => {
    e.preventDefault()
    onMenu(person.id, new DOMRect(e.clientX, e.clientY, 0, 0))
  }
  const look = (e: MouseEvent) => {
    e.stopPropagation()
    openProfile(person.id)
  }
  return (
    <div
      id={id}
      role="option"
      aria-selected={active}
      aria-posinset={place}
      aria-setsize={count}
      className={`${css.row} ${ring ? css.active : ''} ${chosen ? css.open : ''}`}
      style={{ top, height }}
      onClick={() => onOpen(person.id)}
      onContextMenu={menu}
    >
      <span className={own.pic} onClick={look}>
        <Avatar user={person.id} />
      </span>
      <span className={css.main}>
        <span className={css.top}>
          <b className={css.name}>
            <Marked text={nameOf(person)} marks={marks} />
          </b>
          {person.simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
        </span>
        {person.status !== '' && (
          <span className={`${css.sub} ${css.flat}`}>
            <span className={css.preview}>{person.status}</span>
          </span>
        )}
      </span>
    </div>
  )
})

function Me() {
  const me = useMe()
  if (!me) return null
  return (
    <div className={own.me}>
      <button type="button" onClick={() => openProfile(me.id)}>
        <Avatar user={me.id} />
        <span className={css.main}>
          <span className={css.top}>
            <b className={css.name}>{me.name}</b>
            <Tag>{t('friends.me')}</Tag>
          </span>
          {me.status !== '' && <span className={css.preview}>{me.status}</span>}
        </span>
      </button>
      <IconButton icon="pencil" label={t('friends.edit')} onClick={() => openMe()} />
    </div>
  )
}

function AddedMeRow({ ids }: { readonly ids: readonly string[] }) {
  const engine = useEngine()
  const a = useSelect(engine.people, (p) => nameOf(p.byId.get(ids[0] ?? '')))
  const b = useSelect(engine.people, (p) => nameOf(p.byId.get(ids[1] ?? '')))
  const names = a === '' ? t('friends.someone') : ids.length === 1 ? t('friends.one', { name: a }) : b === '' ? t('friends.someone') : ids.length === 2 ? t('friends.two', { a, b }) : t('friends.many', { a, b, n: ids.length - 2 })
  return (
    <button type="button" className={`${css.wide} ${own.added}`} onClick={openAddedMe}>
      <span className={own.duo} aria-hidden="true">
        <Avatar user={ids[0]!} />
        {ids[1] !== undefined && <Avatar user={ids[1]} />}
      </span>
      <span>
        <b>{t('friends.addedMe', { n: ids.length })}</b>
        <small>{names}</small>
      </span>
      <Icon name="chevron-right" />
    </button>
  )
}

function Nobody({ addedMe }: { readonly addedMe: readonly string[] }) {
  return (
    <div className={css.scroll}>
      <Me />
      {addedMe.length > 0 && <AddedMeRow ids={addedMe} />}
      <div className={`${css.blank} ${own.blank}`}>
        <h2>{t('friends.emptyTitle')}</h2>
        <p>{t('friends.emptyText')}</p>
        <Button kind="primary" onClick={() => openAddFriend()}>
          {t('friends.emptyAction')}
        </Button>
        <IdBox />
      </div>
    </div>
  )
}
