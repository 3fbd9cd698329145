// What stands where a room would while none is open.
import { t } from '../lib/messages.ts'
import { Logo } from '../ui/Icon.tsx'
import { modKey } from './modkey.ts'
import css from './Rest.module.css'

export function Rest() {
  return (
    <div className={css.rest}>
      <span className={css.mark}>
        <Logo />
      </span>
      <h2>{t('shell.rest')}</h2>
      <p>
        <kbd>Alt</kbd> + <kbd>↑</kbd> <kbd>↓</kbd> {t('shell.restMove')}
        <br />
        <kbd>{modKey()}</kbd> + <kbd>K</kbd> {t('shell.restKeys')}
      </p>
    </div>
  )
}
