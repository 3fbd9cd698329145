// 관리: the operators' page. How the sites are, drills, backups, and what operators did. Its calls go to whatever site answers, so
// it goes on while the one that it was opened at burns.
import { type MouseEvent, useEffect } from 'react'
import { displayName, useEngine, useMe } from '../app/context.ts'
import { formatPath, go, type OpsTab, opsTabs, slot, useRoute } from '../app/route.ts'
import { Avatar } from '../ui/Avatar.tsx'
import { Button } from '../ui/Button.tsx'
import { Icon, Logo } from '../ui/Icon.tsx'
import { Centres } from './Centres.tsx'
import { useLive } from './data.ts'
import { Acts, Backups, Drills } from './Lists.tsx'
import css from './Ops.module.css'
import { w } from './words.ts'

export function Ops() {
  const engine = useEngine()
  const me = useMe()
  const route = useRoute()
  const tab: OpsTab = route.at === 'ops' ? route.tab : 'sites'
  const live = useLive()
  const refused = live.wrong === 'not_operator'

  useEffect(() => {
    const before = document.title
    document.title = `${w('title')} · ${w(tab)}`
    return () => {
      document.title = before
    }
  }, [tab])
  useEffect(() => engine.view([]), [engine])

  return (
    <div className={css.ops}>
      <header className={css.head}>
        <p className={css.wordmark}>
          <Logo className={css.logo} />
          {w('brand')} <span>{w('title')}</span>
        </p>
        <nav aria-label={w('nav')}>
          {opsTabs.map((name) => (
            <Tab key={name} name={name} current={tab === name} />
          ))}
        </nav>
        <a className={css.who} href={formatPath({ at: 'chats' }, slot())} onClick={(e) => follow(e, () => go({ at: 'chats' }))} title={w('toChats')}>
          {me && <Avatar user={me.id} size="xs" />}
          <span>{refused ? displayName(me) : w('operator', { name: displayName(me) })}</span>
          <span className="vh">{w('toChats')}</span>
        </a>
      </header>
      {refused ? (
        <main className={css.refused}>
          <Icon name="lock" />
          <h1>{w('notOperator')}</h1>
          <p>{w('notOperatorWhy')}</p>
          <Button onClick={() => go({ at: 'chats' })}>{w('toChats')}</Button>
        </main>
      ) : tab === 'sites' ? (
        <Centres live={live} />
      ) : (
        <main className={css.page} key={tab}>
          {tab === 'drills' && <Drills />}
          {tab === 'backups' && <Backups />}
          {tab === 'acts' && <Acts />}
        </main>
      )}
    </div>
  )
}

function Tab({ name, current }: { readonly name: OpsTab; readonly current: boolean }) {
  return (
    <a href={formatPath({ at: 'ops', tab: name }, slot())} aria-current={current ? 'page' : undefined} onClick={(e) => follow(e, () => go({ at: 'ops', tab: name }))}>
      {w(name)}
    </a>
  )
}

/** follow goes where a link leads without loading the page. */
function follow(e: MouseEvent, leads: () => void): void {
  if (e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return
  e.preventDefault()
  leads()
}
