// 새 기기 연결: the digits that a new device shows are typed here; what device it is is shown before it is let in.
import './texts.ts'
import { useEffect, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { rich } from '../../ui/Rich.tsx'
import { codeDigits, codeShown } from './code.ts'
import { deviceIcon } from './Devices.tsx'
import css from './More.module.css'
import { Calm, Wrong } from './Parts.tsx'

export function LinkDevice() {
  const engine = useEngine()
  const [digits, setDigits] = useState('')
  const [found, setFound] = useState<string | null>(null)
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const [linked, setLinked] = useState('')

  useEffect(() => {
    setFound(null)
    setWrong('')
    if (digits.length < 8) return undefined
    let stale = false
    engine.peekDeviceCode(digits).then(
      (label) => !stale && setFound(label || t('more.nameless')),
      (e: unknown) => !stale && setWrong(errorText(e)),
    )
    return () => {
      stale = true
    }
  }, [engine, digits])

  const admit = async () => {
    setBusy(true)
    try {
      await engine.admitDevice(digits)
      setLinked(found ?? '')
      setDigits('')
    } catch (e) {
      setWrong(errorText(e))
    }
    setBusy(false)
  }

  return (
    <section className={css.card}>
      <h3 id="link-title">{t('more.linkTitle')}</h3>
      <ol className={css.how}>
        <li>{rich(t('more.linkHow1'))}</li>
        <li>{t('more.linkHow2')}</li>
      </ol>
      <input
        className={css.code}
        aria-labelledby="link-title"
        aria-describedby="link-hint"
        inputMode="numeric"
        autoComplete="off"
        value={codeShown(digits)}
        onChange={(e) => {
          setLinked('')
          setDigits(codeDigits(e.target.value))
        }}
      />
      <p id="link-hint" className={css.muted}>
        {t('more.linkHint')}
      </p>
      <Wrong text={wrong} />
      {linked !== '' && (
        <p role="status" className={css.found}>
          <Icon name="circle-check" />
          {t('more.linked', { name: linked })}
        </p>
      )}
      {found !== null && (
        <>
          <div className={css.found} role="status">
            <Icon name={deviceIcon(found)} />
            <div>
              <b>{found}</b>
              <small>{t('more.linkFound')}</small>
            </div>
          </div>
          <Calm>{rich(t('more.linkCare'))}</Calm>
          <div className={css.acts}>
            <Button onClick={() => setDigits('')}>{t('more.linkNot')}</Button>
            <Button kind="primary" busy={busy} onClick={() => void admit()}>
              {t('more.linkDo')}
            </Button>
          </div>
        </>
      )}
    </section>
  )
}
