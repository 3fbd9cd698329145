// Keys of a list that has the focus as a whole (role listbox): arrows, Home, End, a page up or down, Enter, Space, the menu
// key, and typed letters or 초성 that jump. The current row is known by its id: the list may be in another order meanwhile.
import { type FocusEvent, type KeyboardEvent, useRef, useState } from 'react'
import { jump, nothingTyped, type } from '../friends/sections.ts'

export interface ListBoxOptions {
  readonly ids: readonly string[]
  /** prefix of the rows' element ids. */
  readonly prefix: string
  /** first is where the focus begins, e.g. the open room. */
  readonly first?: string
  nameAt(i: number): string
  open(i: number): void
  /** peek is Space; without it Space opens. */
  peek?(i: number): void
  menu?(i: number): void
  reveal(i: number): void
}

const PAGE = 8

export interface ListBox {
  /** index of the current row, -1: none. */
  readonly index: number
  /** ring: the current row shows that it is, because keys move it. */
  readonly ring: boolean
  setActive(id: string): void
  readonly props: {
    readonly role: 'listbox'
    readonly tabIndex: 0
    readonly 'aria-activedescendant': string | undefined
    onKeyDown(e: KeyboardEvent): void
    onFocus(e: FocusEvent<HTMLElement>): void
    onBlur(): void
    onPointerDown(): void
  }
}

export function useListBox(o: ListBoxOptions): ListBox {
  const [active, setActive] = useState('')
  const [ring, setRing] = useState(false)
  const typed = useRef(nothingTyped)
  const index = active === '' ? -1 : o.ids.indexOf(active)

  const to = (i: number) => {
    const at = Math.max(0, Math.min(o.ids.length - 1, i))
    const id = o.ids[at]
    if (id === undefined) return
    setActive(id)
    setRing(true)
    o.reveal(at)
  }

  const onKeyDown = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey || o.ids.length === 0) return
    const act = (fn: () => void) => {
      e.preventDefault()
      fn()
    }
    if (e.key === 'ContextMenu' || (e.key === 'F10' && e.shiftKey)) {
      if (index >= 0 && o.menu) act(() => o.menu?.(index))
      return
    }
    switch (e.key) {
      case 'ArrowDown':
        return act(() => to(index + 1))
      case 'ArrowUp':
        return act(() => to(index < 0 ? o.ids.length - 1 : index - 1))
      case 'PageDown':
        return act(() => to(index + PAGE))
      case 'PageUp':
        return act(() => to(index - PAGE))
      case 'Home':
        return act(() => to(0))
      case 'End':
        return act(() => to(o.ids.length - 1))
      case 'Enter':
        if (index >= 0) act(() => o.open(index))
        return
      case ' ':
        if (index >= 0) act(() => (o.peek ?? o.open)(index))
        return
    }
    const next = type(typed.current, { key: e.key, code: e.code, at: e.timeStamp })
    if (next === null) return
    typed.current = next
    const names = o.ids.map((_, i) => o.nameAt(i))
    const at = jump(names, next, index)
    if (at >= 0) act(() => to(at))
  }

  // Coming by Tab one sees where one is; a press is seen by itself.
  const onFocus = (e: FocusEvent<HTMLElement>) => {
    if (!e.currentTarget.matches(':focus-visible') || o.ids.length === 0) return
    if (index >= 0) to(index)
    else to(o.first === undefined ? 0 : o.ids.indexOf(o.first))
  }

  return {
    index,
    ring,
    setActive,
    props: {
      role: 'listbox',
      tabIndex: 0,
      'aria-activedescendant': index >= 0 ? o.prefix + o.ids[index] : undefined,
      onKeyDown,
      onFocus,
      onBlur: () => setRing(false),
      onPointerDown: () => setRing(false),
    },
  }
}
