// The sheet of a person: picture, name, words, whether they are here now, and what one can do with them.
import { useEffect } from 'react'
import { displayName, useEngine, useMe, usePerson, useSelect } from '../../app/context.ts'
import { go, route } from '../../app/route.ts'
import type { RoomState, Signal } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Avatar, pictureOf } from '../../ui/Avatar.tsx'
import { Button, IconButton, Tag } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { openDialog, openMenu } from '../../ui/overlay.tsx'
import { addFriend, blockPerson, removeFriend, unblockPerson, useBusy } from './actions.tsx'
import { openMe } from './MeEdit.tsx'
import css from './Profile.module.css'

export function openProfile(user: string): void {
  openDialog((close) => <Profile user={user} onClose={close} />)
}

const nowhere: Signal<RoomState | null> = { get: () => null, subscribe: () => () => undefined }

function Profile({ user, onClose }: { readonly user: string; readonly onClose: () => void }) {
  const engine = useEngine()
  const me = useMe()
  const known = usePerson(user)
  const self = me?.id === user
  const p = self ? me : known
  const friend = useSelect(engine.people, (s) => s.friends.includes(user))
  const blocked = useSelect(engine.people, (s) => s.blocked.includes(user))
  const online = useSelect(engine.people, (s) => s.online.has(user))
  const work = useBusy()
  // A room knows more of who is there than was asked of single people.
  const r = route()
  const beside = useSelect(r.at === 'room' ? engine.room(r.id) : nowhere, (s) => s?.online?.users.includes(user) ?? false)
  useEffect(() => {
    if (!self) engine.wantPresence([user])
  }, [engine, user, self])

  const name = displayName(p)
  const talk = () => {
    onClose()
    go({ at: 'room', id: engine.directRoom(user) })
  }
  const there = p !== undefined && !p.closed
  return (
    <Dialog title={name === '' ? t('people.profile') : t('people.profileOf', { name })} onClose={onClose} bare size="narrow" className={css.sheet}>
      <div className={css.acts}>
        {there && !self && friend && (
          <IconButton
            icon="ellipsis"
            size="s"
            label={t('people.more')}
            aria-haspopup="menu"
            onClick={(e) => openMenu(e.currentTarget, [{ label: t('people.friendRemove'), icon: 'user-minus', run: () => void removeFriend(engine, p) }], { label: t('people.more'), align: 'end' })}
          />
        )}
        <IconButton icon="x" size="s" label={t('common.close')} onClick={onClose} />
      </div>
      <div className={css.who}>
        <div className={css.art}>
          <Art user={user} photo={p?.photo ?? ''} />
        </div>
        <Avatar user={user} size="xl" className={css.pic} />
        <h2 className={css.name}>
          {name}
          {self && <Tag>{t('people.me')}</Tag>}
          {p?.simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
        </h2>
        {there && <small>{p.handle}</small>}
        {p?.closed && <p className={css.quiet}>{t('people.closed')}</p>}
        {there && p.status !== '' && <p className={css.status}>{p.status}</p>}
        {there && p.simulated && <p className={css.quiet}>{t('people.simulatedNote')}</p>}
        {blocked ? <p className={css.quiet}>{t('people.blocked')}</p> : there && !self && (online || beside) && <small className={css.on}><i />{t('people.online')}</small>}
      </div>
      {there && (
        <div className={css.foot}>
          {self ? (
            <>
              <Button icon="pencil" onClick={() => (onClose(), openMe())}>{t('people.editMe')}</Button>
              <Button kind="primary" icon="message-circle" onClick={talk} data-autofocus>{t('people.selfChat')}</Button>
            </>
          ) : blocked ? (
            <Button kind="primary" icon="ban" busy={work.busy} onClick={() => work.run(() => unblockPerson(engine, p))} data-autofocus>
              {t(work.busy ? 'people.unblocking' : 'people.unblock')}
            </Button>
          ) : (
            <>
              <Button kind="danger" icon="ban" className={css.block} onClick={() => void blockPerson(engine, p)}>{t('people.block')}</Button>
              {!friend && (
                <Button icon="user-plus" busy={work.busy} onClick={() => work.run(async () => void (await addFriend(engine, p)))}>
                  {t(work.busy ? 'people.addBusy' : 'people.friendAdd')}
                </Button>
              )}
              <Button kind="primary" icon="message-circle" onClick={talk} data-autofocus>{t('people.chat')}</Button>
            </>
          )}
        </div>
      )}
    </Dialog>
  )
}

// Art is the person's picture as a wide backdrop.
function Art({ user, photo }: { readonly user: string; readonly photo: string }) {
  const engine = useEngine()
  const url = useSelect(engine.people, () => (photo === '' ? '' : engine.photoUrl(user)))
  if (url !== '') return <img src={url} alt="" width={320} height={320} />
  return (
    <svg viewBox="0 0 48 48" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <use href={`#av-${pictureOf(user)}`} />
    </svg>
  )
}
