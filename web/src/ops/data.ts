// What the operators' page knows, asked for once a second while the page is seen. Whatever site answers: one that burns is silent,
// and the next one is asked.
import { createClient } from '@connectrpc/connect'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useEngine } from '../app/context.ts'
import { reasonOf } from '../app/errors.ts'
import type { Engine } from '../engine/types.ts'
import { type Drill, DrillState, type GetDrillResponse, type GetSitesResponse, OperatorService } from '../gen/bonghwa/api/v1/operator_pb.ts'
import type { Client } from '@connectrpc/connect'

export type Ask = <T>(f: (c: Client<typeof OperatorService>) => Promise<T>) => Promise<T>

/** useAsk calls OperatorService. */
export function useAsk(): Ask {
  const engine = useEngine()
  return useCallback<Ask>((f) => ask(engine, f), [engine])
}

function ask<T>(engine: Engine, f: (c: Client<typeof OperatorService>) => Promise<T>): Promise<T> {
  return engine.service((at) => f(createClient(OperatorService, at)))
}

/** Second is what all sites acknowledged in one second. */
export interface Second {
  readonly at: number
  readonly sends: ReadonlyMap<string, number>
  readonly p99: number
}

export interface Live {
  readonly sites: GetSitesResponse | null
  readonly drill: GetDrillResponse | null
  readonly seconds: readonly Second[]
  /** last is the newest drill of the list. */
  readonly last: Drill | null
  /** wrong is the reason why the newest question has no answer; empty: it has one. */
  readonly wrong: string
}

/** KEPT is how many seconds are drawn. */
export const KEPT = 120

/** merged adds seconds to those known; of two about the same second the one that has heard more counts. */
export function merged(old: readonly Second[], fresh: readonly Second[]): readonly Second[] {
  if (fresh.length === 0) return old
  const all = new Map(old.map((s) => [s.at, s]))
  for (const s of fresh) {
    const known = all.get(s.at)
    if (!known || s.sends.size >= known.sends.size) all.set(s.at, s)
  }
  return [...all.values()].sort((a, b) => a.at - b.at).slice(-KEPT)
}

/** underWay: a drill has begun and is not over. */
export function underWay(d: GetDrillResponse | null): boolean {
  return d?.state === DrillState.BURNING || d?.state === DrillState.COMING_BACK || d?.state === DrillState.READING
}

const EVERY = 1000

export function useLive(): Live & { readonly look: () => void } {
  const call = useAsk()
  const [live, setLive] = useState<Live>({ sites: null, drill: null, seconds: [], last: null, wrong: '' })
  const newest = useRef(0)
  const was = useRef<DrillState | null>(null)
  const asking = useRef(false)

  const look = useCallback(async () => {
    if (asking.current) return
    asking.current = true
    try {
      const [drill, sites, watched] = await Promise.all([call((c) => c.getDrill({})), call((c) => c.getSites({})), call((c) => c.watchSites({ after: BigInt(Math.max(newest.current - 3, 0)) }))])
      const fresh = watched.points.map((p) => ({ at: Number(p.at), sends: new Map(watched.sites.map((s, i) => [s, p.sends[i] ?? 0] as const)), p99: p.p99Ms }))
      newest.current = Math.max(newest.current, ...fresh.map((s) => s.at))
      const list = was.current !== drill.state && !underWay(drill) ? await call((c) => c.listDrills({})) : null
      was.current = drill.state
      setLive((l) => ({ sites, drill, seconds: merged(l.seconds, fresh), last: list ? (list.drills[0] ?? null) : l.last, wrong: '' }))
    } catch (e) {
      setLive((l) => ({ ...l, wrong: reasonOf(e) }))
    } finally {
      asking.current = false
    }
  }, [call])

  useEffect(() => {
    const tick = () => {
      if (document.visibilityState === 'visible') void look()
    }
    tick()
    const timer = setInterval(tick, EVERY)
    document.addEventListener('visibilitychange', tick)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', tick)
    }
  }, [look])
  return { ...live, look: () => void look() }
}

/** usePages reads a list page by page. */
export function usePages<T>(read: (c: Client<typeof OperatorService>, before: string) => Promise<{ readonly items: readonly T[]; readonly next: string }>): {
  readonly items: readonly T[] | null
  readonly more: boolean
  readonly wrong: string
  readonly next: () => void
} {
  const call = useAsk()
  const [state, setState] = useState<{ items: readonly T[] | null; cursor: string; wrong: string }>({ items: null, cursor: '', wrong: '' })
  const how = useRef(read)
  const load = useCallback(
    (before: string) => {
      call((c) => how.current(c, before)).then(
        (r) => setState((s) => ({ items: before === '' ? r.items : [...(s.items ?? []), ...r.items], cursor: r.next, wrong: '' })),
        (e: unknown) => setState((s) => ({ ...s, wrong: reasonOf(e) })),
      )
    },
    [call],
  )
  useEffect(() => load(''), [load])
  return { items: state.items, more: state.cursor !== '', wrong: state.wrong, next: () => load(state.cursor) }
}
