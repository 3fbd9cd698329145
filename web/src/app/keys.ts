// Keys of the whole page. Views join with useKeys; the one that came last is asked first, and a run that returns false
// passes the key on. Nothing acts while a syllable is being composed, and no plain letter while something is being typed.
// Letters are told by the key's place when the keyboard writes Hangul: ㅏ is K.
import { useEffect, useRef } from 'react'
import { overlaid } from '../ui/overlay.tsx'

export interface Press {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

/** Keys by name: 'mod+k', 'alt+ArrowUp', 'alt+shift+ArrowDown', '/', '?', 'Escape'. mod is Ctrl, or ⌘ on a Mac. */
export type Bindings = Readonly<Record<string, (e: KeyboardEvent) => boolean | void>>

/** nameOf is the name of what was pressed. */
export function nameOf(e: Press): string {
  const letter = /^Key([A-Z])$/.exec(e.code)?.[1]?.toLowerCase()
  const digit = /^Digit(\d)$/.exec(e.code)?.[1]
  let key = e.key
  // Alt changes what a letter key writes on a Mac, and so does a Korean keyboard.
  if (letter !== undefined && (!/^[a-z]$/i.test(key) || e.altKey)) key = letter
  else if (digit !== undefined && e.altKey) key = digit
  if (/^[A-Z]$/.test(key)) key = key.toLowerCase()
  const shift = e.shiftKey && (key.length > 1 || /[a-z0-9]/.test(key))
  return `${e.ctrlKey || e.metaKey ? 'mod+' : ''}${e.altKey ? 'alt+' : ''}${shift ? 'shift+' : ''}${key}`
}

/** plain keys write something; they rest while typing. */
export function plain(name: string): boolean {
  return [...name].length === 1 || /^shift\+.$/.test(name)
}

/** typing says whether the focus is where text is written. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'range', 'button'].includes(target.type)
}

const joined: { current: Bindings }[] = []

/** useKeys joins while the view is there. */
export function useKeys(bindings: Bindings): void {
  const ref = useRef(bindings)
  useEffect(() => {
    ref.current = bindings
  })
  useEffect(() => {
    joined.push(ref)
    return () => {
      joined.splice(joined.indexOf(ref), 1)
    }
  }, [])
}

/** watchKeys listens for the page, once. */
export function watchKeys(): void {
  addEventListener('keydown', (e) => {
    if (e.defaultPrevented || e.isComposing || e.keyCode === 229 || overlaid()) return
    const name = nameOf(e)
    if (plain(name) && typing(e.target)) return
    for (let i = joined.length - 1; i >= 0; i--) {
      const run = joined[i]!.current[name]
      if (run && run(e) !== false) {
        e.preventDefault()
        return
      }
    }
  })
}
