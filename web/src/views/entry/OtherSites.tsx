// What who comes to another address of the same system must know: each address has a store of its own in this browser.
import './texts.ts'
import { useEngine, useSelect } from '../../app/context.ts'
import { siteName } from '../../app/sites.ts'
import { t } from '../../lib/messages.ts'
import { Icon } from '../../ui/Icon.tsx'
import css from './Entry.module.css'

export function OtherSites() {
  const server = useSelect(useEngine().app, (a) => a.server)
  if (!server || server.sites.length < 2) return null
  const others = server.sites.filter((s) => s.name !== server.site && /^https?:/.test(s.url))
  return (
    <div className={css.sites}>
      <Icon name="info" />
      <div>
        <p>{t('entry.siteHere', { site: siteName(server.site) })}</p>
        <ul aria-label={t('entry.siteOther')}>
          {others.map((s) => (
            <li key={s.name}>
              <a href={s.url}>{siteName(s.name)}</a>
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}
