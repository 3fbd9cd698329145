// Log in with 아이디 and password (or the one-time code that an operator gave).
import './texts.ts'
import { type FormEvent, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { deviceLabel } from './device.ts'
import { leadIn } from './Ended.tsx'
import css from './Entry.module.css'
import type { FormProps } from './Entry.tsx'
import { PasswordField } from './PasswordField.tsx'

export function LogInForm({ typed, onType, onWay, canSignUp }: FormProps & { readonly canSignUp: boolean }) {
  const engine = useEngine()
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)

  const send = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    if (typed.handle === '' || typed.password === '') {
      setWrong(t('entry.bothNeeded'))
      return
    }
    setWrong('')
    setBusy(true)
    try {
      await engine.logIn(typed.handle, typed.password, deviceLabel(navigator.userAgent))
      leadIn()
    } catch (err) {
      setWrong(errorText(err))
      setBusy(false)
    }
  }

  return (
    <form className={css.form} aria-labelledby="entry-title" noValidate onSubmit={(e) => void send(e)}>
      <h1 id="entry-title">{t('entry.logIn')}</h1>
      <Field label={t('entry.handle')} name="handle" value={typed.handle} onChange={(e) => onType({ handle: e.target.value.trim() })} autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={64} autoFocus />
      <PasswordField label={t('entry.password')} name="password" value={typed.password} onChange={(e) => onType({ password: e.target.value })} autoComplete="current-password" />
      {wrong !== '' && (
        <p className={css.wrong} role="alert">
          <Icon name="circle-alert" />
          <span>{wrong}</span>
        </p>
      )}
      <Button kind="primary" block type="submit" busy={busy}>
        {busy ? t('entry.loggingIn') : t('entry.logIn')}
      </Button>
      <p className={css.alt}>
        <button type="button" className={css.link} onClick={() => onWay('code')}>
          {t('entry.byDevice')}
        </button>
        {canSignUp && (
          <>
            <span aria-hidden="true">·</span>
            <button type="button" className={css.link} onClick={() => onWay('signUp')}>
              {t('entry.signUp')}
            </button>
          </>
        )}
      </p>
    </form>
  )
}
