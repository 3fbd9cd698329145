// How views reach the engine.
import { createContext, useCallback, useContext, useEffect, useRef, useSyncExternalStore } from 'react'
import type { Engine, Person, Signal } from '../engine/types.ts'
import { t } from '../lib/messages.ts'

export const EngineContext = createContext<Engine | null>(null)

/** useEngine is the engine of this window. */
export function useEngine(): Engine {
  const e = useContext(EngineContext)
  if (!e) throw new Error('no engine around this view')
  return e
}

/** useSignal gives the value and draws anew with each change. */
export function useSignal<T>(s: Signal<T>): T {
  const subscribe = useCallback((fn: () => void) => s.subscribe(fn), [s])
  return useSyncExternalStore(subscribe, () => s.get())
}

/** useSelect gives a part of the value and draws anew only when that part is another one (Object.is). */
export function useSelect<T, R>(s: Signal<T>, f: (v: T) => R): R {
  const subscribe = useCallback((fn: () => void) => s.subscribe(fn), [s])
  const memo = useRef<{ v: T; f: (v: T) => R; r: R } | null>(null)
  return useSyncExternalStore(subscribe, () => {
    const v = s.get()
    const m = memo.current
    if (m && m.v === v && m.f === f) return m.r
    const r = f(v)
    memo.current = { v, f, r: m && Object.is(m.r, r) ? m.r : r }
    return r
  })
}

/** usePerson gives what is known of a person, and asks for people not known yet, or not lately. */
export function usePerson(id: string): Person | undefined {
  const engine = useEngine()
  const person = useSelect(engine.people, (p) => p.byId.get(id))
  useEffect(() => {
    if (id !== '') engine.wantPeople([id])
  }, [engine, id, person === undefined])
  return person
}

/** useMe is the own account, once known. */
export function useMe(): Person | null {
  return useSelect(useEngine().app, (a) => a.me)
}

/** displayName is empty until the person is known; a closed account has no name of its own. */
export function displayName(p: Person | null | undefined): string {
  if (!p) return ''
  return p.closed ? t('common.unknownPerson') : p.name
}
