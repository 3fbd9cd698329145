// What is kept of a person's settings, and how it is put on <html>. Apart from the rest, because it runs before the first
// paint in a small script of its own.
import type { Language } from '../lib/messages.ts'

export interface Settings {
  readonly theme: 'light' | 'dark' | 'system'
  readonly text: 'normal' | 'large'
  readonly lang: Language
  readonly sound: boolean
  /** notify: the person wants browser notifications; whether the browser allows them is another matter. */
  readonly notify: boolean
  /** notifyText: notifications show the words, else only who wrote. */
  readonly notifyText: boolean
  /** enterSends: where a finger is all there is, with no Shift beside it, Enter breaks the line until the person wants otherwise. */
  readonly enterSends: boolean
  /** listWidth of the list pane in px, before large text; 0: the design's. */
  readonly listWidth: number
  /** infoClosed: on very wide windows the room's information was closed. */
  readonly infoClosed: boolean
}

/** SETTINGS is the name under which they are kept. */
export const SETTINGS = 'bonghwa.settings'

/** parseSettings reads what was kept; anything that is not a value of its kind is the default. */
export function parseSettings(kept: string | null, browserLanguage: string, finger = false): Settings {
  const v = parse(kept)
  const pick = <T extends string>(x: unknown, of: readonly T[], or: T): T => (of.includes(x as T) ? (x as T) : or)
  const flag = (x: unknown, or: boolean): boolean => (typeof x === 'boolean' ? x : or)
  return {
    theme: pick(v['theme'], ['light', 'dark', 'system'], 'system'),
    text: pick(v['text'], ['normal', 'large'], 'normal'),
    lang: pick(v['lang'], ['ko', 'en'], /^ko\b/i.test(browserLanguage) ? 'ko' : 'en'),
    sound: flag(v['sound'], true),
    notify: flag(v['notify'], true),
    notifyText: flag(v['notifyText'], true),
    enterSends: flag(v['enterSends'], !finger),
    listWidth: typeof v['listWidth'] === 'number' && v['listWidth'] >= 280 && v['listWidth'] <= 440 ? v['listWidth'] : 0,
    infoClosed: flag(v['infoClosed'], false),
  }
}

function parse(kept: string | null): Record<string, unknown> {
  try {
    const v: unknown = JSON.parse(kept ?? '{}')
    return typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** readSettings reads them where they are kept. */
export function readSettings(): Settings {
  let kept: string | null = null
  try {
    kept = localStorage.getItem(SETTINGS)
  } catch {
    // Storage is refused: the defaults.
  }
  if (typeof navigator === 'undefined') return parseSettings(kept, 'ko')
  return parseSettings(kept, navigator.language, matchMedia('(pointer: coarse) and (hover: none)').matches)
}

/** showSettings puts theme, text size and language on <html>. */
export function showSettings(s: Settings): void {
  const root = document.documentElement
  root.lang = s.lang
  if (s.theme === 'system') root.removeAttribute('data-theme')
  else root.dataset['theme'] = s.theme
  if (s.text === 'normal') root.removeAttribute('data-text')
  else root.dataset['text'] = s.text
}
