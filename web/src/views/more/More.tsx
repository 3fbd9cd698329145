// 더보기: the list of pages about oneself and this device, and the page that is open.
import './texts.ts'
import { useEffect, useState } from 'react'
import { openOtherAccount } from '../../app/account.ts'
import { displayName, useEngine, useMe, useSelect } from '../../app/context.ts'
import { openKeys } from '../../app/lazy.tsx'
import { usePhone } from '../../app/layout.ts'
import { type MorePageName, back, go, useRoute } from '../../app/route.ts'
import { type Key, t } from '../../lib/messages.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { IconButton } from '../../ui/Button.tsx'
import { Flame, Icon, type IconName } from '../../ui/Icon.tsx'
import { openMe } from '../people/index.ts'
import { Blocked } from './Blocked.tsx'
import { Devices } from './Devices.tsx'
import { Invitations } from './Invitations.tsx'
import { LinkDevice } from './LinkDevice.tsx'
import { logOutHere } from './leave.tsx'
import css from './More.module.css'
import { Password } from './Password.tsx'
import { Screen } from './Screen.tsx'

const pages: readonly { readonly page: MorePageName; readonly icon: IconName; readonly title: Key }[] = [
  { page: 'screen', icon: 'sun-moon', title: 'more.screen' },
  { page: 'devices', icon: 'monitor', title: 'more.devices' },
  { page: 'link', icon: 'smartphone', title: 'more.link' },
  { page: 'password', icon: 'key-round', title: 'more.password' },
  { page: 'invitations', icon: 'link', title: 'more.invitations' },
  { page: 'blocked', icon: 'ban', title: 'more.blocked' },
]

export function MoreList() {
  const engine = useEngine()
  const me = useMe()
  const route = useRoute()
  // A server that was started from its sources knows no version; the page's own build has a name all the same.
  const version = useSelect(engine.app, (a) => {
    const v = a.server?.version ?? ''
    return v === '(devel)' ? t('more.build', { name: a.server?.webBuild.slice(0, 7) ?? '' }) : v
  })
  const blocked = useSelect(engine.people, (p) => p.blocked.length)
  const online = useSelect(engine.app, (a) => a.connection === 'online')
  const [devices, setDevices] = useState(0)
  const [operator, setOperator] = useState(false)
  const current = route.at === 'more' ? route.page : undefined

  useEffect(() => {
    if (!online) return undefined
    let stale = false
    engine.devices().then(
      (all) => !stale && setDevices(all.length),
      () => undefined, // The number is left out.
    )
    engine.isOperator().then(
      (yes) => !stale && setOperator(yes),
      () => undefined,
    )
    return () => {
      stale = true
    }
  }, [engine, online, current])

  const note = (page: MorePageName) => {
    if (page === 'devices' && devices > 0) return t('more.deviceCount', { n: devices })
    if (page === 'blocked' && blocked > 0) return t('more.peopleCount', { n: blocked })
    return ''
  }
  const entry = ({ page, icon, title }: (typeof pages)[number]) => (
    <li key={page}>
      <button type="button" className={css.set} aria-current={current === page || undefined} onClick={() => go({ at: 'more', page })}>
        <Icon name={icon} />
        <span>{t(title)}</span>
        {note(page) !== '' && <small>{note(page)}</small>}
        <Icon name="chevron-right" className={css.go} />
      </button>
    </li>
  )
  return (
    <div className={css.list}>
      <header className={css.head}>
        <h1>{t('more.title')}</h1>
      </header>
      <div className={css.scroll}>
        {me && (
          <div className={css.me}>
            <Avatar user={me.id} size="l" />
            <div>
              <b>{displayName(me)}</b>
              <small>{me.handle}</small>
            </div>
            <IconButton icon="pencil" label={t('more.editMe')} onClick={() => openMe()} />
          </div>
        )}
        <ul className={css.sets}>{pages.slice(0, 1).map(entry)}</ul>
        <ul className={css.sets}>{pages.slice(1).map(entry)}</ul>
        {operator && (
          <ul className={css.sets}>
            <li>
              <button type="button" className={css.set} onClick={() => go({ at: 'ops', tab: 'sites' })}>
                <Icon name="shield-check" />
                <span>{t('more.ops')}</span>
                <Icon name="chevron-right" className={css.go} />
              </button>
            </li>
          </ul>
        )}
        <ul className={css.sets}>
          <li>
            <button type="button" className={css.set} onClick={() => openKeys()}>
              <Icon name="keyboard" />
              <span>{t('more.keys')}</span>
              <small aria-hidden="true">?</small>
              <Icon name="chevron-right" className={css.go} />
            </button>
          </li>
          <li>
            <button type="button" className={css.set} onClick={() => openOtherAccount()}>
              <Icon name="app-window" />
              <span>{t('more.otherAccount')}</span>
              <Icon name="chevron-right" className={css.go} />
            </button>
          </li>
          <li>
            <button type="button" className={`${css.set} ${css.out}`} onClick={() => void logOutHere(engine)}>
              <Icon name="log-out" />
              <span>{t('more.logOut')}</span>
            </button>
          </li>
        </ul>
        <p className={css.version}>
          <Flame state={online ? 'lit' : 'breath'} />
          {t('more.here')}
          {version !== '' && ` · ${version}`}
        </p>
      </div>
    </div>
  )
}

/** MorePage is one page; without a name the first, beside the list. */
export function MorePage({ page = 'screen' }: { readonly page?: MorePageName }) {
  const phone = usePhone()
  const title = t(pages.find((p) => p.page === page)?.title ?? 'more.screen')
  const Heading = phone ? 'h1' : 'h2'
  return (
    <div className={css.page}>
      <header className={css.pageHead}>
        {phone && <IconButton icon="chevron-left" label={t('more.back')} onClick={back} />}
        <Heading>{title}</Heading>
      </header>
      <div className={css.body} tabIndex={0} role="group" aria-label={title} key={page}>
        {page === 'screen' && <Screen />}
        {page === 'devices' && <Devices />}
        {page === 'link' && <LinkDevice />}
        {page === 'password' && <Password />}
        {page === 'invitations' && <Invitations />}
        {page === 'blocked' && <Blocked />}
      </div>
    </div>
  )
}
