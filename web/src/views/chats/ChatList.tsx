// The list of chats: newest first, pinned ones on top, of any length. Filtered by unread, or by name and 초성.
import { useCallback, useEffect, useId, useMemo, useRef, useState } from 'react'
import { useEngine, useMe, useSelect, useSignal } from '../../app/context.ts'
import { usePhone } from '../../app/layout.ts'
import { go, useRoute } from '../../app/route.ts'
import { now, sameDay } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { nfc } from '../../lib/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Chip } from '../../ui/Field.tsx'
import { openMenu } from '../../ui/overlay.tsx'
import { openAddFriend, openNewGroup } from '../people/index.ts'
import { Blank, Search, Skeleton } from '../people/Marked.tsx'
import css from '../people/rows.module.css'
import { offsetsOf } from '../people/rows.ts'
import { useListBox } from '../people/useListBox.ts'
import { useRowHeight, useRows } from '../people/useRows.ts'
import { roomMenu } from './actions.tsx'
import own from './ChatList.module.css'
import { ChatRow } from './ChatRow.tsx'
import { filter, type Hit, roomName } from './lines.ts'

export function ChatList() {
  const engine = useEngine()
  const rooms = useSignal(engine.rooms)
  const unreadRooms = useSelect(engine.app, (a) => a.unreadRooms)
  const r = useRoute()
  const phone = usePhone()
  const open = r.at === 'room' && !phone ? r.id : ''
  const [unreadOnly, setUnreadOnly] = useState(false)
  // null: the field is closed.
  const [query, setQuery] = useState<string | null>(null)
  const q = nfc(query ?? '').trim()

  // While names are searched, all of them are wanted, and the list follows as they come in.
  const names = useSelect(engine.people, (p) => (q === '' ? null : p.byId))
  useEffect(() => {
    if (q !== '') engine.wantPeople(rooms.lines.flatMap((l) => (l.kind === 'direct' ? [l.peer] : [])))
  }, [engine, q === '', rooms.lines])
  const hits = useMemo(() => filter(rooms.lines, names ?? engine.people.get().byId, q, unreadOnly, open), [engine, rooms.lines, names, q, unreadOnly, open])

  return (
    <div className={css.pane}>
      <header className={css.head}>
        <h1>{t('chats.title')}</h1>
        <IconButton icon="search" label={t(query === null ? 'chats.search' : 'chats.searchEnd')} aria-expanded={query !== null} onClick={() => setQuery(query === null ? '' : null)} />
        <IconButton icon="message-square-plus" label={t('chats.new')} onClick={() => openNewGroup()} />
      </header>
      {query !== null ? (
        <Found query={query} setQuery={setQuery} hits={hits} open={open} searching={q !== ''} />
      ) : (
        <>
          {rooms.lines.length > 0 && (
            <div className={own.chips} role="group" aria-label={t('chats.filter')}>
              <Chip pressed={!unreadOnly} onClick={() => setUnreadOnly(false)}>
                {t('chats.all')}
              </Chip>
              <Chip pressed={unreadOnly} onClick={() => setUnreadOnly(true)}>
                {t('chats.unread')}
                {unreadRooms > 0 && <b> {unreadRooms.toLocaleString('en-US')}</b>}
              </Chip>
            </div>
          )}
          {!rooms.loaded ? (
            <Loading />
          ) : rooms.lines.length === 0 ? (
            <Empty />
          ) : hits.length === 0 ? (
            <Blank mark="check" title={t('chats.noUnreadTitle')} text={t('chats.noUnreadText')} action={t('chats.noUnreadAction')} run={() => setUnreadOnly(false)} />
          ) : (
            <Rows hits={hits} open={open} />
          )}
        </>
      )}
    </div>
  )
}

// Plain buttons: the first thing to do is shown beside the list.
function Empty() {
  const engine = useEngine()
  const me = useMe()
  return (
    <Blank title={t('chats.emptyTitle')} text={t('chats.emptyText')}>
      <Button icon="user-plus" onClick={() => openAddFriend()}>
        {t('chats.emptyAction')}
      </Button>
      {me && (
        <Button icon="message-circle" onClick={() => go({ at: 'room', id: engine.directRoom(me.id) })}>
          {t('chats.emptySelf')}
        </Button>
      )}
    </Blank>
  )
}

function Loading() {
  const height = useRowHeight('room')
  return <Skeleton height={height} />
}

interface FoundProps {
  readonly query: string
  readonly setQuery: (q: string | null) => void
  readonly hits: readonly Hit[]
  readonly open: string
  readonly searching: boolean
}

function Found({ query, setQuery, hits, open, searching }: FoundProps) {
  const box = useRef<HTMLDivElement>(null)
  const first = hits[0]
  return (
    <>
      <Search
        className={css.search}
        label={t('chats.searchField')}
        hint={t('chats.searchHint')}
        value={query}
        autoFocus
        onChange={setQuery}
        onDown={() => box.current?.querySelector<HTMLElement>('[role=listbox]')?.focus()}
        onEnter={() => searching && first && go({ at: 'room', id: first.line.id })}
        onEscape={() => setQuery(null)}
      />
      <p className={searching && hits.length > 0 ? css.note : 'vh'} role="status">
        {searching && hits.length > 0 ? t('chats.foundCount', { n: hits.length }) : ''}
      </p>
      <div ref={box} className={own.found}>
        {hits.length > 0 ? (
          <Rows hits={hits} open={open} />
        ) : (
          <Blank mark="search" title={t('chats.nothingTitle', { query: query.trim() })} text={t('chats.nothingText')} />
        )}
      </div>
    </>
  )
}

function Rows({ hits, open }: { readonly hits: readonly Hit[]; readonly open: string }) {
  const engine = useEngine()
  const prefix = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const height = useRowHeight('room')
  const offsets = useMemo(() => offsetsOf(hits.length, () => height), [hits.length, height])
  const rows = useRows(scroller, list, offsets)
  const today = useToday()
  const ids = useMemo(() => hits.map((h) => h.line.id), [hits])

  const onOpen = useCallback((id: string) => go({ at: 'room', id }), [])
  const onMenu = useCallback(
    (id: string, at: DOMRect) => {
      const { byId } = engine.rooms.get()
      const line = byId.get(id)
      if (line) openMenu(at, roomMenu(engine, line), { label: t('chats.menu', { room: roomName(line, engine.people.get().byId) }) })
    },
    [engine],
  )
  const box = useListBox({
    ids,
    prefix,
    first: open,
    nameAt: (i) => roomName(hits[i]!.line, engine.people.get().byId),
    open: (i) => onOpen(ids[i]!),
    menu: (i) => {
      const el = document.getElementById(prefix + ids[i]!)
      if (el) onMenu(ids[i]!, el.getBoundingClientRect())
    },
    reveal: rows.reveal,
  })

  // The current row stays in the document wherever the list is scrolled to: the focus is on it.
  const shown: number[] = []
  for (let i = rows.from; i < rows.to; i++) shown.push(i)
  if (box.index >= 0 && (box.index < rows.from || box.index >= rows.to)) shown.push(box.index)
  return (
    <div className={css.scroll} ref={scroller}>
      <div {...box.props} ref={list} className={css.list} aria-label={t('chats.list')} style={{ height: offsets.at(-1) }}>
        {shown.map((i) => {
          const h = hits[i]
          if (!h) return null
          return (
            <ChatRow
              key={h.line.id}
              id={prefix + h.line.id}
              line={h.line}
              marks={h.marks}
              top={offsets[i]!}
              height={height}
              place={i + 1}
              count={hits.length}
              open={h.line.id === open}
              active={i === box.index && box.ring}
              today={today}
              onOpen={onOpen}
              onMenu={onMenu}
            />
          )
        })}
      </div>
    </div>
  )
}

// useToday is a moment of today; it changes when the day does.
function useToday(): number {
  const [today, setToday] = useState(now)
  useEffect(() => {
    // Looked at again and again: what waits for midnight does not count the hours in which the machine sleeps.
    const id = setInterval(() => setToday((d) => (sameDay(d, now()) ? d : now())), 20_000)
    return () => clearInterval(id)
  }, [])
  return today
}
