// The way from the palette into the open room: the room says how it is searched while it is there.
import { useEffect, useRef } from 'react'

type Find = (query: string) => void

let finder: { current: Find } | null = null

/** useFinder is called by the open room. */
export function useFinder(find: Find): void {
  const ref = useRef(find)
  useEffect(() => {
    ref.current = find
  })
  useEffect(() => {
    finder = ref
    return () => {
      if (finder === ref) finder = null
    }
  }, [])
}

/** findInRoom searches the open room; null when none is open. */
export function findInRoom(): Find | null {
  const f = finder
  return f && ((query) => f.current(query))
}
