// 차단한 친구.
import './texts.ts'
import { useEffect } from 'react'
import { displayName, useEngine, usePerson, useSelect } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import { t } from '../../lib/messages.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/Button.tsx'
import { toast } from '../../ui/overlay.tsx'
import css from './More.module.css'

export function Blocked() {
  const engine = useEngine()
  const blocked = useSelect(engine.people, (p) => p.blocked)
  useEffect(() => {
    engine.wantPeople(blocked)
  }, [engine, blocked])
  return (
    <>
      <section className={css.card}>
        {blocked.length === 0 ? (
          <p className={css.muted}>{t('more.blockedNone')}</p>
        ) : (
          <ul className={css.rows}>
            {blocked.map((id) => (
              <BlockedRow key={id} user={id} />
            ))}
          </ul>
        )}
      </section>
      <p className={css.note}>{t('more.blockedNote')}</p>
    </>
  )
}

function BlockedRow({ user }: { readonly user: string }) {
  const engine = useEngine()
  const person = usePerson(user)
  const name = displayName(person)
  const undo = () => {
    engine.unblock(user).then(
      () => toast(t('more.unblocked', { name })),
      (e: unknown) => toast(errorText(e)),
    )
  }
  return (
    <li className={css.row}>
      <Avatar user={user} size="s" />
      <div>
        <b>{name}</b>
        <small>{person?.handle}</small>
      </div>
      <Button size="s" onClick={undo} aria-label={t('more.unblockName', { name })}>
        {t('more.unblock')}
      </Button>
    </li>
  )
}
