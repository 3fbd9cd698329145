// Keys for what is done with the open room as a whole, from wherever the focus is in it: inviting, and its notifications.
import { useEngine } from '../../app/context.ts'
import { useKeys } from '../../app/keys.ts'
import type { RoomState } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { toast } from '../../ui/overlay.tsx'
import { attempt } from '../people/actions.tsx'
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
      const muted = !line.muted
      void attempt(t('info.mute'), engine.mute(line.id, muted)).then((done) => done && toast(t(muted ? 'room.muted' : 'room.unmuted')))
      return true
    },
  })
}
