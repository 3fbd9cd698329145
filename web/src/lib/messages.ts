// The words of the interface. They live in messages/<language>/<file>.json, where translators edit them; the Korean files
// say which keys exist. Korean is in the first script, but for the files of views that have a script of their own and bring them;
// English is fetched before anything is drawn in it, and a text that is not there is Korean.
//
// In a text: {name} is a value; {name|이/가} a value with the particle that fits it; {n|one:# person|other:# people} a
// number with its plural, # being the number, and {n|1:한|2:두|other:#} with words of their own for some. Numbers are grouped (3,000).
import koChats from '../../messages/ko/chats.json'
import koCommon from '../../messages/ko/common.json'
import type koEmoji from '../../messages/ko/emoji.json'
import type koEntry from '../../messages/ko/entry.json'
import koErrors from '../../messages/ko/errors.json'
import type koFriends from '../../messages/ko/friends.json'
import type koInfo from '../../messages/ko/info.json'
import type koMore from '../../messages/ko/more.json'
import koPeople from '../../messages/ko/people.json'
import koRoom from '../../messages/ko/room.json'
import koShell from '../../messages/ko/shell.json'
import { particle } from './josa.ts'

export type Language = 'ko' | 'en'
export type Params = Readonly<Record<string, string | number>>

const first = {
  chats: koChats, common: koCommon, errors: koErrors, people: koPeople, room: koRoom,
  shell: koShell,
}

interface Brought {
  readonly emoji: typeof koEmoji
  readonly entry: typeof koEntry
  readonly friends: typeof koFriends
  readonly info: typeof koInfo
  readonly more: typeof koMore
}

type Files = typeof first & Brought
/** Key of a text: file.name. */
export type Key = { [F in keyof Files]: `${F}.${keyof Files[F] & string}` }[keyof Files]

type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>

const texts: { ko: Texts; en: Texts | null } = { ko: first, en: null }

/** bring puts in the Korean texts of a view, before it draws. */
export function bring<F extends keyof Brought>(file: F, korean: Brought[F]): void {
  texts.ko = { ...texts.ko, [file]: korean as Texts[string] }
}

let current: Language = 'ko'

/** language is the one in use. */
export function language(): Language {
  return current
}

/** hasTexts: the language can be used at once. */
export function hasTexts(l: Language): boolean {
  return texts[l] !== null
}

/** setLanguage changes it, once its texts are here; who shows texts draws anew. It fails if they cannot be fetched. */
export async function setLanguage(l: Language): Promise<void> {
  if (l === 'en') texts.en ??= (await import('./english.ts')).english
  current = l
}

/** t is the text of a key with its values put in. */
export function t(key: Key, params?: Params): string {
  return fill(lookup(key) ?? key, params)
}

/** tryText is the text of a key that may not exist, as for reasons of the server that are younger than this page. */
export function tryText(key: string, params?: Params): string | null {
  const text = lookup(key)
  return text === undefined ? null : fill(text, params)
}

function lookup(key: string): string | undefined {
  const dot = key.indexOf('.')
  const file = key.slice(0, dot)
  const name = key.slice(dot + 1)
  return texts[current]?.[file]?.[name] ?? texts.ko[file]?.[name]
}

/** grouped writes a number with its thousands apart: 3,000. */
export function grouped(n: number): string {
  return Number.isInteger(n) && Math.abs(n) < 1000 ? String(n) : n.toLocaleString('en-US')
}

/** fill puts values into a text. */
export function fill(text: string, params: Params = {}): string {
  if (!text.includes('{')) return text
  return text.replace(/\{(\w+)(?:\|([^{}]*))?\}/g, (whole, name: string, form: string | undefined) => {
    const value = params[name]
    if (value === undefined) return whole
    const shown = typeof value === 'number' ? grouped(value) : value
    if (form === undefined) return shown
    if (!form.includes(':')) return shown + particle(shown, form)
    const forms = new Map(form.split('|').map((f) => [f.slice(0, f.indexOf(':')), f.slice(f.indexOf(':') + 1)] as const))
    const chosen = forms.get(String(value)) ?? (value === 1 ? forms.get('one') : undefined) ?? forms.get('other') ?? '#'
    return chosen.replaceAll('#', shown)
  })
}
