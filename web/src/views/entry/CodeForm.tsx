// Log in by a code: this device shows eight digits for two minutes, a logged-in one types them. A code that has run out is
// followed by a new one by itself.
import './texts.ts'
import { useEffect, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import type { DeviceCode } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { rich } from '../../ui/Rich.tsx'
import { deviceLabel } from './device.ts'
import { leadIn } from './Ended.tsx'
import css from './Entry.module.css'
import type { Way } from './Entry.tsx'

export function CodeForm({ onWay }: { readonly onWay: (way: Way) => void }) {
  const engine = useEngine()
  const [code, setCode] = useState<DeviceCode | null>(null)
  const [wrong, setWrong] = useState('')
  // round grows with each code that is asked for.
  const [round, setRound] = useState(0)
  const [left, setLeft] = useState(0)

  useEffect(() => {
    let stale = false
    setWrong('')
    engine.requestDeviceCode(deviceLabel(navigator.userAgent)).then(
      (c) => !stale && setCode(c),
      (e: unknown) => !stale && setWrong(errorText(e)),
    )
    return () => {
      stale = true
    }
  }, [engine, round])

  useEffect(() => {
    if (!code) return undefined
    let stale = false
    let asking = false
    let beats = 0
    const tick = () => {
      setLeft(Math.max(0, Math.ceil((code.until - Date.now()) / 1000)))
      if (asking || ++beats % 2 === 0) return
      asking = true
      engine.pollDeviceCode().then(
        (r) => {
          asking = false
          if (stale) return
          if (r === 'admitted') leadIn()
          else if (r === 'expired') {
            setCode(null)
            setRound((n) => n + 1)
          }
        },
        () => {
          asking = false // The next beat asks again.
        },
      )
    }
    tick()
    const timer = setInterval(tick, 1000)
    return () => {
      stale = true
      clearInterval(timer)
    }
  }, [engine, code])

  return (
    <div className={css.form}>
      <h1>{t('entry.byDevice')}</h1>
      <ol className={css.how}>
        <li>{rich(t('entry.how1'))}</li>
        <li>{t('entry.how2')}</li>
      </ol>
      <p className={css.code} role="img" aria-label={code ? t('entry.codeSpoken', { a: spoken(code.code.slice(0, 4)), b: spoken(code.code.slice(4)) }) : t('entry.codeComing')}>
        <span aria-hidden="true">{code?.code.slice(0, 4) ?? '\u00a0'}</span>
        <span aria-hidden="true">{code?.code.slice(4) ?? '\u00a0'}</span>
      </p>
      {wrong !== '' ? (
        <>
          <p className={css.wrong} role="alert">
            <Icon name="circle-alert" />
            <span>{wrong}</span>
          </p>
          <Button onClick={() => setRound((n) => n + 1)}>{t('entry.newCode')}</Button>
        </>
      ) : (
        <p className={css.left}>
          <Icon name="clock" />
          {code ? t('entry.codeLeft', { time: spanText(left) }) : t('entry.codeComing')}
        </p>
      )}
      <p className={css.alt}>
        <button type="button" className={css.link} onClick={() => onWay('logIn')}>
          {t('entry.byPassword')}
        </button>
      </p>
    </div>
  )
}

function spoken(digits: string): string {
  return [...digits].join(' ')
}

/** spanText: 1분 20초, 2분, 20초. */
function spanText(seconds: number): string {
  const m = Math.floor(seconds / 60)
  const s = seconds % 60
  const parts = [m > 0 ? t('entry.minutes', { n: m }) : '', s > 0 || m === 0 ? t('entry.seconds', { n: s }) : '']
  return parts.filter((part) => part !== '').join(' ')
}
