// The flow of the last two minutes: what each site acknowledged, one on the other, and below in a lane of its own how long it took.
// Never two axes on one. Drawn in the pixels that there are, so that texts keep their size.
import { useEffect, useRef, useState } from 'react'
import { nameOf } from './names.ts'
import { KEPT, type Second } from './data.ts'
import css from './Ops.module.css'
import { now } from '../lib/dates.ts'
import { grouped, language } from '../lib/messages.ts'
import { w } from './words.ts'

const LEFT = 44
const RIGHT = 14
const TOP = 26
const LANE = 76
const FOOT = 24
const BETWEEN = 38

/** ceiling is a round number above what is to be shown, that thirds or halves well. */
export function ceiling(most: number): number {
  const steps = [1, 2, 3, 4, 6]
  let unit = 1
  for (;;) {
    for (const s of steps) if (s * unit * 1.0001 >= most && s * unit >= 6) return s * unit
    unit *= 10
  }
}

/** stacked are the outlines of each site's part, from the bottom up, as points of a path. */
export function stacked(seconds: readonly Second[], sites: readonly string[], x: (at: number) => number, y: (n: number) => number): readonly string[] {
  const base = seconds.map(() => 0)
  return sites.map((site) => {
    const below = [...base]
    seconds.forEach((s, i) => {
      base[i] = base[i]! + (s.sends.get(site) ?? 0)
    })
    if (seconds.length === 0) return ''
    const up = seconds.map((s, i) => `${x(s.at).toFixed(1)} ${y(base[i]!).toFixed(1)}`)
    const down = seconds.map((s, i) => `${x(s.at).toFixed(1)} ${y(below[i]!).toFixed(1)}`).reverse()
    return `M${[...up, ...down].join('L')}Z`
  })
}

/** waits is the line of how long it took; it breaks where nothing was acknowledged, of which there is no wait. */
export function waits(seconds: readonly Second[], x: (at: number) => number, y: (ms: number) => number): string {
  let drawn = false
  return seconds
    .map((s) => {
      const some = [...s.sends.values()].some((n) => n > 0)
      const step = some ? `${drawn ? 'L' : 'M'}${x(s.at).toFixed(1)} ${y(s.p99).toFixed(1)}` : ''
      drawn = some
      return step
    })
    .join('')
}

export function Chart({ seconds, sites, fire, gap }: { readonly seconds: readonly Second[]; readonly sites: readonly string[]; readonly fire: number; readonly gap: number }) {
  const box = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ wide: 0, high: 0 })
  useEffect(() => {
    const el = box.current
    if (!el) return undefined
    const seen = new ResizeObserver(() => setSize({ wide: Math.floor(el.clientWidth), high: Math.floor(el.clientHeight) }))
    seen.observe(el)
    return () => seen.disconnect()
  }, [])
  const last = seconds.at(-1)
  const total = last ? [...last.sends.values()].reduce((a, b) => a + b, 0) : 0
  return (
    <section className={css.line} aria-label={w('chart')}>
      <header>
        <h2>{w('chart')}</h2>
        {sites.length > 1 && (
          <ul className={css.legend}>
            {sites.map((s, i) => (
              <li key={s} data-colour={(i % 3) + 1}>
                {nameOf(s)}
              </li>
            ))}
          </ul>
        )}
        <span className={css.unit}>{w('chartUnit')}</span>
      </header>
      <div ref={box} className={css.chart} role="img" aria-label={w('chartLabel', { n: Math.round(total), ms: Math.round(last?.p99 ?? 0) })}>
        {size.wide > 0 && <Drawing wide={size.wide} high={Math.max(size.high, 240)} seconds={seconds} sites={sites} fire={fire} gap={gap} />}
      </div>
    </section>
  )
}

function Drawing({ wide, high, seconds, sites, fire, gap }: { readonly wide: number; readonly high: number; readonly seconds: readonly Second[]; readonly sites: readonly string[]; readonly fire: number; readonly gap: number }) {
  const end = seconds.at(-1)?.at ?? Math.floor(now() / 1000)
  const x = (at: number) => wide - RIGHT - ((end - at) / (KEPT - 1)) * (wide - LEFT - RIGHT)
  const laneTop = high - FOOT - LANE
  const floor = laneTop - BETWEEN
  const most = ceiling(Math.max(...seconds.map((s) => [...s.sends.values()].reduce((a, b) => a + b, 0)), 0))
  const y = (n: number) => floor - (n / most) * (floor - TOP)
  const slow = ceiling(Math.max(...seconds.map((s) => s.p99), 60))
  const lane = (ms: number) => high - FOOT - (Math.min(ms, slow) / slow) * LANE
  const steps = most % 3 === 0 ? 3 : 2
  const at = fire / 1000
  const burnt = fire > 0 && at > end - KEPT && x(at) > LEFT
  const marks: readonly (readonly [number, string])[] = [
    [119, w('twoMinutes')],
    [90, w('ninety')],
    [60, w('oneMinute')],
    [30, w('thirty')],
    [0, w('now')],
  ]
  const shown = wide < 520 ? marks.filter((_, i) => i % 2 === 0) : marks
  const label = burnt ? w('fireAt', { time: clock(fire) }) : ''
  const half = label.length * 4.2 + 12
  const mid = Math.min(Math.max(x(at), LEFT + half), wide - RIGHT - half)
  const noteRight = x(at) + 150 < wide
  return (
    <svg width={wide} height={high} viewBox={`0 0 ${wide} ${high}`} aria-hidden="true">
      {Array.from({ length: steps + 1 }, (_, i) => (most / steps) * i).map((n) => (
        <g key={n}>
          <path className={css.grid} d={`M${LEFT} ${Math.round(y(n))}H${wide - RIGHT}`} />
          <text className={css.ax} x={LEFT - 8} y={Math.round(y(n)) + 4} textAnchor="end">
            {grouped(n)}
          </text>
        </g>
      ))}
      {[0, slow / 2, slow].map((n) => (
        <g key={n}>
          <path className={css.grid} d={`M${LEFT} ${Math.round(lane(n))}H${wide - RIGHT}`} />
          <text className={css.ax} x={LEFT - 8} y={Math.round(lane(n)) + 4} textAnchor="end">
            {grouped(n)}
          </text>
        </g>
      ))}
      <text className={css.lane} x={LEFT} y={laneTop - 12}>
        {w('chartLane')}
      </text>
      {shown.map(([ago, text]) => (
        <text key={text} className={css.ax} x={x(end - ago)} y={high - 6} textAnchor={ago === 0 ? 'end' : ago === 119 ? 'start' : 'middle'}>
          {text}
        </text>
      ))}
      {stacked(seconds, sites, x, y).map((d, i) => (
        <path key={sites[i]} className={css.area} data-colour={(i % 3) + 1} d={d} />
      ))}
      <path className={css.p99} d={waits(seconds, x, lane)} />
      {burnt && (
        <>
          <path className={css.fire} d={`M${x(at).toFixed(1)} ${TOP - 4}V${high - FOOT}`} />
          <rect className={css.firebox} x={mid - half} y="0" width={2 * half} height="24" rx="12" />
          <text className={css.firetext} x={mid} y="16" textAnchor="middle">
            {label}
          </text>
          {gap > 0 && (
            <text className={css.note} x={noteRight ? Math.max(x(at) + 10, LEFT + 100) : x(at) - 10} y={laneTop - 12} textAnchor={noteRight ? 'start' : 'end'}>
              {w('gapNote', { s: (gap / 1000).toFixed(1) })}
            </text>
          )}
        </>
      )}
    </svg>
  )
}

function clock(ms: number): string {
  return new Intl.DateTimeFormat(language(), { hour: 'numeric', minute: '2-digit', second: '2-digit' }).format(ms)
}
