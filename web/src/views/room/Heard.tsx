// What a screen reader is told of a room by itself: messages of others that arrive while it is open. More than three in five
// seconds are only counted. History that is loaded is never told.
import { useEffect, useRef, useState } from 'react'
import { displayName, useEngine } from '../../app/context.ts'
import type { RoomState } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { oneLine } from './MessageLine.tsx'

const span = 5000
const most = 3

export function Heard({ state }: { readonly state: RoomState }) {
  const engine = useEngine()
  const last = useRef(state.line.lastSeq)
  const times = useRef<number[]>([])
  const [text, setText] = useState('')
  useEffect(() => {
    const news: string[] = []
    const { rows } = state
    let newest = last.current
    for (let i = rows.length - 1; i >= 0; i--) {
      const row = rows[i]!
      if (row.seq !== 0 && row.seq <= last.current) break
      newest = Math.max(newest, row.seq)
      if (row.kind === 'message' && !row.own && !row.deleted) {
        const name = displayName(engine.people.get().byId.get(row.author))
        news.unshift(t('room.heard', { name, text: oneLine(row.text) }))
      }
    }
    if (!state.atEnd) return
    last.current = newest
    if (news.length === 0) return
    const now = performance.now()
    times.current = [...times.current.filter((at) => now - at < span), ...news.map(() => now)]
    setText(times.current.length > most ? t('room.heardMany', { n: times.current.length }) : news.join(' '))
  }, [engine, state])
  return (
    <div className="vh" aria-live="polite" aria-atomic="true">
      {text}
    </div>
  )
}
