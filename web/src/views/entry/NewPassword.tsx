// After a one-time code a password of one's own comes first; there is no way past it but logging out.
import './texts.ts'
import { type FormEvent, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { passwordProblem } from './check.ts'
import css from './Entry.module.css'
import { EntryFrame } from './EntryFrame.tsx'
import { PasswordField } from './PasswordField.tsx'

export function NewPassword() {
  const engine = useEngine()
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const problem = passwordProblem(password)

  const send = async (e: FormEvent) => {
    e.preventDefault()
    setTried(true)
    setWrong('')
    if (problem !== null || code === '') return
    setBusy(true)
    try {
      await engine.changePassword(code, password)
    } catch (err) {
      setWrong(errorText(err))
    }
    setBusy(false)
  }

  return (
    <EntryFrame>
      <form className={css.form} aria-labelledby="entry-title" noValidate onSubmit={(e) => void send(e)}>
        <h1 id="entry-title">{t('entry.choosePassword')}</h1>
        <p className={css.lead}>{t('entry.choosePasswordWhy')}</p>
        <PasswordField label={t('entry.oneTimeCode')} name="code" value={code} onChange={(e) => setCode(e.target.value)} autoComplete="one-time-code" autoFocus error={tried && code === '' ? t('entry.codeNeeded') : undefined} />
        <PasswordField label={t('entry.newPassword')} name="password" value={password} onChange={(e) => setPassword(e.target.value)} autoComplete="new-password" hint={t('entry.passwordHint')} error={tried && problem !== null ? problem : undefined} />
        {wrong !== '' && (
          <p className={css.wrong} role="alert">
            <Icon name="circle-alert" />
            <span>{wrong}</span>
          </p>
        )}
        <Button kind="primary" block type="submit" busy={busy}>
          {busy ? t('entry.changing') : t('entry.changeAndGo')}
        </Button>
        <p className={css.alt}>
          <button type="button" className={css.link} onClick={() => void engine.logOut()}>
            {t('entry.logOut')}
          </button>
        </p>
      </form>
    </EntryFrame>
  )
}
