// The log: at most `maxRows` rows in the document, whatever the room holds. It is anchored: at its end while the newest row is
// in view, else at the bottom edge of the first row in view. After every change of what is drawn, before paint, rows are
// measured and scrollTop is set so that the anchor stays where it was. What is drawn is a function of the anchor; it is
// drawn anew when scrolling comes near the edge of it.
import { type ClipboardEvent, type FocusEvent, type KeyboardEvent, type Ref, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useReducer, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { displayName, useEngine, useMe } from '../../app/context.ts'
import { useSetting } from '../../app/settings.ts'
import type { MessageRow, RoomState, Row } from '../../engine/types.ts'
import { timeOf } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { Icon } from '../../ui/Icon.tsx'
import { overlaid } from '../../ui/overlay.tsx'
import { useActions } from './actions.ts'
import { selectedIn, transcript } from './copy.ts'
import { draw } from './draw.tsx'
import { BubbleWidths } from './fit.ts'
import { estimate, firstUnread, lastSeq } from './group.ts'
import { LoadFailed, LogTop } from './LogParts.tsx'
import { Hover, HoverContext } from './hover.ts'
import css from './log.module.css'
import { MessageLine } from './MessageLine.tsx'
import { usePress } from './usePress.ts'
import { type Window, VirtualRows } from './virtual.ts'

/** Pixels drawn above and below what is in view: more than one turn of a fast wheel. The first picture of a room makes do with less. */
const over = 2400
const overFirst = 240
/** Drawn anew when less than this is left on a side. */
const margin = 1500
const maxRows = 280
/** Older and newer pages are asked for this far before the edge. */
const ahead = 4000
/** This close to the end counts as being there. */
const nearEnd = 8

export interface LogHandle {
  /** toEnd goes to the newest row, loading it if need be. */
  toEnd(): void
  /** toKey brings a loaded row to the middle. */
  toKey(key: string): void
  /** toSeq brings a row to the middle and points at it, loading around it if need be. */
  toSeq(seq: number): void
  /** unfold shows a long text whole, or its beginning again. */
  unfold(row: MessageRow): void
  atEnd(): boolean
  /** holds: the node is in the log. */
  holds(node: Node): boolean
  /** from the field: to the last message in view, or a page up or down without leaving the field. */
  from(to: 'message' | 1 | -1): void
}

export interface LogProps {
  readonly id: string
  readonly state: RoomState
  readonly query: string
  readonly foundKey: string | null
  readonly heldKey: string | null
  readonly editingKey: string | null
  readonly ref: Ref<LogHandle>
}

/** Anchor: an edge of a row and where it is, from the top edge of the view. */
interface Anchor {
  readonly key: string
  readonly index: number
  readonly edge: 'top' | 'bottom'
  readonly at: number
}

/** Goal: a row to be brought into view. */
interface Goal {
  readonly key: string
  readonly where: 'middle' | 'unread'
}

interface View {
  height: number
  width: number
  /** epoch changes when all bubbles have to be fitted anew. */
  epoch: number
  /** stick: the end of the log is the anchor. */
  stick: boolean
  anchor: Anchor | null
  /** top is scrollTop as last seen or set. */
  top: number
  drawn: Window
  goal: Goal | null
  /** wish: the seq of a row that is being loaded to become the goal; 0: none. wishLine: the line of what was read is. */
  wish: number
  wishLine: boolean
  /** line is where all was read, as last looked at; missed: so many unread messages stand above what is seen. */
  line: number
  missed: number
  passes: number
  begun: boolean
  over: number
}

export function Log({ id, state, query, foundKey, heldKey, editingKey, ref }: LogProps) {
  const engine = useEngine()
  const actions = useActions()
  const me = useMe()
  const textSize = useSetting('text')
  const { rows, readLine } = state
  const scroller = useRef<HTMLDivElement>(null)
  const column = useRef<HTMLDivElement>(null)
  const spacer = useRef<HTMLDivElement>(null)
  const foot = useRef<HTMLDivElement>(null)
  const [, redraw] = useReducer((n: number) => n + 1, 0)

  // Everything below lives outside of React's state: it belongs to the document, and is read and written before paint.
  const [core] = useState(() => new VirtualRows<Row>(estimate))
  const [widths] = useState(() => new BubbleWidths())
  const view = useRef<View>({ height: 800, width: 0, epoch: 0, stick: true, anchor: null, top: 0, drawn: { start: 0, end: 0 }, goal: null, wish: 0, wishLine: false, line: -1, missed: 0, passes: 0, begun: false, over: overFirst })
  const v = view.current
  const groupKeys = useRef(new Map<string, string>())
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(() => new Set())
  const [pointed, setPointed] = useState(0)
  const [hover] = useState(() => new Hover())
  const focused = useRef<string | null>(null)

  core.setRows(rows)
  // Where to begin: at the first unread row if it is loaded and more than fits is below it, else at the end, and a button
  // leads to it.
  if (state.loaded && rows.length > 0 && (!v.begun || v.line !== readLine || v.wishLine)) {
    const i = firstUnread(rows, readLine)
    if (i >= 0 && (!v.begun || v.wishLine)) {
      v.goal = { key: rows[i]!.key, where: 'unread' }
      v.stick = false
      v.wishLine = false
    } else if (v.line !== readLine) v.missed = readLine >= 0 ? Math.max(state.line.unread, rows.filter((r) => r.kind === 'message' && !r.own && r.seq > readLine).length) : 0
    v.line = readLine
    v.begun = true
  }

  if (v.wish > 0) {
    const row = rows.find((r) => r.seq === v.wish)
    if (row) {
      v.goal = { key: row.key, where: 'middle' }
      v.wish = 0
    }
  }

  /** edgeOf an anchor in the pixels of the rows, null if its row is gone. */
  const edgeOf = (a: Anchor): number | null => {
    const i = core.indexOf(a.key, a.index)
    return i < 0 ? null : a.edge === 'top' ? core.top(i) : core.bottom(i)
  }

  const wanted = (): Window => {
    if (v.goal) {
      const i = core.indexOf(v.goal.key, rows.length)
      if (i >= 0) return core.window(core.top(i) - v.height, core.top(i) + v.height, v.over, maxRows)
    }
    const edge = v.stick || !v.anchor ? null : edgeOf(v.anchor)
    if (edge !== null && v.anchor) {
      const y = edge - v.anchor.at
      return core.window(y, y + v.height, v.over, maxRows)
    }
    return core.window(core.total - v.height, core.total, v.over, maxRows)
  }

  const win = wanted()
  const kept = focused.current === null ? -1 : core.indexOf(focused.current, v.drawn.start)

  /** base is where row 0 begins (or would), from the top edge of the view. */
  const base = () => spacer.current!.getBoundingClientRect().top - scroller.current!.getBoundingClientRect().top

  const measure = () => {
    const starts = column.current!.querySelectorAll('[data-start]')
    const { start, end } = v.drawn
    if (starts.length !== end - start) return
    let top = starts[0]?.getBoundingClientRect().top ?? 0
    for (let n = 0; n < starts.length; n++) {
      const next = n + 1 < starts.length ? starts[n + 1]!.getBoundingClientRect().top : foot.current!.getBoundingClientRect().top
      core.measure(start + n, next - top)
      top = next
    }
  }

  const place = () => {
    const el = scroller.current!
    if (v.goal) {
      const i = core.indexOf(v.goal.key, rows.length)
      if (i >= 0) {
        const top = base() + core.top(i)
        const height = core.height(i)
        el.scrollTop += v.goal.where === 'unread' ? top - v.height * 0.2 : top - Math.max(24, (v.height - height) / 2)
        v.anchor = null
        v.stick = false
      } else v.goal = null
    } else if (v.stick) {
      const end = el.scrollHeight - el.clientHeight
      if (Math.abs(el.scrollTop - end) > 0.5) el.scrollTop = end
    } else if (v.anchor) {
      const edge = edgeOf(v.anchor)
      if (edge !== null) {
        // A scroll whose event is still to come is the person's; a shorter page that pushed the view up is not.
        const clamped = el.scrollTop < v.top && el.scrollTop >= el.scrollHeight - el.clientHeight - 1
        const scrolled = clamped ? 0 : el.scrollTop - v.top
        const off = base() + edge - (v.anchor.at - scrolled)
        if (Math.abs(off) > 0.01) el.scrollTop += off
        if (scrolled !== 0) v.anchor = { ...v.anchor, at: v.anchor.at - scrolled }
      }
    }
    v.top = el.scrollTop
  }

  const takeAnchor = () => {
    const b = base()
    const i = core.at(-b + 1)
    v.anchor = i < 0 ? null : { key: rows[i]!.key, index: i, edge: 'bottom', at: b + core.bottom(i) }
  }

  /** covered: enough is drawn on both sides of the view, or there is no more. */
  const covered = (least: number) => {
    const y = -base()
    const { start, end } = v.drawn
    return (start === 0 || core.top(start) <= y - least) && (end === core.count || core.top(end) >= y + v.height + least)
  }

  const enough = () => Math.min(margin, v.over) / 2

  const after = () => {
    const el = scroller.current!
    const left = el.scrollHeight - el.clientHeight - el.scrollTop
    const y = -base()
    engine.lookAt(id, rows[core.at(y + v.height / 2)]?.seq ?? 0, query !== '')
    if (!state.failed) {
      if (!state.atStart && !state.loadingOlder && y < ahead) engine.loadOlder(id)
      if (!state.atEnd && !state.loadingNewer && left < ahead) engine.loadNewer(id)
    }
    for (let i = core.at(y); i >= 0 && i < core.count && core.top(i) < y + v.height; i++) {
      const row = rows[i]!
      if (row.kind === 'gap' && !state.loadingOlder) void engine.jumpTo(id, row.seq).catch(() => undefined)
    }
    see(left, y)
  }

  // What was seen: all rows whose end is in view, while the window is looked at.
  const seen = useRef(0)
  const [opened] = useState(state.line.lastSeq)
  const [below, setBelow] = useState({ up: false, news: 0, own: false, above: 0 })
  const shown = useRef(true)
  const see = (left: number, y: number) => {
    const end = (state.atEnd || !state.loaded) && left <= nearEnd
    shown.current = end
    let last = 0
    // What is under way may be all that is drawn.
    if (!state.loaded) last = 0
    else if (end) last = Math.max(state.line.lastSeq, lastSeq(rows))
    else
      for (let i = core.at(y + v.height); i >= 0 && last === 0; i--) {
        if (core.bottom(i) <= y + v.height + 2) last = rows[i]!.seq
      }
    if (last > seen.current && v.begun && !v.goal) {
      seen.current = last
      mark()
    }
    let news = 0
    let own = false
    if (!end) {
      for (let i = rows.length - 1; i >= 0; i--) {
        const row = rows[i]!
        if (row.kind !== 'message') continue
        if (row.seq !== 0 && row.seq <= seen.current) break
        if (!row.own) news++
        else own ||= row.seq === 0 || row.seq > opened
      }
      if (!state.atEnd) {
        // What stands beyond the loaded rows.
        const { last, unread } = state.line
        own ||= last?.author === me?.id && last !== null && (last.seq === 0 || last.seq > opened)
        news = Math.max(news, unread)
      }
    }
    const up = !end && left > v.height * 1.2
    if (v.missed > 0) {
      const i = firstUnread(rows, readLine)
      if (i >= 0 && core.bottom(i) > y) v.missed = 0
    }
    const above = v.missed
    setBelow((b) => (b.up === up && b.news === news && b.own === own && b.above === above ? b : { up, news, own, above }))
  }
  const marked = useRef(0)
  const mark = () => {
    if (seen.current <= marked.current || document.visibilityState !== 'visible' || !document.hasFocus()) return
    marked.current = seen.current
    engine.markRead(id, seen.current)
  }

  const live = useRef({ scroll: () => {}, resize: (_w: number, _h: number) => {}, settle: () => {}, mark: () => {} })
  live.current = {
    scroll: () => {
      const el = scroller.current!
      // Our own correction is not a wish to leave.
      if (Math.abs(el.scrollTop - v.top) < 0.5 && v.anchor) return
      v.goal = null
      v.wishLine = false
      v.over = over
      v.top = el.scrollTop
      v.stick = state.atEnd && el.scrollHeight - el.clientHeight - el.scrollTop <= nearEnd
      takeAnchor()
      if (!covered(margin)) flushSync(redraw)
      else after()
    },
    resize: (width, height) => {
      v.height = height
      if (width !== v.width) {
        v.width = width
        v.epoch++
        widths.clear()
      }
      flushSync(redraw)
    },
    settle: () => {
      measure()
      place()
      if (!v.goal) takeAnchor()
      if (!covered(enough())) flushSync(redraw)
    },
    mark,
  }

  useLayoutEffect(() => {
    v.drawn = win
    // The row that had the focus is not kept any more.
    if (focused.current !== null && kept < 0) {
      focused.current = null
      if (document.activeElement === document.body) scroller.current!.focus({ preventScroll: true })
    }
    if (scroller.current!.clientWidth !== v.width) {
      v.width = scroller.current!.clientWidth
      v.height = scroller.current!.clientHeight
      v.epoch++
      widths.clear()
    }
    widths.fit(column.current!, v.epoch)
    measure()
    place()
    const next = wanted()
    const same = next.start === v.drawn.start && next.end === v.drawn.end
    if (!same && (v.goal || !covered(enough())) && v.passes < 8) {
      v.passes++
      // The browser places the log at whole pixels: an anchor taken at each pass would add up as many halves of one.
      if (!v.goal && !v.anchor) takeAnchor()
      redraw()
      return
    }
    v.passes = 0
    v.top = scroller.current!.scrollTop
    if (v.goal) {
      v.goal = null
      v.stick = state.atEnd && scroller.current!.scrollHeight - scroller.current!.clientHeight - v.top <= nearEnd
    }
    takeAnchor()
    after()
  })

  // Laid off in the commit that takes the log away: an observer heard after it would find no document.
  useLayoutEffect(() => {
    const el = scroller.current!
    const onScroll = () => live.current.scroll()
    el.addEventListener('scroll', onScroll, { passive: true })
    const sizes = new ResizeObserver(() => {
      const { clientWidth: w, clientHeight: h } = el
      if (w !== view.current.width || h !== view.current.height) live.current.resize(w, h)
    })
    sizes.observe(el)
    // Heights can change without us: an emoji font arrives, a name wraps.
    const inner = new ResizeObserver(() => live.current.settle())
    inner.observe(column.current!)
    const fonts = () => {
      view.current.epoch++
      widths.clear()
      redraw()
    }
    document.fonts.addEventListener('loadingdone', fonts)
    const rest = setTimeout(() => {
      view.current.over = over
      redraw()
    }, 100)
    const look = () => live.current.mark()
    document.addEventListener('visibilitychange', look)
    globalThis.addEventListener('focus', look)
    return () => {
      clearTimeout(rest)
      el.removeEventListener('scroll', onScroll)
      sizes.disconnect()
      inner.disconnect()
      document.fonts.removeEventListener('loadingdone', fonts)
      document.removeEventListener('visibilitychange', look)
      globalThis.removeEventListener('focus', look)
    }
  }, [widths])

  useLayoutEffect(() => {
    view.current.epoch++
    widths.clear()
    redraw()
  }, [textSize, widths])

  const toKey = useCallback((key: string) => {
    view.current.goal = { key, where: 'middle' }
    redraw()
  }, [])
  const toSeq = (seq: number) => {
    setPointed(seq)
    v.wish = seq
    if (rows.some((r) => r.seq === seq)) redraw()
    else
      engine.jumpTo(id, seq).catch(() => {
        view.current.wish = 0
      })
  }
  useEffect(() => {
    if (pointed === 0) return
    const timer = setTimeout(() => setPointed(0), 3000)
    return () => clearTimeout(timer)
  }, [pointed])

  const toEnd = () => {
    const end = () => {
      // The anchor stays: without one a scroll event of the rows that were placed just now would pass for the person's.
      view.current.goal = null
      view.current.stick = true
      redraw()
    }
    if (state.atEnd) end()
    else engine.jumpTo(id, 0).then(end, () => undefined)
  }
  const toLine = () => {
    const line = () => {
      view.current.missed = 0
      view.current.wishLine = true
      redraw()
    }
    if (firstUnread(rows, readLine) >= 0) line()
    else engine.jumpTo(id, Math.max(1, readLine)).then(line, () => undefined)
  }
  const unfold = (row: MessageRow) => {
    // The beginning of the text stays where it is, though it is the end of the log that grows.
    const i = core.indexOf(row.key, v.drawn.start)
    const top = base() + core.top(i)
    v.stick = false
    v.anchor = { key: row.key, index: i, edge: 'top', at: unfolded.has(row.key) ? Math.max(8, top) : top }
    setUnfolded((s) => {
      const next = new Set(s)
      if (!next.delete(row.key)) next.add(row.key)
      return next
    })
  }
  useImperativeHandle(ref, () => ({ toEnd, toKey, toSeq, unfold, atEnd: () => shown.current, holds: (node) => scroller.current!.contains(node), from: (to) => from(to) }))

  // Rows that come while the room is open fade in and are told to screen readers; history is not.
  const fresh = useRef<{ readonly last: string | null; readonly keys: ReadonlySet<string> }>({ last: null, keys: new Set() })
  const lastKey = rows.at(-1)?.key ?? null
  if (lastKey !== fresh.current.last) {
    const keys = new Set<string>()
    if (fresh.current.last !== null && state.atEnd) for (let i = rows.length - 1; i >= 0 && rows[i]!.key !== fresh.current.last && keys.size < 20; i--) keys.add(rows[i]!.key)
    fresh.current = { last: lastKey, keys: keys.size < 20 ? keys : new Set() }
    // Whoever answers has seen enough.
    const last = rows.at(-1)
    if (keys.size > 0 && last?.kind === 'message' && last.own) v.missed = 0
  }

  const drawn = draw({
    rows, state, groupNames: groupKeys.current, window: win, away: kept, awayTop: core.top(kept), focused: focused.current,
    line: (row, first, last) => (
      <MessageLine
        key={row.key}
        row={row}
        first={first}
        last={last}
        unread={row.seq > 0 && state.line.kind !== 'self' ? state.unreadAt(row.seq, row.author) : 0}
        query={query}
        found={row.key === foundKey}
        open={unfolded.has(row.key)}
        ring={row.key === heldKey ? 'held' : row.key === editingKey ? 'editing' : row.seq !== 0 && row.seq === pointed ? 'pointed' : ''}
        fresh={fresh.current.keys.has(row.key)}
      />
    ),
  })

  const rowOf = (target: EventTarget | null): MessageRow | null => {
    const key = target instanceof Element ? target.closest<HTMLElement>('[data-key]')?.dataset['key'] : undefined
    const row = key === undefined ? undefined : rows[core.indexOf(key, v.drawn.start)]
    return row?.kind === 'message' ? row : null
  }
  const bubbleOf = (target: Element) => target.closest('[data-key]')?.querySelector('[data-bubble]') ?? null

  const press = usePress((target) => {
    const row = rowOf(target)
    const bubble = bubbleOf(target)
    if (!row || row.deleted || !bubble || !target.closest('[data-line]')) return false
    if (!overlaid()) actions.menu(row, bubble, 'menu')
    return true
  })

  const focusRow = (i: number) => {
    const row = rows[i]
    if (row === undefined) return
    // The view may be far from the row that has the focus.
    if (i < v.drawn.start || i >= v.drawn.end) flushSync(() => toKey(row.key))
    const line = [...column.current!.querySelectorAll<HTMLElement>('[data-key]')].find((e) => e.dataset['key'] === row.key)?.querySelector<HTMLElement>('[data-line]')
    line?.focus({ preventScroll: true })
    line?.scrollIntoView({ block: 'nearest' })
  }
  /** lastSeen is the last row in view that has begun. */
  const lastSeen = () => {
    let i = core.at(-base() + v.height - 1)
    while (rows[i] !== undefined && rows[i]!.kind !== 'message') i--
    return i
  }
  const from = (to: 'message' | 1 | -1) => {
    if (to !== 'message') scroller.current!.scrollBy({ top: to * v.height * 0.875 })
    else if (rows[lastSeen()]) focusRow(lastSeen())
    else scroller.current!.focus({ preventScroll: true })
  }
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing || e.altKey || e.ctrlKey || e.metaKey) return
    const target = e.target as HTMLElement
    // The buttons in a message (a quote, its tools) know Enter themselves; all else is the message's.
    const row = rowOf(target)
    if (row === null && target !== scroller.current) return
    if (e.key === 'ArrowUp' || e.key === 'ArrowDown') {
      const by = e.key === 'ArrowUp' ? -1 : 1
      let i = row ? core.indexOf(row.key, v.drawn.start) + by : lastSeen()
      while (rows[i] !== undefined && rows[i]!.kind !== 'message') i += by
      e.preventDefault()
      focusRow(i)
      return
    }
    if (row === null) return
    const bubble = bubbleOf(target)
    const letter = e.shiftKey ? '' : e.code
    if (e.key === 'Enter' && bubble && target.hasAttribute('data-line')) actions.menu(row, bubble, 'menu')
    else if (letter === 'KeyE' && bubble) actions.menu(row, bubble, 'react')
    else if (letter === 'KeyR') actions.reply(row)
    else if (letter === 'KeyC') actions.copy(row)
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  const onCopy = (e: ClipboardEvent) => {
    const list = selectedIn(column.current!, getSelection())
    if (list.length < 2) return
    const { byId } = engine.people.get()
    e.clipboardData.setData(
      'text/plain',
      transcript(
        list.flatMap(({ key, part }) => {
          const row = rows[core.indexOf(key, v.drawn.start)]
          return row?.kind === 'message' ? [{ name: displayName(byId.get(row.author)), time: timeOf(row.time), text: part ?? row.text }] : []
        }),
      ),
    )
    e.preventDefault()
  }
  const onFocus = (e: FocusEvent) => {
    const key = rowOf(e.target)?.key ?? null
    focused.current = key
    hover.set(key)
  }
  const onBlur = (e: FocusEvent) => {
    if (e.currentTarget.contains(e.relatedTarget)) return
    focused.current = null
  }

  return (
    <div className={css.wrap}>
      <div ref={scroller} className={css.log} role="log" aria-live="off" aria-label={t('room.log')} tabIndex={0} onKeyDown={onKeyDown} onCopy={onCopy} onFocus={onFocus} onBlur={onBlur} onPointerOver={(e) => e.pointerType === 'mouse' && hover.set(rowOf(e.target)?.key ?? null)} onPointerLeave={() => hover.set(focused.current)} {...press}>
        <div ref={column} className={css.column}>
          <LogTop state={state} retry={() => engine.loadOlder(id)} />
          <div ref={spacer} style={{ height: core.top(win.start) }} />
          <HoverContext value={hover}>{drawn}</HoverContext>
          <div ref={foot} style={{ height: core.total - core.top(win.end) }} />
          {state.loaded && !state.atEnd && <div className={css.state}>{state.failed ? <LoadFailed state={state} retry={() => engine.loadNewer(id)} /> : state.loadingNewer && t('room.loadingNewer')}</div>}
          <div className={css.tail} />
        </div>
      </div>
      {below.above > 0 && (
        <button type="button" className={`${css.pill} ${css.above}`} onClick={toLine}>
          <Icon name="arrow-up" />
          {t('room.unreadAbove', { n: below.above })}
        </button>
      )}
      {(below.news > 0 || below.own || below.up) && (
        <button type="button" className={below.own || below.news > 0 ? css.pill : `${css.pill} ${css.quiet}`} onClick={toEnd}>
          <Icon name="arrow-down" />
          {below.own ? t('room.ownBelow') : below.news > 0 ? t('room.newMessages', { n: below.news }) : t('room.toNewest')}
        </button>
      )}
    </div>
  )
}
