// What a text is made of: its length as the server counts it, the links in it, whether it is nothing but emoji.

/** nfc is the form in which text is sent: composed, as keyboards here type it. */
export function nfc(s: string): string {
  return s.normalize('NFC')
}

/** codePoints counts as the server does. */
export function codePoints(s: string): number {
  let n = 0
  for (const _ of s) n++
  return n
}

/** Part of a text; href only of links. */
export interface Part {
  readonly text: string
  readonly href?: string
}

// A host ends in Latin letters (or 한국), so a particle written right after it does not belong to it. No user names before
// the host: "https://bank.example@evil.example" must not look like a link to the first.
const LINK = /(https?:\/\/|www\.)((?:[\p{L}\p{N}_-]+\.)+(?:[a-z]{2,63}|한국)|localhost|\d{1,3}(?:\.\d{1,3}){3})(?![\p{sc=Latin}\p{N}@])(:\d{1,5})?(?!@)([/?#][^\s<>"'`\u3000\u2018-\u201f「」『』《》〈〉]*)?/giu
// Without www or https an address is one only at an end that hardly anything else has, and so is a mail's.
const BARE = /(?<![\p{L}\p{N}@/._%+-])([\w.+-]{1,64}@)?((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}(?:com|net|org|edu|kr|io|dev|app|jp|cn|uk|eu))(?![\p{sc=Latin}\p{N}@_-]|\.[a-z0-9])([/?#][^\s<>"'`\u3000\u2018-\u201f「」『』《》〈〉]*)?/giu
const PARTICLE = /([!-~])(?:에서|에게|에는|에도|으로|이라고|라고|입니다|이에요|예요|이나|까지|부터|에|를|을|이|가|은|는|로|와|과|도|의|요)$/u

/** linkify splits a text into plain parts and links to pages and mail addresses; joined they are the text again. */
export function linkify(text: string): readonly Part[] {
  return addressed(text).flatMap((part) => (part.href === undefined ? bare(part.text) : [part]))
}

function bare(text: string): readonly Part[] {
  if (!/[a-z0-9]\.[a-z]/i.test(text)) return [{ text }]
  const parts: Part[] = []
  let from = 0
  for (const m of text.matchAll(BARE)) {
    const [, user, host, path] = m
    const link = user ? user + host! : trimEnd(m[0])
    if (user && path) continue
    if (m.index > from) parts.push({ text: text.slice(from, m.index) })
    parts.push({ text: link, href: `${user ? 'mailto:' : 'https://'}${link}` })
    from = m.index + link.length
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from) })
  return parts
}

function addressed(text: string): readonly Part[] {
  if (!/https?:\/\/|www\./i.test(text)) return [{ text }]
  const parts: Part[] = []
  let from = 0
  for (const m of text.matchAll(LINK)) {
    const before = text[m.index - 1]
    if (before !== undefined && /[\p{L}\p{N}@/.]/u.test(before) && /^www/i.test(m[1]!)) continue
    const link = trimEnd(m[0])
    const href = /^www/i.test(link) ? `https://${link}` : link
    if (!URL.canParse(href)) continue
    if (m.index > from) parts.push({ text: text.slice(from, m.index) })
    parts.push({ text: link, href })
    from = m.index + link.length
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from) })
  return parts
}

// trimEnd leaves out what ends the sentence, not the address: full stops, a bracket opened before it, a particle.
function trimEnd(link: string): string {
  let s = link
  for (;;) {
    const before = s
    s = s.replace(/[.,;:!?…~*_]+$/u, '')
    for (const [open, close] of ['()', '[]', '{}']) {
      if (s.endsWith(close!) && s.split(close!).length > s.split(open!).length) s = s.slice(0, -1)
    }
    s = s.replace(PARTICLE, '$1')
    if (s === before) return s
  }
}

// Pictographs that are text unless asked to be pictures.
const SIGNS = '\\u00a9\\u00ae\\u2122\\u203c\\u2049\\u2139\\u2194-\\u21aa\\u3030\\u303d\\u3297\\u3299'
const ONE = `(?:\\p{RI}{2}|[0-9#*]\\ufe0f?\\u20e3|(?![${SIGNS}](?!\\ufe0f))\\p{ExtPict}(?:\\ufe0f|\\p{EMod})?[\\u{e0020}-\\u{e007f}]*(?:\\u200d\\p{ExtPict}(?:\\ufe0f|\\p{EMod})?)*)`
const EMOJI = new RegExp(`^${ONE}(?: ?${ONE}){0,5}$`, 'u')

/** isEmojiOnly: at most six emoji and nothing else; they are drawn large. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= 120 && EMOJI.test(text.trim())
}
