// Changes between two people: add, remove, block, unblock. What loses something asks first; what was done can be undone
// from the toast where undoing is one call.
import { useState } from 'react'
import { errorText } from '../../app/errors.ts'
import type { Engine, Person } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Points } from '../../ui/Dialog.tsx'
import type { MenuItem } from '../../ui/Menu.tsx'
import { ask, toast } from '../../ui/overlay.tsx'
import { nameOf } from '../chats/lines.ts'
import { refused } from './refused.tsx'

/** attempt runs a change; false and a dialog with the reason if it was refused. */
export async function attempt(title: string, change: Promise<void>): Promise<boolean> {
  try {
    await change
    return true
  } catch (e) {
    refused(title, errorText(e))
    return false
  }
}

/** blockPerson asks first; true if they are blocked now. */
export async function blockPerson(engine: Engine, p: Person): Promise<boolean> {
  const name = nameOf(p)
  const body = <Points of={[t('people.block1'), t('people.block2'), t('people.block3'), t('people.block4')]} />
  if (!(await ask({ title: t('people.blockTitle', { name }), body, action: t('people.blockAction'), icon: 'ban', danger: true }))) return false
  if (!(await attempt(t('people.blockAction'), engine.block(p.id)))) return false
  toast(t('people.blockedDone', { name }), { label: t('common.undo'), run: () => void unblockPerson(engine, p) })
  return true
}

export async function unblockPerson(engine: Engine, p: Person): Promise<void> {
  if (await attempt(t('people.unblock'), engine.unblock(p.id))) toast(t('people.unblockedDone', { name: nameOf(p) }))
}

export async function removeFriend(engine: Engine, p: Person): Promise<void> {
  const name = nameOf(p)
  if (!(await ask({ title: t('people.removeTitle', { name }), body: t('people.removeText'), action: t('people.friendRemove'), danger: true }))) return
  if (!(await attempt(t('people.friendRemove'), engine.removeFriend(p.id)))) return
  toast(t('people.removed', { name }), { label: t('common.undo'), run: () => void addFriend(engine, p) })
}

export async function addFriend(engine: Engine, p: Person): Promise<boolean> {
  if (!(await attempt(t('people.friendAdd'), engine.addFriend(p.id)))) return false
  toast(t('people.addDone', { name: nameOf(p) }))
  return true
}

/** friendMenu are the items of a friend's menu. */
export function friendMenu(engine: Engine, p: Person, run: { readonly chat: () => void; readonly profile: () => void }): readonly (MenuItem | 'line')[] {
  const blocked = engine.people.get().blocked.includes(p.id)
  return [
    { label: t('people.chat'), icon: 'message-circle', hint: 'Enter', run: run.chat },
    { label: t('people.profileView'), icon: 'user-round', hint: 'Space', run: run.profile },
    'line',
    { label: t('people.friendRemove'), icon: 'user-minus', run: () => void removeFriend(engine, p) },
    blocked
      ? { label: t('people.unblock'), icon: 'ban', run: () => void unblockPerson(engine, p) }
      : { label: t('people.blockAction'), icon: 'ban', danger: true, run: () => void blockPerson(engine, p) },
  ]
}

/** useBusy runs one thing at a time and keeps what it was refused with. */
export function useBusy(): { readonly busy: boolean; readonly error: string; run(fn: () => Promise<void>): void; clear(): void } {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState('')
  const run = (fn: () => Promise<void>) => {
    if (busy) return
    setBusy(true)
    setError('')
    fn()
      .catch((e: unknown) => setError(errorText(e)))
      .finally(() => setBusy(false))
  }
  return { busy, error, run, clear: () => setError('') }
}
