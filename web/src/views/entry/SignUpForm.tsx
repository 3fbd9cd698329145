// Sign up: name, 아이디, password. The 아이디 is asked about while it is typed; a field says what is wrong once it was left,
// and all of them when the form is sent.
import './texts.ts'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText, reasonOf } from '../../app/errors.ts'
import { go } from '../../app/route.ts'
import { t } from '../../lib/messages.ts'
import { nfc } from '../../lib/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { handleProblem, nameProblem, passwordProblem } from './check.ts'
import { deviceLabel } from './device.ts'
import css from './Entry.module.css'
import type { FormProps } from './Entry.tsx'
import { PasswordField } from './PasswordField.tsx'

type FieldName = 'name' | 'handle' | 'password'

/** Asked is what the server said of a handle. */
type Asked = { readonly handle: string; readonly free: boolean } | null

export function SignUpForm({ typed, onType, onWay, invitation, signup }: FormProps & { readonly invitation: string; readonly signup: 'open' | 'invite' | 'closed' }) {
  const engine = useEngine()
  const [left, setLeft] = useState<ReadonlySet<FieldName>>(new Set())
  const [asked, setAsked] = useState<Asked>(null)
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const { handle } = typed

  useEffect(() => {
    if (handleProblem(handle) !== null) return undefined
    let stale = false
    const timer = setTimeout(() => {
      engine.checkHandle(handle).then(
        (free) => !stale && setAsked({ handle, free }),
        () => undefined, // Not known now; signing up will tell.
      )
    }, 300)
    return () => {
      stale = true
      clearTimeout(timer)
    }
  }, [engine, handle])

  const answer = asked?.handle === handle ? asked : null
  const problems = {
    name: nameProblem(typed.name),
    handle: handleProblem(handle) ?? (answer?.free === false ? t('errors.handle_taken') : null),
    password: passwordProblem(typed.password),
  }
  const leave = (f: FieldName) => setLeft((now) => new Set(now).add(f))
  // An 아이디 that is taken is said at once, and too few letters only after the field was left.
  const shown = (f: FieldName) => ((left.has(f) || (f === 'handle' && answer?.free === false)) && problems[f] !== null ? problems[f] : undefined)

  const send = async (e: FormEvent) => {
    e.preventDefault()
    setWrong('')
    setLeft(new Set<FieldName>(['name', 'handle', 'password']))
    const first = (['name', 'handle', 'password'] as const).find((f) => problems[f] !== null)
    if (first) return form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus()
    setBusy(true)
    try {
      await engine.signUp({ handle, name: nfc(typed.name.trim()), password: typed.password, deviceLabel: deviceLabel(navigator.userAgent), invitation })
      go({ at: 'chats' }, { replace: true })
    } catch (err) {
      if (reasonOf(err) === 'handle_taken') setAsked({ handle, free: false })
      else setWrong(errorText(err))
      setBusy(false)
    }
    return undefined
  }

  return (
    <form ref={form} className={css.form} aria-labelledby="entry-title" noValidate onSubmit={(e) => void send(e)}>
      <h1 id="entry-title">{t('entry.signUp')}</h1>
      {invitation !== '' && (
        <p className={css.invited}>
          <Icon name="circle-check" />
          <span>{t('entry.invited')}</span>
        </p>
      )}
      {signup === 'invite' && invitation === '' && <p className={css.lead}>{t('entry.inviteOnly')}</p>}
      <Field label={t('entry.name')} name="name" value={typed.name} onChange={(e) => onType({ name: e.target.value })} onBlur={() => typed.name !== '' && leave('name')} autoComplete="name" maxLength={200} autoFocus hint={t('entry.nameHint')} error={shown('name')} />
      <Field
        label={t('entry.handle')}
        name="handle"
        value={handle}
        onChange={(e) => onType({ handle: e.target.value.trim().toLowerCase() })}
        onBlur={() => handle !== '' && leave('handle')}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        hint={t('entry.handleHint')}
        error={shown('handle')}
        {...(answer?.free ? { ok: t('entry.handleFree') } : {})}
      />
      <PasswordField label={t('entry.password')} name="password" value={typed.password} onChange={(e) => onType({ password: e.target.value })} onBlur={() => typed.password !== '' && leave('password')} autoComplete="new-password" hint={t('entry.passwordHint')} error={shown('password')} />
      {wrong !== '' && (
        <p className={css.wrong} role="alert">
          <Icon name="circle-alert" />
          <span>{wrong}</span>
        </p>
      )}
      <Button kind="primary" block type="submit" busy={busy}>
        {busy ? t('entry.signingUp') : t('entry.signUpStart')}
      </Button>
      <p className={css.alt}>
        {t('entry.haveAccount')}{' '}
        <button type="button" className={css.link} onClick={() => onWay('logIn')}>
          {t('entry.logIn')}
        </button>
      </p>
    </form>
  )
}
