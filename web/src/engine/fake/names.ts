// How the server decides a named change: each name once, in order, the last sixteen verdicts of a scope kept.
import type { Name } from '../core/frames.ts'
import { failure } from '../core/frames.ts'
import { encode } from '../core/ids.ts'
import type { Data, Verdict } from './data.ts'
import { Fault } from './data.ts'

const ringSize = 16

/** decide runs `change` if the name is new; null gives the name up. A Fault is no verdict: nothing was decided. */
export function decide(d: Data, device: string, scope: string, name: Name, change: (() => Verdict) | null): { verdict: Verdict; repeated: boolean } {
  const key = device + ' ' + scope
  let st = d.names.get(key)
  if (!st) d.names.set(key, (st = { last: 0, ring: [] }))
  st.last = Math.max(st.last, name.base - 1)
  const tag = encode(name.tag)
  if (name.n > st.last + 1) throw new Fault(failure('expected', { again: true, n: st.last + 1 }))
  if (name.n <= st.last) {
    const old = st.ring.find((r) => r.n === name.n)
    if (!old) throw new Fault(failure('already_in', { consumed: true, n: st.last }))
    if (old.tag !== tag) throw new Fault(failure('id_reused', { consumed: true }))
    return { verdict: old.verdict, repeated: true }
  }
  d.n++
  const verdict = change ? change() : { reason: 'skipped', seq: 0, time: 0, refused: [] }
  verdict.time = d.n
  st.last = name.n
  st.ring.push({ n: name.n, tag, verdict })
  if (st.ring.length > ringSize) st.ring.shift()
  return { verdict, repeated: false }
}
