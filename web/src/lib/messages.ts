// The words of the interface. They live in messages/<language>/<file>.json, where translators edit them; the Korean files
// say which keys exist. Both languages are in the first script: the interface never waits for its words.
//
// In a text: {name} is a value; {name|이/가} a value with the particle that fits it; {n|one:# person|other:# people} a
// number with its plural, # being the number. Numbers are grouped (3,000).
import koChats from '../../messages/ko/chats.json'
import koCommon from '../../messages/ko/common.json'
import koEmoji from '../../messages/ko/emoji.json'
import koEntry from '../../messages/ko/entry.json'
import koErrors from '../../messages/ko/errors.json'
import koFriends from '../../messages/ko/friends.json'
import koInfo from '../../messages/ko/info.json'
import koMore from '../../messages/ko/more.json'
import koPeople from '../../messages/ko/people.json'
import koRoom from '../../messages/ko/room.json'
import koShell from '../../messages/ko/shell.json'
import enChats from '../../messages/en/chats.json'
import enCommon from '../../messages/en/common.json'
import enEmoji from '../../messages/en/emoji.json'
import enEntry from '../../messages/en/entry.json'
import enErrors from '../../messages/en/errors.json'
import enFriends from '../../messages/en/friends.json'
import enInfo from '../../messages/en/info.json'
import enMore from '../../messages/en/more.json'
import enPeople from '../../messages/en/people.json'
import enRoom from '../../messages/en/room.json'
import enShell from '../../messages/en/shell.json'
import { particle } from './josa.ts'

export type Language = 'ko' | 'en'
export type Params = Readonly<Record<string, string | number>>

const ko = {
  chats: koChats, common: koCommon, emoji: koEmoji, entry: koEntry, errors: koErrors, friends: koFriends, info: koInfo,
  more: koMore, people: koPeople, room: koRoom, shell: koShell,
}
const en = {
  chats: enChats, common: enCommon, emoji: enEmoji, entry: enEntry, errors: enErrors, friends: enFriends, info: enInfo,
  more: enMore, people: enPeople, room: enRoom, shell: enShell,
}

type Files = typeof ko
/** Key of a text: file.name. */
export type Key = { [F in keyof Files]: `${F}.${keyof Files[F] & string}` }[keyof Files]

const texts: Record<Language, Record<string, Record<string, string>>> = { ko, en }

let current: Language = 'ko'

/** language is the one in use. */
export function language(): Language {
  return current
}

/** setLanguage changes it; who shows texts draws anew. */
export function setLanguage(l: Language): void {
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
  return texts[current][file]?.[name] ?? texts.ko[file]?.[name]
}

/** fill puts values into a text. */
export function fill(text: string, params: Params = {}): string {
  return text.replace(/\{(\w+)(?:\|([^{}]*))?\}/g, (whole, name: string, form: string | undefined) => {
    const value = params[name]
    if (value === undefined) return whole
    const shown = typeof value === 'number' ? value.toLocaleString('en-US') : value
    if (form === undefined) return shown
    if (!form.includes(':')) return shown + particle(shown, form)
    const forms = new Map(form.split('|').map((f) => [f.slice(0, f.indexOf(':')), f.slice(f.indexOf(':') + 1)] as const))
    const chosen = (value === 1 ? forms.get('one') : undefined) ?? forms.get('other') ?? '#'
    return chosen.replaceAll('#', shown)
  })
}
