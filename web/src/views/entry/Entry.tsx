// The way in: sign up, log in, log in by a code that another device confirms. One of them is shown; what was typed stays
// when the person goes from one to another.
import { type ReactNode, useEffect, useState } from 'react'
import { useEngine, useSelect } from '../../app/context.ts'
import { takeInvitation } from '../../app/route.ts'
import { setSetting, useSetting } from '../../app/settings.ts'
import { t } from '../../lib/messages.ts'
import { Logo } from '../../ui/Icon.tsx'
import { CodeForm } from './CodeForm.tsx'
import css from './Entry.module.css'
import { LogInForm } from './LogInForm.tsx'
import night from './night.svg'
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

export function Entry() {
  const signup = useSelect(useEngine().app, (a) => a.server?.signup)
  // The secret is taken out of the address at once and lives in this page only.
  const [invitation] = useState(takeInvitation)
  const [chosen, setWay] = useState<Way | null>(null)
  const [typed, setTyped] = useState<Typed>({ name: '', handle: '', password: '' })
  const way = chosen ?? (signup === 'closed' || (signup === 'invite' && invitation === '') ? 'logIn' : 'signUp')
  const props: FormProps = { typed, onType: (change) => setTyped((now) => ({ ...now, ...change })), onWay: setWay }
  useEffect(() => {
    document.title = t('entry.title')
  })
  return (
    <EntryFrame>
      {way === 'signUp' && <SignUpForm {...props} invitation={invitation} signup={signup ?? 'open'} />}
      {way === 'logIn' && <LogInForm {...props} canSignUp={signup !== 'closed'} />}
      {way === 'code' && <CodeForm onWay={setWay} />}
    </EntryFrame>
  )
}

/** EntryFrame is the picture beside a form. */
export function EntryFrame({ children }: { readonly children: ReactNode }) {
  const lang = useSetting('lang')
  return (
    <main className={css.entry}>
      <div className={css.art}>
        <img src={night} alt="" />
        <div className={css.say}>
          <p className={css.wordmark}>
            <Logo />
            {t('entry.wordmark')}
          </p>
          <p className={css.slogan}>{t('entry.slogan')}</p>
          <p>{t('entry.promise')}</p>
        </div>
      </div>
      <div className={css.side}>
        {children}
        <p className={css.lang} role="group" aria-label={t('entry.language')}>
          <button type="button" lang="ko" aria-pressed={lang === 'ko'} onClick={() => setSetting('lang', 'ko')}>
            한국어
          </button>
          <button type="button" lang="en" aria-pressed={lang === 'en'} onClick={() => setSetting('lang', 'en')}>
            English
          </button>
        </p>
      </div>
    </main>
  )
}
