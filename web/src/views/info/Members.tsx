// The members of a group: oneself first, at first only the nearest few. The whole list and the search hold for 3,000: only
// rows in sight are in the document, and only their names are looked up, unless all are wanted by name.
import './texts.ts'
import { type RefObject, memo, useEffect, useMemo, useRef, useState } from 'react'
import { displayName, useEngine, useMe, usePerson, useSelect } from '../../app/context.ts'
import { usePhone } from '../../app/layout.ts'
import type { RoomState } from '../../engine/types.ts'
import type { Range } from '../../lib/hangul.ts'
import { t } from '../../lib/messages.ts'
import { nfc } from '../../lib/text.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Tag } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { openInvite, openProfile } from '../people/index.ts'
import { Marked, Search } from '../people/Marked.tsx'
import { offsetsOf } from '../people/rows.ts'
import { useRowHeight, useRows } from '../people/useRows.ts'
import { MAX_MEMBERS, search, SEARCH_FROM, short, whole } from './members.ts'
import css from './RoomInfo.module.css'

/** FEW are shown at first. */
const FEW = 9

export function Members({ state, scroller }: { readonly state: RoomState; readonly scroller: RefObject<HTMLElement | null> }) {
  const engine = useEngine()
  const me = useMe()?.id ?? ''
  const phone = usePhone()
  const { line, members, online } = state
  const [all, setAll] = useState(false)
  const [query, setQuery] = useState('')
  const q = nfc(query).trim()
  const list = useRef<HTMLUListElement>(null)
  const count = Math.max(line.memberCount, members?.length ?? 0)
  const big = count >= SEARCH_FROM
  const here = useMemo(() => new Set(online?.users ?? []), [online])

  // By name they can stand only if the names are known; those of a small room always are.
  const named = all || q !== '' || !big
  const byId = useSelect(engine.people, (p) => (named ? p.byId : null))
  useEffect(() => {
    if (named && members !== null) engine.wantPeople(members.map((m) => m.user))
  }, [engine, named, members])

  const entries = useMemo(() => {
    if (members === null) return []
    const people = byId ?? engine.people.get().byId
    if (q !== '') return search(members, me, people, q)
    if (all) return whole(members, me, people)
    const first = short(members, me, here, people)
    return first.length <= FEW + 1 ? first : first.slice(0, FEW)
  }, [engine, members, me, here, byId, q, all])

  const height = useRowHeight('member')
  const offsets = useMemo(() => offsetsOf(entries.length, () => height), [entries.length, height])
  const rows = useRows(scroller, list, offsets)
  const [focused, setFocused] = useState('')
  const shown: number[] = []
  for (let i = rows.from; i < rows.to; i++) shown.push(i)
  const at = focused === '' ? -1 : entries.findIndex((e) => e.user === focused)
  if (at >= 0 && !shown.includes(at)) shown.push(at)

  const more = q === '' && !all && members !== null ? members.length - entries.length : 0
  const Heading = phone ? 'h2' : 'h3'
  return (
    <section className={css.section} aria-label={t('info.members')}>
      <Heading>
        {t('info.members')} <span className={css.count}>{count.toLocaleString('en-US')}</span>
      </Heading>
      {big && <Search className={css.search} label={t('info.search')} hint={t('info.searchHint', { n: count })} value={query} onChange={setQuery} />}
      {q !== '' && (
        <p className={css.note} role="status">
          {entries.length > 0 ? t('info.foundCount', { n: entries.length }) : t('info.nothing', { query: q })}
        </p>
      )}
      {q === '' &&
        !line.left &&
        !line.provisional &&
        (count >= MAX_MEMBERS ? (
          <p className={css.full}>
            <Icon name="info" />
            <span>{t('info.full', { n: MAX_MEMBERS })}</span>
          </p>
        ) : (
          <button type="button" className={`${css.act} ${css.invite}`} onClick={() => openInvite(line.id)}>
            <span>
              <Icon name="user-plus" />
            </span>
            {t('info.invite')}
          </button>
        ))}
      {members === null ? (
        <p className={css.note}>{t('info.membersLoading')}</p>
      ) : (
        <ul ref={list} className={css.members} style={{ height: offsets.at(-1) }}>
          {shown.map((i) => {
            const e = entries[i]
            return e && <MemberRow key={e.user} user={e.user} marks={e.marks} top={offsets[i]!} height={height} place={i + 1} count={entries.length} self={e.user === me} online={here.has(e.user)} onFocus={setFocused} />
          })}
        </ul>
      )}
      {more > 0 && (
        <button type="button" className={css.more} onClick={() => setAll(true)}>
          {big ? t('info.showAll') : t('info.showMore', { n: more })}
        </button>
      )}
    </section>
  )
}

interface MemberRowProps {
  readonly user: string
  readonly marks: readonly Range[]
  readonly top: number
  readonly height: number
  readonly place: number
  readonly count: number
  readonly self: boolean
  readonly online: boolean
  readonly onFocus: (user: string) => void
}

const MemberRow = memo(function MemberRow({ user, marks, top, height, place, count, self, online, onFocus }: MemberRowProps) {
  const p = usePerson(user)
  return (
    <li aria-posinset={place} aria-setsize={count} style={{ top, height }}>
      <button type="button" onClick={() => openProfile(user)} onFocus={() => onFocus(user)} onBlur={() => onFocus('')}>
        <Avatar user={user} size="s" />
        <span className={css.who}>
          <Marked text={displayName(p)} marks={marks} />
        </span>
        {self && <Tag>{t('info.me')}</Tag>}
        {p?.simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
        {online && !self && (
          <small className={css.on}>
            <i />
            {t('info.online')}
          </small>
        )}
      </button>
    </li>
  )
})
