// The rail: mark, tabs, the one flame, the own picture. On a phone only the tabs, below the list.
import { type MouseEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { t } from '../lib/messages.ts'
import { Avatar } from '../ui/Avatar.tsx'
import { Badge } from '../ui/Button.tsx'
import { Flame, Icon, type IconName, Logo } from '../ui/Icon.tsx'
import { openMe } from '../views/people/index.ts'
import { useEngine, useSelect } from './context.ts'
import { usePhone } from './layout.ts'
import css from './Rail.module.css'
import { formatPath, go, type Route, slot, useRoute } from './route.ts'

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
          <OneFlame />
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
    go(to)
  }
  return (
    <a href={formatPath(to, slot())} className={className} aria-label={label} aria-current={current ? 'page' : undefined} onClick={follow} draggable={false}>
      {children}
    </a>
  )
}

function OneFlame() {
  const engine = useEngine()
  const online = useSelect(engine.app, (a) => a.connection === 'online')
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
        <Flame state={online ? 'lit' : 'breath'} />
        <span aria-hidden="true">{online ? t('shell.here') : t('shell.connecting')}</span>
        <span className="vh">{online ? t('shell.flameOnline') : t('shell.flameConnecting')}</span>
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
            <b>{t('shell.flameTitle')}</b>
            <p>{online ? t('shell.flameConnected') : t('shell.flameAgain')}</p>
            <p className={css.quiet}>{t('shell.flameDisk')}</p>
          </div>
        </div>
      )}
    </>
  )
}
