// Finding names by what Koreans type: whole letters, beginnings of syllables, or initials alone (초성).
// Each letter of the query matches an initial (ㅂ), a syllable that begins like it (바 in 박), or itself. While a syllable is
// being composed its last consonant may already belong to the next one (숳 finds 수하), and two initials may have been
// joined by the keyboard (ㄳ is ㄱㅅ).

const INITIALS = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'
const FINALS = ['', 'ㄱ', 'ㄲ', 'ㄱㅅ', 'ㄴ', 'ㄴㅈ', 'ㄴㅎ', 'ㄷ', 'ㄹ', 'ㄹㄱ', 'ㄹㅁ', 'ㄹㅂ', 'ㄹㅅ', 'ㄹㅌ', 'ㄹㅍ', 'ㄹㅎ', 'ㅁ', 'ㅂ', 'ㅂㅅ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ', 'ㅎ'] as const
const JOINED: Record<string, string> = { ㄳ: 'ㄱㅅ', ㄵ: 'ㄴㅈ', ㄶ: 'ㄴㅎ', ㄺ: 'ㄹㄱ', ㄻ: 'ㄹㅁ', ㄼ: 'ㄹㅂ', ㄽ: 'ㄹㅅ', ㄾ: 'ㄹㅌ', ㄿ: 'ㄹㅍ', ㅀ: 'ㄹㅎ', ㅄ: 'ㅂㅅ' }
// Vowels that begin like another: 고 is on the way to 과.
const VOWELS = 'ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ'
const LONGER: Record<string, string> = { ㅗ: 'ㅘㅙㅚ', ㅜ: 'ㅝㅞㅟ', ㅡ: 'ㅢ' }
const BASE: Record<string, string> = { ㄲ: 'ㄱ', ㄸ: 'ㄷ', ㅃ: 'ㅂ', ㅆ: 'ㅅ', ㅉ: 'ㅈ' }

/** INDEX are the sections of a list in 가나다 order. */
export const INDEX = [...'ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ'] as const

/** Range of UTF-16 positions in the name. */
export type Range = readonly [start: number, end: number]

/** matchInitials returns where the query is found in the name, or null. An empty query is found everywhere, unmarked. */
export function matchInitials(query: string, name: string): readonly Range[] | null {
  const q = query.normalize('NFC').trim()
  if (q === '') return []
  const chars = split(name)
  for (const units of spellings(q)) {
    for (let at = 0; at < chars.length; at++) {
      const end = matchAt(units, chars, at)
      if (end >= 0) return [[chars[at]!.at, chars[end]!.at + chars[end]!.text.length]]
    }
  }
  return null
}

interface Char {
  readonly text: string
  readonly at: number
}

function split(name: string): Char[] {
  const out: Char[] = []
  let at = 0
  for (const text of name) {
    out.push({ text, at })
    at += text.length
  }
  return out
}

// matchAt returns the index of the last character matched, or -1. Spaces in the name need not be typed.
function matchAt(units: readonly string[], chars: readonly Char[], from: number): number {
  let i = from
  for (let u = 0; u < units.length; u++, i++) {
    if (u > 0 && units[u] !== ' ') while (chars[i]?.text === ' ') i++
    const c = chars[i]
    if (!c || !begins(units[u]!, c.text)) return -1
  }
  return i - 1
}

// spellings of a query: as typed, and with the consonant at its end counted to the next syllable.
function spellings(q: string): string[][] {
  const units = [...q].flatMap((c) => [...(JOINED[c] ?? c)])
  const last = syllable(units.at(-1)!)
  if (!last || last.final === 0) return [units]
  const head = units.slice(0, -1)
  const finals = FINALS[last.final]!
  const out = [units]
  if (finals.length === 2) out.push([...head, compose(last.initial, last.vowel, FINALS.indexOf(finals[0] as 'ㄱ')), finals[1]!])
  else out.push([...head, compose(last.initial, last.vowel, 0), finals])
  return out
}

function begins(unit: string, char: string): boolean {
  const c = syllable(char)
  if (!c) return unit.toLowerCase() === char.toLowerCase()
  if (INITIALS.includes(unit)) return unit === INITIALS[c.initial] || unit === BASE[INITIALS[c.initial]!]
  const u = syllable(unit)
  if (!u || u.initial !== c.initial) return false
  if (u.final === 0) {
    const vowel = VOWELS[u.vowel]!
    return u.vowel === c.vowel || (LONGER[vowel]?.includes(VOWELS[c.vowel]!) ?? false)
  }
  return u.vowel === c.vowel && (u.final === c.final || (FINALS[c.final]!.length === 2 && FINALS[c.final]!.startsWith(FINALS[u.final]!)))
}

interface Syllable {
  readonly initial: number
  readonly vowel: number
  readonly final: number
}

function syllable(c: string): Syllable | null {
  const n = c.charCodeAt(0) - 0xac00
  if (n < 0 || n > 11171) return null
  return { initial: Math.floor(n / 588), vowel: Math.floor(n / 28) % 21, final: n % 28 }
}

function compose(initial: number, vowel: number, final: number): string {
  return String.fromCharCode(0xac00 + (initial * 21 + vowel) * 28 + final)
}

/** initialOf is the section of a name: one of INDEX, a capital Latin letter, or # for the rest. */
export function initialOf(name: string): string {
  const first = [...name.normalize('NFC').trim()][0] ?? ''
  const s = syllable(first)
  const jamo = s ? INITIALS[s.initial]! : first
  if (INITIALS.includes(jamo) && jamo !== '') return BASE[jamo] ?? jamo
  const latin = first.normalize('NFD')[0]?.toUpperCase() ?? ''
  return /[A-Z]/.test(latin) ? latin : '#'
}

const collator = new Intl.Collator('ko', { numeric: true })

/** compareNames orders 가나다 first, then Latin, then the rest. */
export function compareNames(a: string, b: string): number {
  return rank(a) - rank(b) || collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0)
}

function rank(name: string): number {
  const i = initialOf(name)
  return i === '#' ? 2 : i < 'ㄱ' ? 1 : 0
}
