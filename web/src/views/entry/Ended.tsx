// This window was logged out from elsewhere: what was wiped, what went with it, what to do.
import { useEffect, useRef, useState } from 'react'
import { useEngine, useSelect } from '../../app/context.ts'
import { timeOf } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { rich } from '../../ui/Rich.tsx'
import css from './Entry.module.css'
import { EntryFrame } from './EntryFrame.tsx'

export function Ended() {
  const engine = useEngine()
  const phase = useSelect(engine.app, (a) => a.phase)
  const [at] = useState(Date.now)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    button.current?.focus()
  }, [])
  if (phase.kind !== 'ended') return null
  const closed = phase.why === 'closed'
  return (
    <EntryFrame>
      <div className={`${css.form} ${css.out}`}>
        <span className={css.mark}>
          <svg viewBox="6 1 12 18" aria-hidden="true">
            <path d="M12 1.5c.7 4.2 5.2 6.3 5.2 11.2A5.2 5.2 0 0 1 12 18a5.2 5.2 0 0 1-5.2-5.3c0-2.7 1.3-4 2.1-5.6.5 1.6 1.1 2.3 2 2.7C10.4 6.8 11 4.3 12 1.5z" />
          </svg>
        </span>
        <h1>{t(closed ? 'entry.endedClosed' : phase.why === 'password' ? 'entry.endedPassword' : 'entry.endedElsewhere')}</h1>
        <p role="alert">{closed ? t('entry.endedClosedWhat') : t(phase.unsent > 0 ? 'entry.endedWhatLost' : 'entry.endedWhat', { time: timeOf(at), n: phase.unsent })}</p>
        <Button ref={button} kind="primary" block onClick={() => engine.dismissEnded()}>
          {t(closed ? 'entry.toStart' : 'entry.again')}
        </Button>
        {!closed && (
          <p className={css.calm}>
            <Icon name="shield-check" />
            <span>{rich(t('entry.endedNotMe'))}</span>
          </p>
        )}
      </div>
    </EntryFrame>
  )
}
