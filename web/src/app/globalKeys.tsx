// Keys that work anywhere in a signed-in window.
import type { Engine } from '../engine/types.ts'
import { useEngine } from './context.ts'
import { goChats } from './layout.ts'
import { useKeys } from './keys.ts'
import { openKeys, openPalette } from './lazy.tsx'
import { neighbour } from './rooms.ts'
import { go, route } from './route.ts'

export function useGlobalKeys(): void {
  const engine = useEngine()
  useKeys({
    'mod+k': () => openPalette(),
    '?': () => openKeys(),
    'alt+1': () => go({ at: 'friends' }),
    'alt+2': goChats,
    'alt+3': () => go({ at: 'more' }),
    'alt+ArrowUp': () => walk(engine, -1, false),
    'alt+ArrowDown': () => walk(engine, 1, false),
    'alt+shift+ArrowDown': () => walk(engine, 1, true),
    'alt+shift+ArrowUp': () => walk(engine, -1, true),
  })
}

function walk(engine: Engine, step: 1 | -1, unreadOnly: boolean): void {
  const r = route()
  const id = neighbour(engine.rooms.get().lines, r.at === 'room' ? r.id : null, step, unreadOnly)
  // Walking leaves one step of history, not one for each room.
  if (id !== null) go({ at: 'room', id }, { replace: r.at === 'room' })
}
