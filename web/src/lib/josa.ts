// Korean particles that depend on the sound a word ends in: after a closed syllable one form, after an open one the other.
// Words end in anything: Hangul, digits, Latin letters, a closing quote, an emoji. What carries no sound is passed over.

/** Josa names a pair: the form after a closed syllable first, as in dictionaries. */
export type Josa = '은/는' | '이/가' | '을/를' | '과/와' | '으로/로' | '아/야' | '이나/나' | '이라/라' | '이에요/예요' | '이랑/랑'

type Ending = 'open' | 'closed' | 'rieul'

/** josa returns the word with the right form of the particle. */
export function josa(word: string, pair: Josa): string {
  return word + particle(word, pair)
}

/** particle returns the form alone. */
export function particle(word: string, pair: string): string {
  const [closed = '', open = ''] = pair.split('/')
  const end = ending(word)
  // 로 is the one that treats ㄹ as open: 서울로, 1로.
  if (pair === '으로/로') return end === 'closed' ? closed : open
  return end === 'open' ? open : closed
}

function ending(word: string): Ending {
  const w = word.normalize('NFC').replace(/[^\p{L}\p{N}]+$/u, '')
  const last = w.at(-1)
  if (last === undefined) return 'open'
  const code = last.charCodeAt(0)
  if (code >= 0xac00 && code <= 0xd7a3) {
    const final = (code - 0xac00) % 28
    return final === 0 ? 'open' : final === 8 ? 'rieul' : 'closed'
  }
  if (code >= 0x3131 && code <= 0x314e) return last === 'ㄹ' ? 'rieul' : 'closed' // 기역, 니은, 리을
  if (code >= 0x314f && code <= 0x3163) return 'open'
  if (/[0-9]/.test(last)) return digits(w)
  if (/[a-z]/i.test(last)) return latin(w)
  return 'open'
}

function digits(w: string): Ending {
  const zeros = /[1-9](0+)$/.exec(w.replaceAll(',', ''))?.[1]?.length ?? 0
  if (zeros >= 12 && zeros < 16) return 'open' // 조
  switch (w.at(-1)) {
    case '1': case '7': case '8': return 'rieul'
    case '0': case '3': case '6': return 'closed'
    default: return 'open'
  }
}

// Latin words are read as Koreans read them; names of letters when all are capitals.
function latin(w: string): Ending {
  const word = /[A-Za-z]+$/.exec(w)?.[0] ?? ''
  if (word === word.toUpperCase()) {
    const c = word.at(-1)
    return c === 'L' || c === 'R' ? 'rieul' : c === 'M' || c === 'N' ? 'closed' : 'open'
  }
  const s = word.toLowerCase()
  if (/l$|le$/.test(s)) return 'rieul'
  if (/m$|n$|ng$|[aeiou][mn]e$/.test(s)) return 'closed'
  if (/[aeiou]([bckpt]|ck)$/.test(s)) return 'closed'
  return 'open'
}
