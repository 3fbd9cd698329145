// What a sign-up form may hold (docs/protocol.md, "Limits"), and the sentence that puts it right.
import './texts.ts'
import { codePoints, nfc } from '../../lib/text.ts'
import { type Key, type Params, t } from '../../lib/messages.ts'

/** Problem is the text that says how to put a field right; null: right. */
export type Problem = string | null

function say(key: Key, params?: Params): string {
  return t(key, params)
}

/** nameProblem: 1-30 code points. */
export function nameProblem(name: string): Problem {
  const n = codePoints(nfc(name.trim()))
  if (n === 0) return say('entry.nameEmpty')
  return n > 30 ? say('entry.nameLong', { n: n - 30 }) : null
}

/** handleProblem: 4-20 of a-z 0-9 . _ */
export function handleProblem(handle: string): Problem {
  if (handle === '') return say('entry.handleEmpty')
  if (/[^A-Za-z0-9._]/.test(handle)) return say('entry.handleLetters')
  if (handle.length < 4) return say('entry.handleShort', { n: 4 - handle.length })
  return handle.length > 20 ? say('entry.handleLong') : null
}

/** passwordProblem: 8-128 code points. */
export function passwordProblem(password: string): Problem {
  const n = codePoints(password)
  if (n === 0) return say('entry.passwordEmpty')
  if (n < 8) return say('entry.passwordShort', { n: 8 - n })
  return n > 128 ? say('entry.passwordLong') : null
}
