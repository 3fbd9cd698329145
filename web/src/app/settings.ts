// What a person set for this browser: kept in localStorage for all accounts in it, in memory where that is refused. Theme,
// text size and language are also on <html>, set before the first paint by early.ts and again with each change.
import { useSyncExternalStore } from 'react'
import { hasTexts, setLanguage } from '../lib/messages.ts'
import { load } from './load.ts'
import { readSettings, SETTINGS, type Settings, showSettings } from './stored.ts'

export { showSettings } from './stored.ts'
export type { Settings } from './stored.ts'

let current = readSettings()
const listeners = new Set<() => void>()

/** settings are the values now. */
export function settings(): Settings {
  return current
}

/** useSetting gives a value and draws anew when it changes. */
export function useSetting<K extends keyof Settings>(key: K): Settings[K] {
  return useSyncExternalStore(subscribe, () => current[key])
}

/** setSetting changes a value here and in the other windows. */
export function setSetting<K extends keyof Settings>(key: K, value: Settings[K]): void {
  if (current[key] === value) return
  change({ ...current, [key]: value })
  try {
    localStorage.setItem(SETTINGS, JSON.stringify(current))
  } catch {
    // Storage is refused or full: the value holds for this page.
  }
}

/** watchSettings follows changes made in other windows. */
export function watchSettings(): void {
  addEventListener('storage', (e) => {
    if (e.key === SETTINGS) change(readSettings())
  })
}

function change(next: Settings): void {
  const before = current
  current = next
  if (next.lang !== before.lang) void speak(next.lang)
  if (hasTexts(next.lang)) show()
}

function show(): void {
  showSettings(current)
  for (const fn of listeners) fn()
}

// Nothing is drawn anew before the words are here; the last choice counts.
async function speak(lang: Settings['lang']): Promise<void> {
  await load(() => setLanguage(lang))
  if (current.lang !== lang) await setLanguage(current.lang)
  show()
}

/** readyWords is awaited before anything is drawn. If English cannot be fetched, the words are Korean. */
export async function readyWords(): Promise<void> {
  await load(() => setLanguage(current.lang)).catch(() => undefined)
}

function subscribe(fn: () => void): () => void {
  listeners.add(fn)
  return () => listeners.delete(fn)
}
