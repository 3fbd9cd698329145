// What a call of the engine answers, read when the page opens, after each connection, and on request.
import { useCallback, useEffect, useReducer, useState } from 'react'
import { useEngine, useSelect } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'

export interface Answer<T> {
  readonly value: T | null
  /** wrong is the sentence for a call that failed. */
  readonly wrong: string
  readonly again: () => void
}

export function useAnswer<T>(ask: () => Promise<T>): Answer<T> {
  const engine = useEngine()
  const online = useSelect(engine.app, (a) => a.connection === 'online')
  const [round, again] = useReducer((n: number) => n + 1, 0)
  const [value, setValue] = useState<T | null>(null)
  const [wrong, setWrong] = useState('')
  // The call is the same for the life of a page.
  const [call] = useState(() => ask)
  useEffect(() => {
    let stale = false
    call().then(
      (v) => {
        if (stale) return
        setValue(v)
        setWrong('')
      },
      (e: unknown) => !stale && setWrong(errorText(e)),
    )
    return () => {
      stale = true
    }
  }, [call, round, online])
  return { value, wrong, again: useCallback(() => again(), []) }
}
