// The emoji picker: recent ones of this device, nine groups, search in Korean and English. Arrows move in the grid, Enter
// inserts and leaves it open for more; Esc closes. Loaded only when it is first opened.
import './texts.ts'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useEngine } from '../../../app/context.ts'
import { touch } from '../../../app/layout.ts'
import { useLayer } from '../../../app/route.ts'
import { language, t } from '../../../lib/messages.ts'
import { Icon, type IconName } from '../../../ui/Icon.tsx'
import css from './picker.module.css'
import { addRecent, readRecent, recentKey } from './recent.ts'
import { type Emoji, type GroupName, emojiOf, groups, searchEmoji } from './search.ts'

const allTabs: readonly (readonly [GroupName | 'recent', IconName])[] = [
  ['recent', 'history'], ['faces', 'smile'], ['people', 'user-round'], ['nature', 'leaf'], ['food', 'coffee'], ['activities', 'dumbbell'], ['travel', 'car'],
  ['objects', 'lightbulb'], ['symbols', 'hash'], ['flags', 'flag'],
]
const columns = 8
const maxFound = 160

export interface PickerProps {
  readonly onPick: (chars: string) => void
  /** onClose: refocus unless the person has gone elsewhere. */
  readonly onClose: (refocus: boolean) => void
}

export default function Picker({ onPick, onClose }: PickerProps) {
  const engine = useEngine()
  const box = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const search = useRef<HTMLInputElement>(null)
  const [query, setQuery] = useState('')
  // Fixed while it is open: what is pressed must not move away.
  const [recent] = useState(() => readRecent(engine.kept(recentKey)).map(emojiOf).filter((e) => e !== undefined))
  const tabs = recent.length > 0 ? allTabs : allTabs.slice(1)
  const [tab, setTab] = useState<GroupName | 'recent'>(recent.length > 0 ? 'recent' : 'faces')
  const [at, setAt] = useState(0)

  const found = useMemo(() => (query.trim() === '' ? null : searchEmoji(query, maxFound)), [query])
  const shown: readonly Emoji[] = found ?? (tab === 'recent' ? [...recent, ...groups[0]!.list] : groups.find((g) => g.name === tab)!.list)
  const first = found === null && tab === 'recent' ? recent.length : 0
  const current = shown[at]
  useLayer(() => onClose(true))

  useEffect(() => {
    if (!touch()) search.current?.focus()
    const away = (e: Event) => {
      const target = e.target as Element
      if (!box.current?.contains(target) && !target.closest('[aria-haspopup="dialog"]')) onClose(false)
    }
    document.addEventListener('pointerdown', away)
    return () => document.removeEventListener('pointerdown', away)
    // Only the first onClose is needed: it is the same act each time.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])

  const pick = (e: Emoji) => {
    engine.keep(recentKey, addRecent(engine.kept(recentKey), e.char))
    onPick(e.char)
  }
  const move = (to: number) => {
    const i = Math.max(0, Math.min(to, shown.length - 1))
    setAt(i)
    list.current?.querySelectorAll('[role="option"]')[i]?.scrollIntoView({ block: 'nearest' })
  }
  const choose = (name: GroupName | 'recent') => {
    setTab(name)
    setQuery('')
    setAt(0)
    list.current?.scrollTo({ top: 0 })
  }
  const key = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing || e.nativeEvent.keyCode === 229) return
    const typing = e.target === search.current && query !== ''
    const by = { ArrowDown: columns, ArrowUp: -columns, ArrowRight: typing ? 0 : 1, ArrowLeft: typing ? 0 : -1 }[e.key] ?? 0
    if (e.key === 'Escape') onClose(true)
    else if (e.key === 'Enter' && current && (e.target === search.current || e.target === list.current)) pick(current)
    else if (by !== 0 && !(e.target as Element).closest('[role="tablist"]')) {
      // A short last row of the recent ones must not throw the columns out of line.
      const from = at < first && at + by >= first && by > 0 ? first + (at % columns) : at >= first && at + by < first && by < 0 ? Math.min(first - 1, Math.floor((first - 1) / columns) * columns + ((at - first) % columns)) : at + by
      move(from)
    } else return
    e.preventDefault()
    e.stopPropagation()
  }
  const tabKey = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0
    if (by === 0) return
    e.preventDefault()
    const names = tabs.map(([n]) => n)
    const to = (names.indexOf(tab) + by + names.length) % names.length
    choose(names[to]!)
    e.currentTarget.querySelectorAll<HTMLElement>('[role="tab"]')[to]?.focus()
  }

  const cell = (e: Emoji, i: number) => (
    <button key={`${i} ${e.char}`} id={`emoji-${i}`} type="button" role="option" tabIndex={-1} aria-selected={i === at} aria-label={nameOf(e)} className={i === at ? css.at : undefined} onPointerMove={() => setAt(i)} onMouseDown={(ev) => ev.preventDefault()} onClick={() => pick(e)}>
      {e.char}
    </button>
  )
  return (
    <div ref={box} className={recent.length > 0 ? `${css.picker} ${css.two}` : css.picker} role="dialog" aria-label={t('emoji.title')} onKeyDown={key}>
      <label className={css.field}>
        <Icon name="search" />
        <span className="vh">{t('emoji.search')}</span>
        <input
          ref={search}
          type="search"
          placeholder={t('emoji.placeholder')}
          autoComplete="off"
          value={query}
          aria-controls="emoji-list"
          onChange={(e) => {
            setQuery(e.target.value)
            setAt(0)
          }}
        />
      </label>
      <div className={css.tabs} role="tablist" aria-label={t('emoji.tabs')} onKeyDown={tabKey}>
        {tabs.map(([name, icon]) => {
          const on = found === null && name === tab
          return (
            <button key={name} type="button" role="tab" aria-selected={on} aria-controls="emoji-list" aria-label={tabName(name)} title={tabName(name)} tabIndex={name === tab ? 0 : -1} onMouseDown={(e) => e.preventDefault()} onClick={() => choose(name)}>
              <Icon name={icon} />
            </button>
          )
        })}
      </div>
      <div ref={list} id="emoji-list" className={css.list} role="listbox" tabIndex={0} aria-label={t('emoji.list')} aria-activedescendant={current ? `emoji-${at}` : undefined}>
        {found?.length === 0 ? (
          <p role="presentation">{t('emoji.none', { query })}</p>
        ) : (
          <>
            <h3 role="presentation">{found ? t('emoji.found') : t(`emoji.${tab}`)}</h3>
            <div className={css.grid} role="presentation">
              {(first > 0 ? shown.slice(0, first) : shown).map(cell)}
            </div>
            {first > 0 && (
              <>
                <h3 role="presentation">{t('emoji.faces')}</h3>
                <div className={css.grid} role="presentation">
                  {shown.slice(first).map((e, i) => cell(e, i + first))}
                </div>
              </>
            )}
          </>
        )}
      </div>
      <footer>
        {current ? (
          <>
            <span className={css.big}>{current.char}</span>
            <span className={css.name}>
              <b>{nameOf(current)}</b>
              <small>{t('emoji.enter')}</small>
            </span>
          </>
        ) : (
          <span className={css.name}>
            <small>{t('emoji.choose')}</small>
          </span>
        )}
      </footer>
    </div>
  )
}

function nameOf(e: Emoji): string {
  return language() === 'ko' ? e.ko : e.en
}

function tabName(name: GroupName | 'recent'): string {
  return name === 'recent' ? t('emoji.recentTab') : t(`emoji.${name}`)
}
