// Keys for what is done with the open room as a whole, from wherever the focus is in it: inviting, and its notifications; and
// what is typed beside the field.
import { type RefObject, useEffect } from 'react'
import { useEngine } from '../../app/context.ts'
import { useKeys } from '../../app/keys.ts'
import { touch } from '../../app/layout.ts'
import type { RoomState } from '../../engine/types.ts'
import { muteRoom } from '../chats/actions.tsx'
import { overlaid } from '../../ui/overlay.tsx'
import { openInvite, openNewGroup } from '../people/index.ts'
import type { ComposerHandle } from './Composer.tsx'
import type { LogHandle } from './Log.tsx'

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

/** useTyping: what is typed while the log or nothing at all has the focus is meant for the field. */
export function useTyping(log: RefObject<LogHandle | null>, composer: RefObject<ComposerHandle | null>): void {
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      const writes = [...e.key].length === 1 ? e.key !== ' ' : e.isComposing || e.keyCode === 229
      if (!writes || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || overlaid() || touch()) return
      if (e.target === document.body || log.current?.holds(e.target as Node)) composer.current?.focus()
    }
    // After all that has a use for the key. It is not held: the browser writes it where the focus is by then.
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [log, composer])
}
