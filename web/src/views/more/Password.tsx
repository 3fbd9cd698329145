// A new password logs all other devices out; what they have not sent is lost, and that is said before. Below it: the end of
// the account.
import './texts.ts'
import { type FormEvent, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText, reasonOf } from '../../app/errors.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { toast } from '../../ui/overlay.tsx'
import { rich } from '../../ui/Rich.tsx'
import { passwordProblem } from '../entry/check.ts'
import { PasswordField } from '../entry/PasswordField.tsx'
import { openDeleteAccount } from './leave.tsx'
import css from './More.module.css'
import { Warned, Wrong } from './Parts.tsx'
import { useAnswer } from './useAnswer.ts'

export function Password() {
  const engine = useEngine()
  const { value } = useAnswer(() => engine.devices())
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const [tried, setTried] = useState(false)
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const problem = passwordProblem(next) ?? (next !== '' && next === old ? t('more.passwordSame') : null)
  const [notOld, setNotOld] = useState(false)
  const others = (value ?? []).filter((d) => !d.current).length

  const send = async (e: FormEvent) => {
    e.preventDefault()
    setTried(true)
    setWrong('')
    setNotOld(false)
    if (old === '' || problem !== null || busy) return
    setBusy(true)
    try {
      await engine.changePassword(old, next)
      setOld('')
      setNext('')
      setTried(false)
      toast(t('more.passwordChanged'))
    } catch (err) {
      if (reasonOf(err) === 'bad_credentials') setNotOld(true)
      else setWrong(errorText(err))
    }
    setBusy(false)
  }

  return (
    <>
      <form className={css.card} noValidate onSubmit={(e) => void send(e)}>
        <h3>{t('more.passwordChange')}</h3>
        <div className={css.fields}>
          <PasswordField label={t('more.passwordNow')} value={old} onChange={(e) => setOld(e.target.value)} autoComplete="current-password" error={notOld ? t('more.passwordNowWrong') : tried && old === '' ? t('more.passwordNowNeeded') : undefined} />
          <PasswordField label={t('more.passwordNew')} value={next} onChange={(e) => setNext(e.target.value)} autoComplete="new-password" hint={t('entry.passwordHint')} error={tried && problem !== null ? problem : undefined} {...(next !== '' && problem === null ? { ok: t('more.passwordGood') } : {})} />
          {others > 0 && <Warned>{rich(t('more.passwordLoss', { n: others }))}</Warned>}
          <Wrong text={wrong} />
        </div>
        <div className={css.acts}>
          <Button kind="primary" type="submit" busy={busy}>
            {t('more.passwordChange')}
          </Button>
        </div>
      </form>
      <section className={css.card}>
        <h3>{t('more.endAccount')}</h3>
        <div className={css.end}>
          <p className={css.muted}>{t('more.endAccountNote')}</p>
          <Button kind="danger" onClick={() => openDeleteAccount()}>
            {t('more.endAccount')}
          </Button>
        </div>
      </section>
    </>
  )
}
