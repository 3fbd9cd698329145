// Keys for what is done with the open room as a whole, from wherever the focus is in it: inviting, and its notifications.
import { useEngine } from '../../app/context.ts'
import { useKeys } from '../../app/keys.ts'
import type { RoomState } from '../../engine/types.ts'
import { muteRoom } from '../chats/actions.tsx'
import { openInvite, openNewGroup } from '../people/index.ts'

/** useRoomKeys joins them. In a 1:1 inviting begins a group with its peer. closed: nothing can be sent here. */
export function useRoomKeys({ line }: RoomState, closed: boolean): void {
  const engine = useEngine()
  useKeys({
    'mod+i': () => {
      if (closed || line.kind === 'self' || line.provisional) return false
      if (line.kind === 'group') openInvite(line.id)
      else openNewGroup([line.peer])
      return true
    },
    'mod+shift+b': () => {
      if (line.left || line.kind === 'self' || line.provisional) return false
      void muteRoom(engine, line, !line.muted)
      return true
    },
  })
}
