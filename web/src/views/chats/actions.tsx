// What can be done with a room from outside of it: pin, mute, leave. Used by the list's menu and by the room's information.
import { route, go } from '../../app/route.ts'
import type { Engine, RoomLine } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import type { MenuItem } from '../../ui/Menu.tsx'
import { ask, toast } from '../../ui/overlay.tsx'
import { attempt } from '../people/actions.tsx'
import { roomName } from './lines.ts'

/** leaveRoom asks, leaves, and goes back to the list if the room was looked at. */
export async function leaveRoom(engine: Engine, line: RoomLine): Promise<void> {
  const name = roomName(line, engine.people.get().byId)
  const me = engine.app.get().me?.name ?? ''
  const question =
    line.kind === 'group'
      ? { title: t('chats.leaveTitle', { room: name }), body: t('chats.leaveText', { me }) }
      : line.kind === 'self'
        ? { title: t('chats.leaveSelfTitle'), body: t('chats.leaveSelfText') }
        : { title: t('chats.leaveDirectTitle', { name }), body: t('chats.leaveDirectText') }
  if (!(await ask({ ...question, action: t('chats.leave'), icon: 'log-out', danger: true }))) return
  if (!(await attempt(t('chats.leave'), engine.leave(line.id)))) return
  const r = route()
  if (r.at === 'room' && r.id === line.id) go({ at: 'chats' }, { replace: true })
  toast(t('chats.leftDone'))
}

/** muteRoom says what it did, and can take it back. */
export async function muteRoom(engine: Engine, line: RoomLine, on: boolean): Promise<void> {
  if (!(await attempt(t(on ? 'chats.mute' : 'chats.unmute'), engine.mute(line.id, on)))) return
  toast(t(on ? 'room.muted' : 'room.unmuted'), { label: t('common.undo'), run: () => void engine.mute(line.id, !on).catch(() => undefined) })
}

async function pinRoom(engine: Engine, line: RoomLine, on: boolean): Promise<void> {
  if (!(await attempt(t(on ? 'chats.pin' : 'chats.unpin'), engine.pin(line.id, on)))) return
  const room = roomName(line, engine.people.get().byId)
  toast(t(on ? 'chats.pinnedDone' : 'chats.unpinnedDone', { room }), { label: t('common.undo'), run: () => void engine.pin(line.id, !on).catch(() => undefined) })
}

/** roomMenu are the items of a row's menu. A room that is not made yet can only be left. */
export function roomMenu(engine: Engine, line: RoomLine): readonly (MenuItem | 'line')[] {
  const pin = t(line.pinned ? 'chats.unpin' : 'chats.pin')
  const mute = t(line.muted ? 'chats.unmute' : 'chats.mute')
  const unread: readonly MenuItem[] = line.unread > 0 ? [{ label: t('chats.markRead'), icon: 'check', run: () => engine.markRead(line.id, line.lastSeq) }] : []
  return [
    ...unread,
    { label: pin, icon: 'pin', disabled: line.provisional, run: () => void pinRoom(engine, line, !line.pinned) },
    { label: mute, icon: line.muted ? 'bell' : 'bell-off', disabled: line.provisional, run: () => void muteRoom(engine, line, !line.muted) },
    'line',
    { label: t('chats.leave'), icon: 'log-out', danger: true, run: () => void leaveRoom(engine, line) },
  ]
}
