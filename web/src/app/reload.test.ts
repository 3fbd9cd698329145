// A new build: the page is loaded again, but not where that would end the session.
import { afterEach, expect, test, vi } from 'vitest'
import type { AppState, Engine } from '../engine/types.ts'
import { watchBuild } from './reload.ts'

afterEach(() => vi.unstubAllGlobals())

test.each([
  ['ok', 1],
  ['full', 1],
  ['refused', 0], // all is in memory: the log-in, what was written, what was not sent
] as const)('storage %s: loaded again %i times', (storage, times) => {
  const reload = vi.fn()
  const kept = new Map<string, string>()
  vi.stubGlobal('location', { reload })
  vi.stubGlobal('sessionStorage', { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) })
  vi.stubGlobal('document', { hidden: true, querySelector: () => null, addEventListener: () => {}, removeEventListener: () => {} })
  const state = { newBuild: true, storage, server: { webBuild: 'next' }, sites: { list: [] } } as unknown as AppState
  const app = { get: () => state, subscribe: () => () => {} }
  watchBuild({ app } as unknown as Engine)()
  expect(reload).toHaveBeenCalledTimes(times)
})
