// The way in: sign up, log in, log in by a code that another device confirms. One of them is shown; what was typed stays
// when the person goes from one to another.
import './texts.ts'
import { useEffect, useState } from 'react'
import { useEngine, useSelect } from '../../app/context.ts'
import { takeInvitation } from '../../app/route.ts'
import { t } from '../../lib/messages.ts'
import { CodeForm } from './CodeForm.tsx'
import { returning } from './Ended.tsx'
import { EntryFrame } from './EntryFrame.tsx'
import { LogInForm } from './LogInForm.tsx'
import { OtherSites } from './OtherSites.tsx'
import { SignUpForm } from './SignUpForm.tsx'

/** Way of getting in. */
export type Way = 'signUp' | 'logIn' | 'code'

/** Typed is what both forms share. */
export interface Typed {
  readonly name: string
  readonly handle: string
  readonly password: string
}

export interface FormProps {
  readonly typed: Typed
  readonly onType: (change: Partial<Typed>) => void
  readonly onWay: (way: Way) => void
}

export { Ended } from './Ended.tsx'
export { NewPassword } from './NewPassword.tsx'

export function Entry() {
  const signup = useSelect(useEngine().app, (a) => a.server?.signup)
  // The secret is taken out of the address at once and lives in this page only.
  const [invitation] = useState(takeInvitation)
  const [chosen, setWay] = useState<Way | null>(returning.on ? 'logIn' : null)
  const [typed, setTyped] = useState<Typed>({ name: '', handle: '', password: '' })
  const way = chosen ?? (signup === 'closed' || (signup === 'invite' && invitation === '') ? 'logIn' : 'signUp')
  const props: FormProps = { typed, onType: (change) => setTyped((now) => ({ ...now, ...change })), onWay: setWay }
  useEffect(() => {
    document.title = t('entry.title')
  })
  // Whoever is in hears where they are.
  useEffect(
    () => () =>
      void setTimeout(() => {
        const h1 = document.querySelector('h1')
        if (!h1 || document.activeElement !== document.body) return
        h1.tabIndex = -1
        h1.focus({ preventScroll: true })
      }),
    [],
  )
  return (
    <EntryFrame>
      {way === 'signUp' && <SignUpForm {...props} invitation={invitation} signup={signup ?? 'open'} />}
      {way === 'logIn' && <LogInForm {...props} canSignUp={signup !== 'closed'} />}
      {way === 'code' && <CodeForm onWay={setWay} />}
      <OtherSites />
    </EntryFrame>
  )
}
