// The people who added me and whom I have not added.
import { useState } from 'react'
import { displayName, useEngine, usePerson, useSelect } from '../../app/context.ts'
import { t } from '../../lib/messages.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Tag } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { openDialog } from '../../ui/overlay.tsx'
import { addFriend } from './actions.tsx'
import css from './people.module.css'
import { openProfile } from './Profile.tsx'

export function openAddedMe(): void {
  openDialog((close) => <AddedMe onClose={close} />)
}

// More than these are of no use to look through; the rest come up as these are added.
const SHOWN = 100

function AddedMe({ onClose }: { readonly onClose: () => void }) {
  const engine = useEngine()
  const ids = useSelect(engine.people, (p) => p.addedMe)
  return (
    <Dialog title={t('people.addedMeTitle')} onClose={onClose}>
      <p className={css.muted}>{ids.length > 0 ? t('people.addedMeText') : t('people.addedMeNone')}</p>
      <ul className={css.people}>
        {ids.slice(0, SHOWN).map((id) => (
          <Row key={id} id={id} />
        ))}
      </ul>
    </Dialog>
  )
}

function Row({ id }: { readonly id: string }) {
  const engine = useEngine()
  const p = usePerson(id)
  const [busy, setBusy] = useState(false)
  const add = () => {
    if (!p) return
    setBusy(true)
    void addFriend(engine, p).finally(() => setBusy(false))
  }
  const name = displayName(p)
  return (
    <li>
      <button type="button" className={css.person} onClick={() => openProfile(id)}>
        <Avatar user={id} size="s" />
        <span>
          <b>
            <span>{name}</span>
            {p?.simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
          </b>
          <small>{p?.status || p?.handle}</small>
        </span>
      </button>
      <Button size="s" icon="user-plus" busy={busy} disabled={!p} aria-label={t('people.addName', { name })} onClick={add}>
        {t(busy ? 'people.addShortBusy' : 'people.add')}
      </Button>
    </li>
  )
}
