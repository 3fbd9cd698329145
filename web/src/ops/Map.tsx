// The map: a beacon for each site, lit or dark, and the ways between them with their round trips.
import { DrillState, type GetDrillResponse, type SiteReport, SiteState } from '../gen/bonghwa/api/v1/operator_pb.ts'
import { listed, nameOf } from './names.ts'
import css from './Ops.module.css'
import { VIEW, drawn, known, placesOf } from './places.ts'
import { places, w } from './words.ts'

const FLAME = 'M12 1.5c.7 4.2 5.2 6.3 5.2 11.2A5.2 5.2 0 0 1 12 18a5.2 5.2 0 0 1-5.2-5.3c0-2.7 1.3-4 2.1-5.6.5 1.6 1.1 2.3 2 2.7C10.4 6.8 11 4.3 12 1.5z'
const CORE = 'M12 9.5c.4 2 2.3 2.8 2.3 5A2.3 2.3 0 0 1 12 17a2.3 2.3 0 0 1-2.3-2.4c0-2 1.7-2.7 2.3-5.1z'

export function SiteMap({ sites, drill }: { readonly sites: readonly SiteReport[]; readonly drill: GetDrillResponse | null }) {
  const names = sites.map((s) => s.name)
  const at = placesOf(names)
  const onLand = known(names) && names.length > 1
  const lit = (s: SiteReport) => (s.state === SiteState.READY || s.state === SiteState.DRAINING) && !(drill?.state === DrillState.BURNING && drill.site === s.name)
  const state = (s: SiteReport) => (lit(s) ? w(s.leader && names.length > 1 ? 'peopleLeader' : 'people', { n: s.people }) : w(drill?.state === DrillState.BURNING && drill.site === s.name ? 'darkDrill' : 'dark'))
  const label = w('mapLabel', { list: listed(sites.map((s) => w('mapSite', { site: nameOf(s.name), state: state(s) })), 'and') })
  return (
    <section className={css.map} aria-label={w('mapTitle', { n: places(sites.length) })}>
      <header>
        <h2>{sites.length === 1 ? w('mapOne') : w('mapTitle', { n: places(sites.length) })}</h2>
        {sites.length > 1 && <p>{w('mapNote')}</p>}
      </header>
      <svg viewBox={VIEW} role="img" aria-label={label}>
        <defs>
          <radialGradient id="ops-glow">
            <stop offset="0" stopColor="#ffa64d" stopOpacity=".5" />
            <stop offset="1" stopColor="#ff9b3d" stopOpacity="0" />
          </radialGradient>
        </defs>
        {onLand && (
          <>
            <path className={css.land} d={drawn.land} />
            <ellipse className={css.land} cx="66" cy="582" rx="32" ry="14" transform="rotate(-8 66 582)" />
            <path className={css.spine} d={drawn.spine} />
            <path className={css.thin} d={drawn.thin} />
          </>
        )}
        {sites.flatMap((a, i) => sites.slice(i + 1).map((b) => <Way key={`${a.name} ${b.name}`} a={a} b={b} from={at.get(a.name)!} to={at.get(b.name)!} on={lit(a) && lit(b)} />))}
        {sites.map((s) => {
          const p = at.get(s.name)!
          const left = p.side === 'left'
          return (
            <g key={s.name} className={lit(s) ? css.beacon : `${css.beacon} ${css.dark}`} transform={`translate(${p.x} ${p.y})`}>
              {lit(s) && <circle r="62" fill="url(#ops-glow)" />}
              <g transform="translate(-16.8 -28) scale(1.4)">
                <path className={css.fl} d={FLAME} />
                {lit(s) && <path d={CORE} fill="#ffe3ae" />}
              </g>
              <path className={css.brazier} d="M-12 -1h24l-4 10h-16z" />
              <text className={css.nm} x={left ? -22 : 22} y="-4" textAnchor={left ? 'end' : 'start'}>
                {nameOf(s.name)}
              </text>
              <text className={css.st} x={left ? -22 : 22} y="13" textAnchor={left ? 'end' : 'start'}>
                {state(s)}
              </text>
            </g>
          )
        })}
      </svg>
    </section>
  )
}

interface Spot {
  readonly x: number
  readonly y: number
}

// Way bends to the side on which nothing stands; the round trip is written at its middle.
function Way({ a, b, from, to, on }: { readonly a: SiteReport; readonly b: SiteReport; readonly from: Spot; readonly to: Spot; readonly on: boolean }) {
  const long = Math.hypot(to.x - from.x, to.y - from.y)
  const bend = Math.min(60, long * 0.16)
  const cx = (from.x + to.x) / 2 + ((to.y - from.y) / (long || 1)) * bend
  const cy = (from.y + to.y) / 2 - ((to.x - from.x) / (long || 1)) * bend
  const ms = a.roundTrips.find((r) => r.site === b.name)?.ms ?? b.roundTrips.find((r) => r.site === a.name)?.ms
  return (
    <>
      <path className={on ? css.way : `${css.way} ${css.off}`} d={`M${from.x} ${from.y}Q${cx.toFixed(1)} ${cy.toFixed(1)} ${to.x} ${to.y}`} />
      {on && ms !== undefined && (
        <text className={css.ms} x={((from.x + to.x) / 4 + cx / 2).toFixed(1)} y={((from.y + to.y) / 4 + cy / 2).toFixed(1)} textAnchor="middle">
          {ms.toFixed(1)}ms
        </text>
      )}
    </>
  )
}
