// 데이터센터: what it means in one sentence, the map, a card for each site, the flow, and the audit of the drill.
import { useEffect, useState } from 'react'
import { errorText } from '../app/errors.ts'
import { type Drill, DrillState, type GetDrillResponse, type GetSitesResponse, type Matter, Outlook, type SiteReport, SiteState } from '../gen/bonghwa/api/v1/operator_pb.ts'
import { dayLine, now } from '../lib/dates.ts'
import { grouped } from '../lib/messages.ts'
import { Button, Tag } from '../ui/Button.tsx'
import { Flame, Icon, type IconName } from '../ui/Icon.tsx'
import { openDialog, toast } from '../ui/overlay.tsx'
import { AskFire } from './AskFire.tsx'
import { Chart } from './Chart.tsx'
import { type Live, underWay, useAsk } from './data.ts'
import { SiteMap } from './Map.tsx'
import { Cause, Matters, matterText } from './Matters.tsx'
import { listed, nameOf } from './names.ts'
import css from './Ops.module.css'
import { ordered } from './places.ts'
import { places, w } from './words.ts'

const seconds = (ms: number): string => (ms / 1000).toFixed(1)

export function Centres({ live }: { readonly live: Live & { readonly look: () => void } }) {
  const { sites, drill } = live
  const call = useAsk()
  const [lighting, setLighting] = useState(false)
  if (!sites) {
    return (
      <main className={css.page}>
        <p role="status" className={css.muted}>
          {live.wrong === '' ? w('loading') : w('unreachable')}
        </p>
      </main>
    )
  }
  const names = ordered(sites.sites.map((s) => s.name))
  const by = new Map(sites.sites.map((s) => [s.name, s]))
  const burns = drill?.state === DrillState.BURNING ? drill.site : ''

  const start = (site: SiteReport) => {
    const others = names.filter((n) => n !== site.name).map(nameOf)
    openDialog((close) => <AskFire name={nameOf(site.name)} people={site.people} others={listed(others, 'or')} onClose={close} onStart={(confirm) => call((c) => c.startDrill({ site: site.name, confirm }))} onStarted={live.look} />)
  }
  const light = async (site: string) => {
    setLighting(true)
    try {
      await call((c) => c.endDrill({ site }))
    } catch (e) {
      toast(errorText(e))
    }
    setLighting(false)
    live.look()
  }

  return (
    <main className={css.main}>
      <Verdict sites={sites} drill={drill} wrong={live.wrong} />
      <SiteMap sites={names.map((n) => by.get(n)!)} drill={drill} />
      <section className={css.sites} aria-label={w('sites')}>
        <ul>
          {names.map((n, i) => (
            <Card key={n} site={by.get(n)!} place={i} drill={drill} canBurn={sites.canBurn} steady={sites.steady} busy={lighting} onFire={start} onLight={(s) => void light(s)} />
          ))}
        </ul>
        {!sites.canBurn && names.length > 1 && <p className={css.byHand}>{w('byHand')}</p>}
      </section>
      <Chart seconds={live.seconds} sites={names} fire={underWay(drill) || drill?.state === DrillState.DONE ? Number(drill?.startedMs ?? 0) : 0} gap={drill?.gapMs ?? 0} />
      <Audit drill={drill} last={live.last} burns={burns} />
    </main>
  )
}

interface Said {
  readonly kind: 'good' | 'warn' | 'danger'
  readonly icon: IconName
  readonly title: string
  readonly means: string
  readonly strong?: string
  /** about is what the title says; matters are what is to be said besides. */
  readonly about?: Matter
  readonly matters?: readonly Matter[]
}

/** Kinds of matters that say how a site is; the first of them is the title. */
const OUT = ['unreachable', 'not_ready', 'superseded']
const BUSY = ['catching_up', 'draining']

/** verdictOf says how it is in one sentence, and what it means in another. */
export function verdictOf(s: GetSitesResponse, drill: GetDrillResponse | null): Said {
  const others = listed(ordered(s.sites.filter((x) => x.name !== drill?.site && x.state === SiteState.READY).map((x) => x.name)).map(nameOf), 'and')
  const at = nameOf(drill?.site ?? '')
  const matters = s.matters
  if (s.outlook === Outlook.STOPPED) return { kind: 'danger', icon: 'triangle-alert', title: w('stopped'), means: w('stoppedMeans'), matters }
  switch (drill?.state) {
    case DrillState.BURNING:
      return { kind: 'warn', icon: 'flame', title: w('fire', { site: at }), means: w('fireMeans', { others }), strong: w('noSpareMeans') }
    case DrillState.COMING_BACK:
      return { kind: 'warn', icon: 'rotate-cw', title: w('coming', { site: at }), means: w('comingMeans') }
    case DrillState.READING:
      return { kind: 'warn', icon: 'search', title: w('reading'), means: w('readingMeans', { n: Number(drill.acked) }) }
  }
  const means = s.outlook === Outlook.ALONE ? w('aloneMeans') : s.outlook === Outlook.NO_SPARE ? w('noSpareMeans') : w('spareMeans')
  const gone = matters.filter((m) => OUT.includes(m.kind))
  if (gone.length > 1) return { kind: 'warn', icon: 'triangle-alert', title: w('outSome', { n: places(gone.length) }), means, matters }
  const about = gone[0] ?? matters.find((m) => BUSY.includes(m.kind))
  if (about && s.outlook !== Outlook.ALONE) {
    return { kind: 'warn', icon: gone.length > 0 ? 'triangle-alert' : 'clock', title: matterText(about), means, about, matters: matters.filter((m) => m !== about) }
  }
  if (!s.steady) return { kind: 'warn', icon: 'triangle-alert', title: w('look'), means, matters }
  const well = matters.length === 0
  const icon = !well ? 'triangle-alert' : s.outlook === Outlook.ALONE ? 'monitor' : 'shield-check'
  return { kind: well ? 'good' : 'warn', icon, title: s.outlook === Outlook.ALONE ? w('alone') : w('allLit', { n: places(s.sites.length) }), means, matters }
}

function Verdict({ sites, drill, wrong }: { readonly sites: GetSitesResponse; readonly drill: GetDrillResponse | null; readonly wrong: string }) {
  const said = verdictOf(sites, drill)
  return (
    <div className={`${css.verdict} ${css[said.kind]}`}>
      <Icon name={said.icon} />
      <div role="status">
        <h1>{said.title}</h1>
        <p>
          {said.means} {said.strong && <b>{said.strong}</b>} {said.about && <Cause of={said.about} />}
        </p>
        <Matters list={said.matters ?? []} />
        {wrong !== '' && <p className={css.muted}>{w('unreachable')}</p>}
      </div>
      {underWay(drill) ? (
        <p className={css.since}>
          {w('drillBegan')} <Ago ms={Number(drill!.startedMs)} />
        </p>
      ) : (
        sites.sites.length > 1 && (
          <p className={css.since}>
            {w('lastDrill')} <b>{sites.lastHeldMs > 0n ? dayLine(Number(sites.lastHeldMs)) : w('noDrill')}</b>
          </p>
        )
      )}
    </div>
  )
}

// Ago counts by itself; it is not read out at every second.
function Ago({ ms }: { readonly ms: number }) {
  const [, again] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  const s = Math.max(0, Math.round((now() - ms) / 1000))
  return <b aria-live="off">{s < 120 ? w('secondsAgo', { n: s }) : w('minutesAgo', { n: Math.floor(s / 60) })}</b>
}

interface CardProps {
  readonly site: SiteReport
  readonly place: number
  readonly drill: GetDrillResponse | null
  readonly canBurn: boolean
  readonly steady: boolean
  readonly busy: boolean
  readonly onFire: (site: SiteReport) => void
  readonly onLight: (site: string) => void
}

function Card({ site, place, drill, canBurn, steady, busy, onFire, onLight }: CardProps) {
  const burning = drill?.state === DrillState.BURNING && drill.site === site.name
  const coming = drill?.state === DrillState.COMING_BACK && drill.site === site.name
  const out = burning || coming || site.state === SiteState.UNREACHABLE || site.state === SiteState.NOT_READY
  const name = nameOf(site.name)
  return (
    <li className={out ? `${css.site} ${css.out}` : css.site} data-colour={(place % 3) + 1}>
      <div className={css.top}>
        <h2>
          <Flame state={out ? 'out' : 'lit'} />
          {name}
        </h2>
        <State site={site} burning={burning} coming={coming} />
      </div>
      <dl className={css.nums}>
        <div>
          <dt>{w('connected')}</dt>
          <dd>{w('peopleCount', { n: out ? 0 : site.people })}</dd>
        </div>
        <div>
          <dt>{w('rate')}</dt>
          <dd>{grouped(Math.round(out ? 0 : site.sends))}</dd>
        </div>
        <div>
          <dt>{w('latency')}</dt>
          <dd>{out || site.p99Ms === 0 ? '—' : `${Math.round(site.p99Ms)}ms`}</dd>
        </div>
      </dl>
      {!out && site.behind > 200n && <p className={css.muted}>{w('behind', { n: Number(site.behind) })}</p>}
      {canBurn && <Act site={site} drill={drill} burning={burning} steady={steady} busy={busy} name={name} onFire={onFire} onLight={onLight} />}
    </li>
  )
}

function Act({ site, drill, burning, steady, busy, name, onFire, onLight }: Pick<CardProps, 'site' | 'drill' | 'steady' | 'busy' | 'onFire' | 'onLight'> & { readonly burning: boolean; readonly name: string }) {
  // One that is out without a drill, because a drill failed or its process ended, is lit the same way.
  const coming = drill?.state === DrillState.COMING_BACK && drill.site === site.name
  if (burning || (site.state === SiteState.UNREACHABLE && !coming)) {
    return (
      <Button block icon="rotate-cw" busy={busy} onClick={() => onLight(site.name)}>
        {w('light', { site: name })}
      </Button>
    )
  }
  if (coming) {
    return (
      <Button block busy>
        {w('stateComing')}
      </Button>
    )
  }
  if (underWay(drill)) {
    return (
      <Button block disabled className={css.quiet}>
        {w('oneAtATime')}
      </Button>
    )
  }
  if (!steady || drill?.waiting) {
    return (
      <Button block disabled className={css.quiet}>
        {w(steady ? 'whenThere' : 'whenWell')}
      </Button>
    )
  }
  return (
    <Button block kind="danger" icon="flame" onClick={() => onFire(site)} aria-label={w('burnAt', { site: name })}>
      {w('burn')}
    </Button>
  )
}

function State({ site, burning, coming }: { readonly site: SiteReport; readonly burning: boolean; readonly coming: boolean }) {
  if (burning) {
    return (
      <Tag kind="danger">
        <Icon name="flame" />
        {w('stateFire')}
      </Tag>
    )
  }
  if (coming) return <Tag kind="warn">{w('stateComing')}</Tag>
  switch (site.state) {
    case SiteState.READY:
      return (
        <Tag kind="good">
          <Icon name="check" />
          {w(site.leader ? 'stateLeader' : 'stateReady')}
        </Tag>
      )
    case SiteState.DRAINING:
      return <Tag kind="warn">{w('stateDraining')}</Tag>
    case SiteState.CATCHING_UP:
      return <Tag kind="warn">{w('stateCatching')}</Tag>
    case SiteState.NOT_READY:
      return <Tag kind="warn">{w('stateNotReady')}</Tag>
    default:
      return <Tag kind="danger">{w('stateOut')}</Tag>
  }
}

function Audit({ drill, last }: { readonly drill: GetDrillResponse | null; readonly last: Drill | null; readonly burns: string }) {
  const going = underWay(drill)
  const done = drill?.state === DrillState.DONE ? drill.drill : undefined
  const d = done ?? last
  if (!going && drill?.state === DrillState.FAILED) {
    return (
      <section className={css.audit} aria-label={w('thisDrill')}>
        <div>
          <h2>{w('thisDrill')}</h2>
          <p>{w('failed')}</p>
          <Matters list={drill.why} />
        </div>
      </section>
    )
  }
  if (!going && !d) {
    return (
      <section className={css.audit} aria-label={w('pastDrill')}>
        <div>
          <h2>{w('pastDrill')}</h2>
          <p>{w('neverDrilled')}</p>
        </div>
      </section>
    )
  }
  const gap = going ? drill!.gapMs : Math.max(d!.sendGapMs, d!.deliveryGapMs, d!.movedSendGapMs, d!.movedDeliveryGapMs)
  const acked = Number(going ? drill!.acked : d!.acked)
  const checked = Number(drill?.checked ?? 0)
  const says = going ? (checked > 0 || drill!.state === DrillState.READING ? w('auditWait', { n: acked, k: checked }) : w('auditStart', { n: acked })) : w(!d!.held ? 'auditNotHeld' : d!.source === 'demo' ? 'auditDone' : 'auditRecorded', { n: acked })
  const title = going || done ? w('thisDrill') : w('pastDrill')
  const checking = <dd className={css.wait}>{w('checking')}</dd>
  return (
    <section className={css.audit} aria-label={title}>
      <div>
        <h2>{title}</h2>
        <p>{says}</p>
        {done && <Matters list={drill!.why} />}
      </div>
      <dl>
        <div>
          <dt>{w('lost')}</dt>
          {going ? checking : <dd>{grouped(Number(d!.lost))}</dd>}
        </div>
        <div>
          <dt>{w('doubled')}</dt>
          {going ? checking : <dd>{grouped(Number(d!.duplicated))}</dd>}
        </div>
        {!going && !d!.held && (
          <div>
            <dt>{w('outOfOrder')}</dt>
            <dd>{grouped(Number(d!.reordered))}</dd>
          </div>
        )}
        {(going || d!.tried > 0n) && (
          <div>
            <dt>{w('unauthorised')}</dt>
            {going ? (
              checking
            ) : (
              <dd>
                {grouped(Number(d!.unauthorised))}
                <small>{w('ofTries', { n: Number(d!.tried) })}</small>
              </dd>
            )}
          </div>
        )}
        <div>
          <dt>{w('worst')}</dt>
          {going && gap === 0 ? (
            checking
          ) : (
            <dd>
              {seconds(gap)}
              <small>{w('seconds')}</small>
            </dd>
          )}
        </div>
        {(going || d!.moved > 0) && (
          <div>
            <dt>{w('movedPeople')}</dt>
            <dd>
              {going ? drill!.moved : d!.moved}
              <small>{w('persons')}</small>
            </dd>
          </div>
        )}
      </dl>
    </section>
  )
}
