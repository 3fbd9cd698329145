// Where other views open what has to do with people. Each of these is a dialog over what is there, in a file of its own
// that is fetched ahead once the window is up.
import { load } from '../../app/load.ts'

const dialogs = () => load(() => import('./dialogs.ts'))

export function openProfile(user: string): void {
  void dialogs().then((d) => d.openProfile(user))
}

export function openMe(): void {
  void dialogs().then((d) => d.openMe())
}

export function openAddFriend(query?: string): void {
  void dialogs().then((d) => d.openAddFriend(query))
}

export function openAddedMe(): void {
  void dialogs().then((d) => d.openAddedMe())
}

export function openNewGroup(members?: readonly string[]): void {
  void dialogs().then((d) => d.openNewGroup(members))
}

export function openInvite(room: string): void {
  void dialogs().then((d) => d.openInvite(room))
}
