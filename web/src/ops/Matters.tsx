// What an operator should know, as lines: the server says what kind it is and gives the figures, the words are the page's.
import type { Matter } from '../gen/bonghwa/api/v1/operator_pb.ts'
import css from './Ops.module.css'
import { nameOf } from './names.ts'
import { matterFor, w } from './words.ts'

/** span is a time that something took, in words. */
function span(seconds: number): string {
  if (seconds < 120) return w('spanSeconds', { n: seconds })
  if (seconds < 7200) return w('spanMinutes', { n: Math.floor(seconds / 60) })
  return w('spanHours', { n: Math.floor(seconds / 3600) })
}

/** matterText is what a matter is in a sentence: in the server's English if this page does not know its kind. */
export function matterText(m: Matter): string {
  const n = Number(m.n)
  return matterFor(m.kind, { on: nameOf(m.on), n, s: (Math.abs(n) / 1000).toFixed(1), t: span(n) }) ?? m.text
}

/** Cause is what the program says itself, in English and smaller. */
export function Cause({ of }: { readonly of: Matter }) {
  if (of.detail === '' || matterFor(of.kind, {}) === null) return null
  return (
    <span className={css.cause} lang="en">
      {of.detail}
    </span>
  )
}

export function Matters({ list }: { readonly list: readonly Matter[] }) {
  return list.map((m, i) => (
    <p key={i}>
      {matterText(m)} <Cause of={m} />
    </p>
  ))
}
