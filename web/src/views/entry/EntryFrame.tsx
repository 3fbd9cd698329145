// The frame of every page before one is in: the night with its fire, the promise, the language.
import './texts.ts'
import type { ReactNode } from 'react'
import { useEngine, useSelect } from '../../app/context.ts'
import { setSetting, useSetting } from '../../app/settings.ts'
import { t } from '../../lib/messages.ts'
import { Logo } from '../../ui/Icon.tsx'
import { NightArt } from '../../ui/NightArt.tsx'
import css from './Entry.module.css'

export function EntryFrame({ children }: { readonly children: ReactNode }) {
  const lang = useSetting('lang')
  const sites = useSelect(useEngine().app, (a) => a.server?.sites.length ?? 0)
  return (
    <main className={css.entry}>
      <div className={css.art}>
        <NightArt kind="entry" className={css.night} />
        <div className={css.say}>
          <p className={css.wordmark}>
            <Logo />
            {t('entry.wordmark')}
          </p>
          <p className={css.slogan}>{t('entry.slogan')}</p>
          <p>{sites > 1 ? t('entry.promiseSites', { n: sites }) : t('entry.promise')}</p>
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
