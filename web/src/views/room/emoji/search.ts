// The emoji of the picker and how they are found. The data is loaded with the picker, not with the page.
import { reactionChars } from '../actions.ts'
import data from './data.json'

export interface Emoji {
  readonly char: string
  readonly ko: string
  readonly en: string
  /** words to be found by, in both languages, lower case. */
  readonly words: string
}

export const groupNames = ['faces', 'people', 'nature', 'food', 'activities', 'travel', 'objects', 'symbols', 'flags'] as const
export type GroupName = (typeof groupNames)[number]

function parse(lines: string): readonly Emoji[] {
  return lines.split('\n').map((line) => {
    const [char = '', ko = '', koWords = '', en = '', enWords = ''] = line.split('\t')
    return { char, ko, en, words: `${ko},${koWords},${en},${enWords}`.toLowerCase() }
  })
}

export const groups: readonly { readonly name: GroupName; readonly list: readonly Emoji[] }[] = groupNames.map((name, i) => ({ name, list: parse(data[i] ?? '') }))

const used: readonly string[] = reactionChars
const byChar = new Map(groups.flatMap((g) => g.list.map((e) => [e.char, e] as const)))

export function emojiOf(char: string): Emoji | undefined {
  return byChar.get(char)
}

/** searchEmoji finds emoji all of whose query words are in their words. A whole word counts more than the beginning of a name, and that more than a part; among equals those that are used as reactions come first. */
export function searchEmoji(query: string, max: number): readonly Emoji[] {
  const q = query.normalize('NFC').toLowerCase().trim()
  if (q === '') return []
  const exact = byChar.get(q)
  if (exact !== undefined) return [exact]
  const parts = q.split(/\s+/)
  const whole: Emoji[] = []
  const begins: Emoji[] = []
  const rest: Emoji[] = []
  for (const group of groups) {
    for (const e of group.list) {
      if (!parts.every((p) => e.words.includes(p))) continue
      if (e.words.split(/[\s,:]+/).includes(q)) whole.push(e)
      else if (e.ko.startsWith(q) || e.en.toLowerCase().startsWith(q)) begins.push(e)
      else rest.push(e)
    }
  }
  const known = (e: Emoji) => (used.includes(e.char) ? 0 : 1)
  return [whole, begins, rest].flatMap((l) => l.sort((a, b) => known(a) - known(b))).slice(0, max)
}
