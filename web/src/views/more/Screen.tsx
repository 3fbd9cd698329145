// How it looks and sounds on this device: theme, text size, sound, notifications, what Enter does, language.
import './texts.ts'
import { useReducer } from 'react'
import { askNotify, notifyState } from '../../app/notify.ts'
import { type Settings, setSetting, useSetting } from '../../app/settings.ts'
import { type Key, t } from '../../lib/messages.ts'
import { DefaultPicture } from '../../ui/Avatar.tsx'
import { Segmented, Switch } from '../../ui/Field.tsx'
import css from './More.module.css'

const themes: readonly { readonly value: Settings['theme']; readonly label: Key; readonly look: string | undefined }[] = [
  { value: 'light', label: 'more.light', look: '' },
  { value: 'dark', label: 'more.dark', look: css.dark },
  { value: 'system', label: 'more.system', look: css.system },
]

/** friend stands for another person in the sample: the one with the cup. */
const friend = 'cup'

export function Screen() {
  const theme = useSetting('theme')
  const text = useSetting('text')
  const lang = useSetting('lang')
  const sound = useSetting('sound')
  const enterSends = useSetting('enterSends')
  return (
    <>
      <section className={css.card}>
        <h3>{t('more.theme')}</h3>
        <fieldset className={css.themes}>
          <legend className="vh">{t('more.theme')}</legend>
          {themes.map((o) => (
            <label key={o.value}>
              <input type="radio" name="theme" checked={theme === o.value} onChange={() => setSetting('theme', o.value)} />
              <span className={`${css.mini} ${o.look ?? ''}`} aria-hidden="true">
                <i />
                <i />
              </span>
              <span>{t(o.label)}</span>
            </label>
          ))}
        </fieldset>
      </section>
      <section className={css.card}>
        <h3>{t('more.textSize')}</h3>
        <Segmented
          label={t('more.textSize')}
          value={text}
          options={[
            { value: 'normal', label: t('more.normal') },
            { value: 'large', label: <span className={css.large}>{t('more.large')}</span> },
          ]}
          onChange={(v) => setSetting('text', v)}
        />
        <div className={css.sample}>
          <DefaultPicture id={friend} size="s" />
          <p>{t('more.sample')}</p>
        </div>
      </section>
      <section className={css.card}>
        <h3>{t('more.sounds')}</h3>
        <div className={css.option}>
          <span>
            <b>{t('more.sound')}</b>
          </span>
          <Switch label={t('more.sound')} checked={sound} onChange={(on) => setSetting('sound', on)} />
        </div>
        <Notifications />
      </section>
      <section className={css.card}>
        <h3>{t('more.writing')}</h3>
        <div className={css.option}>
          <span>
            <b>{t('more.enterSends')}</b>
            <small>{t('more.enterSendsNote')}</small>
          </span>
          <Switch label={t('more.enterSends')} checked={enterSends} onChange={(on) => setSetting('enterSends', on)} />
        </div>
      </section>
      <section className={css.card}>
        <h3>{t('more.language')}</h3>
        <Segmented
          label={t('more.language')}
          value={lang}
          options={[
            { value: 'ko', label: <span lang="ko">한국어</span> },
            { value: 'en', label: <span lang="en">English</span> },
          ]}
          onChange={(v) => setSetting('lang', v)}
        />
      </section>
    </>
  )
}

// The switch shows what will happen: on only if the person wants it and the browser lets it.
function Notifications() {
  const notify = useSetting('notify')
  const words = useSetting('notifyText')
  const [, look] = useReducer((n: number) => n + 1, 0)
  const state = notifyState()
  const on = notify && state === 'granted'
  const turn = (want: boolean) => {
    if (want && state !== 'granted') void askNotify().then(look)
    else setSetting('notify', want)
  }
  const notes: Record<typeof state, Key> = { none: 'more.notifyNone', denied: 'more.notifyDenied', ask: 'more.notifyNote', granted: 'more.notifyNote' }
  return (
    <>
      <div className={css.option}>
        <span>
          <b>{t('more.notify')}</b>
          <small>{t(notes[state])}</small>
        </span>
        <Switch label={t('more.notify')} checked={on} onChange={turn} disabled={state === 'none' || state === 'denied'} />
      </div>
      <div className={css.option}>
        <span>
          <b>{t('more.notifyText')}</b>
          <small>{t('more.notifyTextNote')}</small>
        </span>
        <Switch label={t('more.notifyText')} checked={words} onChange={(v) => setSetting('notifyText', v)} disabled={state === 'none' || state === 'denied'} />
      </div>
    </>
  )
}
