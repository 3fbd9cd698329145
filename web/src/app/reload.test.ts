// A new build: the page is loaded again, but not where that would end the session; once, whatever else fails meanwhile.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AppState, Engine } from '../engine/types.ts'

const reload = vi.fn()

let load: typeof import('./load.ts').load
let watchBuild: typeof import('./reload.ts').watchBuild

beforeEach(async () => {
  vi.resetModules()
  ;({ load } = await import('./load.ts'))
  ;({ watchBuild } = await import('./reload.ts'))
  reload.mockReset()
  const kept = new Map<string, string>()
  vi.stubGlobal('location', { reload })
  vi.stubGlobal('sessionStorage', { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) })
})
afterEach(() => vi.unstubAllGlobals())

test.each([
  ['ok', 1],
  ['full', 1],
  ['refused', 0], // all is in memory: the log-in, what was written, what was not sent
] as const)('storage %s: loaded again %i times', (storage, times) => {
  vi.stubGlobal('document', { hidden: true, querySelector: () => null, addEventListener: () => {}, removeEventListener: () => {} })
  const state = { newBuild: true, storage, server: { webBuild: 'next' }, sites: { list: [] } } as unknown as AppState
  const app = { get: () => state, subscribe: () => () => {} }
  watchBuild({ app } as unknown as Engine)()
  expect(reload).toHaveBeenCalledTimes(times)
})

test('two parts are gone at the same time: loaded again once, and neither fails before that', async () => {
  vi.stubGlobal('fetch', () => Promise.resolve({ status: 404 }))
  const failed = vi.fn()
  for (let i = 0; i < 2; i++) load(() => Promise.reject(new Error('gone'))).catch(failed)
  await new Promise((done) => setTimeout(done))
  expect(reload).toHaveBeenCalledTimes(1)
  expect(failed).not.toHaveBeenCalled()
})
