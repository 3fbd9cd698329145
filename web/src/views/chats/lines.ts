// What a row of the chat list says: its name, its one line of preview, and which rows a filter leaves. No DOM in here.
import { matchInitials, type Range } from '../../lib/hangul.ts'
import { t } from '../../lib/messages.ts'
import type { Person, RoomLine } from '../../engine/types.ts'

type People = ReadonlyMap<string, Person>

/** nameOf a person for a line of text: empty until known. */
export function nameOf(p: Person | undefined): string {
  return p === undefined ? '' : p.closed ? t('common.unknownPerson') : p.name
}

/** roomName is what this person calls a room: a group that nobody named by the others in it. Empty while a peer is not known yet. */
export function roomName(line: RoomLine, people: People): string {
  if (line.kind === 'group') return line.title === '' ? others(line, people) : line.title
  return line.kind === 'self' ? t('common.selfRoom') : nameOf(people.get(line.peer))
}

function others(line: RoomLine, people: People): string {
  const names = line.faces.map((f) => nameOf(people.get(f))).filter((n) => n !== '').sort((a, b) => a.localeCompare(b, 'ko'))
  if (names.length === 0) return t('common.unnamedGroup')
  const n = line.memberCount - 1 - names.length
  return n > 0 ? t('common.andOthers', { names: names.join(', '), n }) : names.join(', ')
}

export type Preview =
  | { readonly kind: 'failed' | 'typing' | 'text'; readonly text: string }
  | { readonly kind: 'draft'; readonly text: string }

/** preview by gravity: what a person must decide, what they began (in the open room it stands in the field), who is writing, what was said last. */
export function preview(line: RoomLine, people: People, me: string, open = false): Preview {
  if (line.failed > 0) return { kind: 'failed', text: t('chats.failed', { n: line.failed }) }
  if (line.draft !== '' && !open) return { kind: 'draft', text: oneLine(line.draft) }
  if (line.typing.length > 0) return { kind: 'typing', text: typing(line, people) }
  if (line.kind === 'direct' && people.get(line.peer)?.closed) return { kind: 'text', text: t('chats.closed') }
  if (line.last === null) return { kind: 'text', text: t('chats.nothingSaid') }
  const said = line.last.deleted ? t('chats.deleted') : oneLine(line.last.text)
  if (line.kind !== 'group') return { kind: 'text', text: said }
  if (line.last.author === me) return { kind: 'text', text: t('chats.mine', { text: said }) }
  const name = nameOf(people.get(line.last.author))
  return { kind: 'text', text: name === '' ? said : t('chats.by', { name, text: said }) }
}

function typing(line: RoomLine, people: People): string {
  const name = nameOf(people.get(line.typing[0]!))
  if (line.kind !== 'group' || name === '') return t('chats.typing')
  const n = line.typing.length - 1
  return n === 0 ? t('chats.typingBy', { name }) : t('chats.typingMany', { name, n })
}

/** oneLine is the beginning of a text without its line breaks: a row shows no more, so no more is laid out. */
export function oneLine(text: string): string {
  return text.slice(0, 200).replace(/\s+/g, ' ').trim()
}

export interface Hit {
  readonly line: RoomLine
  readonly marks: readonly Range[]
}

/** none is one and the same list: a row whose properties are what they were is not drawn anew. */
const none: readonly Range[] = []

/** filter keeps the order of the list. A room I look at stays while the unread ones are shown. */
export function filter(lines: readonly RoomLine[], people: People, query: string, unreadOnly: boolean, open: string): readonly Hit[] {
  const out: Hit[] = []
  for (const line of lines) {
    if (query === '') {
      if (!unreadOnly || line.unread > 0 || line.id === open) out.push({ line, marks: none })
      continue
    }
    const marks = matchInitials(query, roomName(line, people))
    if (marks !== null) out.push({ line, marks })
  }
  return out
}

/** TITLE is the longest title of a group, in code points. */
export const TITLE = 50
