// What a refusal means to a person: what happened, then what to do.
import { type Refusal, RefusedError } from '../engine/types.ts'
import { t, tryText } from '../lib/messages.ts'

/** errorText is the sentence for anything a call of the engine ended with. */
export function errorText(e: unknown): string {
  return e instanceof RefusedError ? refusalText(e.refusal) : t('errors.internal')
}

/** refusalText is the sentence for a refusal. */
export function refusalText(r: Refusal): string {
  const seconds = Math.ceil(r.retryAfterMs / 1000)
  if (r.reason === 'too_many_tries' && seconds > 0) {
    return seconds < 60 ? t('errors.waitSeconds', { n: seconds }) : t('errors.waitMinutes', { n: Math.ceil(seconds / 60) })
  }
  if (r.reason === 'signed_up_as') return t('errors.signed_up_as', { id: r.subject })
  return tryText(`errors.${r.reason}`) ?? t('errors.internal')
}

/** reasonOf is the reason of a refusal, or internal. */
export function reasonOf(e: unknown): string {
  return e instanceof RefusedError ? e.refusal.reason : 'internal'
}
