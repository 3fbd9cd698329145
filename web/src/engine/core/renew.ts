// A name that is known with another tag, or a session that belongs to another device, means that this outbox was copied and
// both copies are in use. This one gets a new device id: stored first, then given to the session. Every open item is then
// given up under its old name; what was not in is sent under a new name, what was in is settled.
import { dropConns, end } from './conn.ts'
import type { Failure } from './frames.ts'
import { encode } from './ids.ts'
import type { Inside } from './inside.ts'
import { maxRenewals, refusalOf, renewalWindow } from './inside.ts'
import { bytes } from './rand.ts'

/** renew starts the change of device. */
export function renew(s: Inside, now: number, why: Failure): void {
  if (s.renewing || s.ended) return
  s.renewals = [...s.renewals.filter((t) => now - t < renewalWindow), now]
  if (s.renewals.length > maxRenewals) {
    // Two copies that take turns would go on for ever: people have to decide.
    end(s, now, refusalOf(why))
    return
  }
  dropConns(s, now)
  s.renewing = true
  s.renewId = 0
  s.renewAt = now
  s.renewFails = 0
  s.device = encode(bytes(s.rand, 16))
  s.persistMeta()
  s.renewNeeds = s.pendingId
  for (const scope of s.scopes.values()) {
    scope.goBack = false
    scope.pausedTo = scope.attempts = 0
  }
  pumpRenew(s, now)
}

/** renewMayGo: the new device id is safe, and nothing is under way. */
export const renewMayGo = (s: Inside): boolean => s.renewId === 0 && s.renewNeeds <= s.storedUpTo

export function pumpRenew(s: Inside, now: number): void {
  if (!renewMayGo(s) || now < s.renewAt) return
  s.renewId = ++s.nextCall
  s.emit({ t: 'renew', id: s.renewId, site: s.httpSite, device: s.device })
}

/** renewed answers a renew: done, or a failure, or lost. */
export function renewed(s: Inside, now: number, id: number, f: Failure | null, lost: boolean): void {
  if (!s.renewing || id !== s.renewId) return
  s.renewId = 0
  if (lost || f?.again) {
    s.renewFails++
    if (lost) s.httpSite = s.after(s.httpSite)
    s.renewAt = now + s.jitter(s.renewFails) + (f?.retryAfterMs ?? 0)
    return
  }
  s.renewing = false
  if (f) {
    end(s, now, refusalOf(f))
    return
  }
  s.persistMeta()
  s.connectAt = now
}
