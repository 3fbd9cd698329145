// Choosing friends: chips of those chosen, a search by name or 초성, a list with boxes of any length.
import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react'
import { displayName, useEngine, usePerson, useSignal } from '../../app/context.ts'
import { touch } from '../../app/layout.ts'
import type { Person } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { nfc } from '../../lib/text.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Tag } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { byName, found } from '../friends/sections.ts'
import { Marked, Search } from './Marked.tsx'
import css from './Pick.module.css'
import { offsetsOf } from './rows.ts'
import { useRowHeight, useRows } from './useRows.ts'

export interface PickProps {
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
  /** max that can be chosen at once. */
  readonly max: number
  /** inside are in the room already: shown, not to be chosen. */
  readonly inside: ReadonlySet<string>
}

/** MAX people named in one request. */
export const MAX = 200

export function Pick({ chosen, onChange, max, inside }: PickProps) {
  const engine = useEngine()
  const people = useSignal(engine.people)
  const [query, setQuery] = useState('')
  const q = nfc(query).trim()
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const [focused, setFocused] = useState('')

  const friends = useMemo(() => people.friends.flatMap((f) => people.byId.get(f) ?? []).filter((p) => !p.closed).sort(byName), [people.friends, people.byId])
  const items = useMemo(() => (q === '' ? friends.map((person) => ({ person, marks: [] })) : found(friends, q)), [friends, q])
  const height = useRowHeight('pick')
  const offsets = useMemo(() => offsetsOf(items.length, () => height), [items.length, height])
  const rows = useRows(scroller, list, offsets)
  const on = useMemo(() => new Set(chosen), [chosen])
  const full = chosen.length >= max

  const toggle = (p: Person) => {
    if (inside.has(p.id)) return
    if (on.has(p.id)) onChange(chosen.filter((c) => c !== p.id))
    else if (!full) onChange([...chosen, p.id])
  }
  const focusRow = (i: number) => {
    const at = Math.max(0, Math.min(items.length - 1, i))
    rows.reveal(at)
    list.current?.querySelector<HTMLInputElement>(`[data-row="${at}"]`)?.focus({ preventScroll: true })
  }
  const key = (e: KeyboardEvent, i: number) => {
    if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return
    e.preventDefault()
    focusRow(e.key === 'ArrowDown' ? i + 1 : i - 1)
  }
  const enter = () => {
    const first = items.find((i) => !inside.has(i.person.id))
    if (q === '' || !first) return
    toggle(first.person)
    setQuery('')
  }

  const at = items.findIndex((i) => i.person.id === focused)
  const shown: number[] = []
  for (let i = rows.from; i < rows.to; i++) shown.push(i)
  if (at >= 0 && !shown.includes(at)) shown.push(at)
  return (
    <div className={css.pick}>
      {chosen.length > 0 && (
        <div className={css.chosen} role="group" aria-label={t('people.pickChosen', { n: chosen.length })}>
          {chosen.map((c) => (
            <Chosen key={c} id={c} onDrop={() => onChange(chosen.filter((x) => x !== c))} />
          ))}
        </div>
      )}
      {friends.length > 0 && <Search autoFocus={!touch()} label={t('people.pickSearch')} hint={t('people.pickHint')} value={query} onChange={setQuery} onDown={() => focusRow(0)} onEnter={enter} />}
      {items.length === 0 ? (
        <div className={css.none} role="status">
          <b>{q === '' ? t('people.pickNobody') : t('people.pickNothing', { query: q })}</b>
          {q === '' && <p>{t('people.pickNobodyText')}</p>}
        </div>
      ) : (
        <div ref={scroller} className={css.scroll} tabIndex={-1}>
          <ul ref={list} className={css.list} aria-label={t('people.pickList')} style={{ height: offsets.at(-1) }}>
            {shown.map((i) => {
              const item = items[i]
              if (!item) return null
              const p = item.person
              const within = inside.has(p.id)
              return (
                <li key={p.id} aria-posinset={i + 1} aria-setsize={items.length} style={{ top: offsets[i], height }}>
                  <label className={`${css.row} ${within ? css.within : ''}`}>
                    <Avatar user={p.id} size="s" />
                    <span>
                      <b id={id + p.id}>
                        <span>
                          <Marked text={p.name} marks={item.marks} />
                        </span>
                        {p.simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
                      </b>
                      {within ? <small>{t('people.already')}</small> : p.status !== '' && <small>{p.status}</small>}
                    </span>
                    <input
                      type="checkbox"
                      data-row={i}
                      checked={within || on.has(p.id)}
                      disabled={within || (full && !on.has(p.id))}
                      aria-labelledby={id + p.id}
                      onChange={() => toggle(p)}
                      onFocus={() => setFocused(p.id)}
                      onBlur={() => setFocused('')}
                      onKeyDown={(e) => key(e, i)}
                    />
                  </label>
                </li>
              )
            })}
          </ul>
        </div>
      )}
    </div>
  )
}

function Chosen({ id, onDrop }: { readonly id: string; readonly onDrop: () => void }) {
  const name = displayName(usePerson(id))
  return (
    <span className={css.chip}>
      <Avatar user={id} size="xs" />
      <span>{name}</span>
      <button type="button" aria-label={t('people.pickDrop', { name })} onClick={onDrop}>
        <Icon name="x" />
      </button>
    </span>
  )
}

/** Sum says how many are chosen and how many can be. */
export function Sum({ n, max }: { readonly n: number; readonly max: number }) {
  return (
    <span className={css.sum} role="status">
      {n === 0 ? (
        t('people.pickNone')
      ) : n >= max ? (
        t('people.pickFull', { n: max })
      ) : (
        <>
          {t('people.pickSum', { n })} <span>· {t('people.pickMax', { n: max })}</span>
        </>
      )}
    </span>
  )
}
