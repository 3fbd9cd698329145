// Leaving: logging out on this device, and the end of the account. Both say first what is lost.
import './texts.ts'
import { type FormEvent, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText, reasonOf } from '../../app/errors.ts'
import type { Engine } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog, Warn } from '../../ui/Dialog.tsx'
import { ask, openDialog, toast } from '../../ui/overlay.tsx'
import { rich } from '../../ui/Rich.tsx'
import { returning } from '../entry/Ended.tsx'
import { PasswordField } from '../entry/PasswordField.tsx'
import css from './More.module.css'

/** logOutHere asks, with the number of texts that would be lost, and logs this device out. */
export async function logOutHere(engine: Engine): Promise<void> {
  const n = engine.unsent()
  const yes = await ask({
    title: t('more.logOutAsk'),
    body: t('more.logOutRest'),
    action: t('more.logOut'),
    danger: true,
    ...(n > 0 ? { warn: rich(t('more.logOutLoss', { n })) } : {}),
  })
  if (!yes) return
  try {
    returning.on = true
    await engine.logOut()
  } catch (e) {
    returning.on = false
    toast(errorText(e))
  }
}

/** openDeleteAccount asks for the password and says what goes. */
export function openDeleteAccount(): void {
  openDialog((close) => <DeleteAccount onClose={close} />)
}

function DeleteAccount({ onClose }: { readonly onClose: () => void }) {
  const engine = useEngine()
  const [password, setPassword] = useState('')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const send = async (e: FormEvent) => {
    e.preventDefault()
    if (password === '' || busy) return
    setBusy(true)
    try {
      await engine.deleteAccount(password)
      onClose()
    } catch (err) {
      setWrong(reasonOf(err) === 'bad_credentials' ? t('more.passwordNowWrong') : errorText(err))
      setBusy(false)
    }
  }
  const footer = (
    <>
      <Button onClick={onClose}>{t('common.cancel')}</Button>
      <Button kind="dangerSolid" type="submit" form="delete-account" busy={busy} disabled={password === ''}>
        {t('more.endAccountDo')}
      </Button>
    </>
  )
  return (
    <Dialog title={t('more.endAccountAsk')} onClose={onClose} footer={footer} danger>
      <form id="delete-account" className={css.fields} onSubmit={(e) => void send(e)}>
        <Warn>{rich(t('more.endAccountLoss'))}</Warn>
        <PasswordField label={t('more.passwordNow')} value={password} onChange={(e) => setPassword(e.target.value)} autoComplete="current-password" autoFocus error={wrong || undefined} />
      </form>
    </Dialog>
  )
}
