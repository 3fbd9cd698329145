// The rail: mark, tabs, the flame or flames, the own picture. On a phone only the tabs, below the list.
import { type MouseEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { t } from '../lib/messages.ts'
import { Avatar } from '../ui/Avatar.tsx'
import { Badge } from '../ui/Button.tsx'
import { Flame, Icon, type IconName, Logo } from '../ui/Icon.tsx'
import { openMe } from '../views/people/index.ts'
import { useEngine, useSelect } from './context.ts'
import type { Sites } from '../engine/types.ts'
import { useLater } from './later.ts'
import { goChats, usePhone } from './layout.ts'
import css from './Rail.module.css'
import { formatPath, go, type Route, slot, useRoute } from './route.ts'
import { inOrder, MOVED, siteName } from './sites.ts'

export function Rail() {
  const engine = useEngine()
  const me = useSelect(engine.app, (a) => a.me?.id)
  const unread = useSelect(engine.app, (a) => a.unreadTotal)
  const at = useRoute().at
  const phone = usePhone()
  return (
    <nav className={css.rail} aria-label={t('shell.nav')}>
      {!phone && (
        <Link to={{ at: 'chats' }} className={css.brand} label={t('shell.homeLink')}>
          <Logo />
        </Link>
      )}
      <ul className={css.tabs}>
        <Tab to={{ at: 'friends' }} icon="user-round" current={at === 'friends'}>
          {t('shell.friends')}
        </Tab>
        <Tab to={{ at: 'chats' }} icon="message-circle" current={at === 'chats' || at === 'room'} unread={unread}>
          {t('shell.chats')}
        </Tab>
        <Tab to={{ at: 'more' }} icon="ellipsis" current={at === 'more'}>
          {t('shell.more')}
        </Tab>
      </ul>
      {!phone && (
        <div className={css.foot}>
          <SiteFlames />
          {me !== undefined && (
            <button type="button" className={css.me} aria-label={t('shell.me')} title={t('shell.me')} onClick={openMe}>
              <Avatar user={me} />
            </button>
          )}
        </div>
      )}
    </nav>
  )
}

function Tab({ to, icon, current, unread = 0, children }: { readonly to: Route; readonly icon: IconName; readonly current: boolean; readonly unread?: number; readonly children: ReactNode }) {
  return (
    <li>
      <Link to={to} className={css.tab} current={current}>
        <Icon name={icon} />
        <span>{children}</span>
        <Badge n={unread} label={t('common.unread', { n: unread })} className={css.badge ?? ''} />
      </Link>
    </li>
  )
}

/** Link is a real address, followed without loading the page. */
function Link({ to, className, label, current, children }: { readonly to: Route; readonly className: string | undefined; readonly label?: string; readonly current?: boolean; readonly children: ReactNode }) {
  const follow = (e: MouseEvent) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return
    e.preventDefault()
    if (current === undefined || to.at !== 'chats') go(to)
    else goChats()
  }
  return (
    <a href={formatPath(to, slot())} className={className} aria-label={label} aria-current={current ? 'page' : undefined} onClick={follow} draggable={false}>
      {children}
    </a>
  )
}

/** Flames: one machine has one; of several data centres the lit one is where this device is connected, the dark one was left. */
function Flames({ online, sites }: { readonly online: boolean; readonly sites: Sites }) {
  const { list, at, left, movedAt } = sites
  const settled = useLater(movedAt, MOVED)
  if (list.length < 2) return <Flame state={online ? 'lit' : 'breath'} />
  // While it is not known where the connection will be, the next one stands for it.
  const next = list[(list.findIndex((s) => s.name === at) + 1) % list.length]?.name
  const dark = !online ? at : movedAt !== 0 && !settled ? left : ''
  return (
    <span className={css.flames} aria-hidden="true">
      {inOrder(list).map(({ name }) => (
        <Flame key={name} state={name === dark ? 'out' : name !== (online ? at : next) ? undefined : online ? 'lit' : 'breath'} className={name === (online ? at : next) ? css.at : undefined} />
      ))}
    </span>
  )
}

function SiteFlames() {
  const engine = useEngine()
  const online = useSelect(engine.app, (a) => a.connection === 'online')
  const connecting = useSelect(engine.app, (a) => a.connection === 'connecting')
  const sites = useSelect(engine.app, (a) => a.sites)
  const alone = sites.list.length < 2
  const site = siteName(sites.at)
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()

  useEffect(() => {
    if (!open) return
    box.current?.focus({ preventScroll: true })
    const press = (e: PointerEvent) => {
      if (e.target instanceof Node && !box.current?.contains(e.target) && !button.current?.contains(e.target)) setOpen(false)
    }
    addEventListener('pointerdown', press)
    return () => removeEventListener('pointerdown', press)
  }, [open])

  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  return (
    <>
      <button ref={button} type="button" className={css.sites} aria-expanded={open} aria-controls={open ? id : undefined} onClick={() => setOpen(!open)}>
        <Flames online={online} sites={sites} />
        {alone ? (
          <>
            <span aria-hidden="true">{online ? t('shell.here') : t('shell.connecting')}</span>
            <span className="vh">{online ? t('shell.flameOnline') : t('shell.flameConnecting')}</span>
          </>
        ) : (
          <>
            <span aria-hidden="true">{online ? site : connecting ? t('shell.connecting') : t('shell.moving')}</span>
            <span className="vh">{online ? t('shell.sitesAt', { site }) : t('shell.sitesMoving')}</span>
          </>
        )}
      </button>
      {open && (
        <div
          ref={box}
          id={id}
          className={css.pop}
          role="dialog"
          aria-label={t('shell.flame')}
          tabIndex={-1}
          onKeyDown={(e) => {
            if (e.key !== 'Escape') return
            e.stopPropagation()
            e.preventDefault()
            close()
          }}
        >
          <Flame state={online ? 'lit' : 'breath'} />
          <div>
            <b>{alone ? t('shell.flameTitle') : t('shell.sitesTitle', { n: sites.list.length })}</b>
            <p>{!online ? t('shell.flameAgain') : alone ? t('shell.flameConnected') : t('shell.sitesAt', { site })}</p>
            <p className={css.quiet}>{alone ? t('shell.flameDisk') : t('shell.sitesWhy')}</p>
          </div>
        </div>
      )}
    </>
  )
}
