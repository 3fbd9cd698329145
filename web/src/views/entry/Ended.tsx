// Nobody is logged in here any more, and not by a quiet log-out: what was wiped, what went with it, what to do.
import './texts.ts'
import { useEffect, useRef, useState } from 'react'
import { useEngine, useSelect } from '../../app/context.ts'
import { go, route } from '../../app/route.ts'
import type { Phase } from '../../engine/types.ts'
import { timeOf } from '../../lib/dates.ts'
import { type Key, t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { rich } from '../../ui/Rich.tsx'
import css from './Entry.module.css'
import { EntryFrame } from './EntryFrame.tsx'

/** returning: this page was somebody's, who goes on to log in, not to sign up. */
export const returning = { on: false }

/** leadIn leads to where the address says that was opened; where somebody was before, to the chats. */
export function leadIn(): void {
  if (returning.on && route().at !== 'ops') go({ at: 'chats' }, { replace: true })
}

type Why = Extract<Phase, { kind: 'ended' }>['why']

function titleOf(why: Why, unsent: number): Key {
  switch (why) {
    case 'revoked':
      return 'entry.endedElsewhere'
    case 'password':
      return 'entry.endedPassword'
    case 'closed':
      return 'entry.endedClosed'
    case 'storage':
      return unsent > 0 ? 'entry.endedEmptied' : 'entry.endedStorage'
    case 'untold':
      return 'entry.endedUntold'
  }
}

function what(why: Why, unsent: number, at: number): string {
  switch (why) {
    case 'closed':
      return t('entry.endedClosedWhat')
    case 'storage':
      return unsent > 0 ? t('entry.endedEmptiedWhat', { n: unsent }) : t('entry.endedStorageWhat')
    case 'untold':
      return t('entry.endedUntoldWhat')
    default:
      return t(unsent > 0 ? 'entry.endedWhatLost' : 'entry.endedWhat', { time: timeOf(at), n: unsent })
  }
}

export function Ended() {
  const engine = useEngine()
  const phase = useSelect(engine.app, (a) => a.phase)
  const [at] = useState(Date.now)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    button.current?.focus()
  }, [])
  if (phase.kind !== 'ended') return null
  const goOn = () => {
    returning.on = phase.why !== 'closed'
    if (!returning.on) go({ at: 'chats' }, { replace: true })
    engine.dismissEnded()
  }
  const { why, unsent } = phase
  const broken = why === 'storage' && unsent === 0
  return (
    <EntryFrame>
      <div className={`${css.form} ${css.out}`}>
        <span className={css.mark}>
          <svg viewBox="6 1 12 18" aria-hidden="true">
            <path d="M12 1.5c.7 4.2 5.2 6.3 5.2 11.2A5.2 5.2 0 0 1 12 18a5.2 5.2 0 0 1-5.2-5.3c0-2.7 1.3-4 2.1-5.6.5 1.6 1.1 2.3 2 2.7C10.4 6.8 11 4.3 12 1.5z" />
          </svg>
        </span>
        <h1>{t(titleOf(why, unsent))}</h1>
        <p role="alert">{rich(what(why, unsent, at))}</p>
        <Button ref={button} kind="primary" block onClick={() => (broken ? location.reload() : goOn())}>
          {t(broken ? 'entry.reload' : why === 'closed' || why === 'untold' ? 'entry.toStart' : 'entry.again')}
        </Button>
        {broken && (
          <p className={css.alt}>
            <button type="button" className={css.link} onClick={goOn}>
              {t('entry.again')}
            </button>
          </p>
        )}
        {(why === 'revoked' || why === 'password') && (
          <p className={css.calm}>
            <Icon name="shield-check" />
            <span>{rich(t('entry.endedNotMe'))}</span>
          </p>
        )}
      </div>
    </EntryFrame>
  )
}
