// What stands in the log of the rows that are drawn: day lines, the line of what was read, system lines, and articles, each of
// one sender within one minute.
import type { ReactNode } from 'react'
import { displayName, usePerson } from '../../app/context.ts'
import type { MessageRow, RoomState, Row } from '../../engine/types.ts'
import { timeOf } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import rowCss from './bubble.module.css'
import { shapeOf } from './group.ts'
import { DayLine, GapLine, ReadLine, SimulatedNote, SystemLine } from './Lines.tsx'
import { type Window, keepKeys } from './virtual.ts'

interface Drawing {
  readonly rows: readonly Row[]
  readonly state: RoomState
  readonly window: Window
  /** groupNames has the name of the article that each drawn row was in: it keeps its name when rows join it in front or behind. */
  readonly groupNames: Map<string, string>
  /** away is the index of the row that has the focus, -1 if none has it or its row is gone; focused is its key. Wherever the window
   * is, it stays in the document: out of the flow, at awayTop px, among its siblings in order. */
  readonly away: number
  readonly awayTop: number
  readonly focused: string | null
  readonly line: (row: MessageRow, first: boolean, last: boolean) => ReactNode
}

/** draw gives the nodes of a window of rows, in order. Each row begins at one node with data-start. */
export function draw({ rows, state, window, groupNames, away, awayTop, focused, line }: Drawing): ReactNode[] {
  keepKeys(groupNames, rows)
  const { readLine } = state
  const drawn: ReactNode[] = []
  const used = new Set<string>()
  const apart = away >= 0 && (away < window.start || away >= window.end) ? rows[away] : undefined
  const name = (row: Row) => groupNames.get(row.key) ?? row.key
  if (apart) used.add(name(apart))

  for (let i = window.start; i < window.end; ) {
    const row = rows[i]!
    const shape = shapeOf(rows, i, readLine)
    const lead = shape.day || shape.readLine
    if (shape.day && row.kind !== 'gap') drawn.push(<DayLine key={`day ${row.key}`} time={row.time} start={{ 'data-start': '' }} />)
    if (i === 0 && shape.day && state.atStart && state.line.kind === 'direct') drawn.push(<SimulatedNote key="simulated" peer={state.line.peer} />)
    if (shape.readLine) drawn.push(<ReadLine key={`read ${row.key}`} start={shape.day ? {} : { 'data-start': '' }} />)
    if (row.kind !== 'message') {
      drawn.push(row.kind === 'gap' ? <GapLine key={row.key} starts={!lead} /> : <SystemLine key={row.key} row={row} starts={!lead} />)
      i++
      continue
    }
    const lines: ReactNode[] = []
    let group: string | undefined
    let n = i
    for (; n < window.end; n++) {
      const r = rows[n]
      if (r?.kind !== 'message') break
      const s = n === i ? shape : shapeOf(rows, n, readLine)
      if (n > i && s.first) break
      if (group === undefined || r.key === focused) group = groupNames.get(r.key) ?? group
      lines.push(
        <div key={r.key} {...(n === i && lead ? {} : { 'data-start': '' })}>
          {line(r, s.first, s.last)}
        </div>,
      )
    }
    if (group === undefined || used.has(group)) group = used.has(row.key) ? `${row.key} again` : row.key
    used.add(group)
    for (let k = i; k < n; k++) groupNames.set(rows[k]!.key, group)
    drawn.push(
      <Group key={group} row={row}>
        {lines}
      </Group>,
    )
    i = n
  }

  if (apart?.kind === 'message') {
    const { first, last } = shapeOf(rows, away, readLine)
    const node = (
      <Group key={name(apart)} row={apart} top={awayTop}>
        {[<div key={apart.key}>{line(apart, first, last)}</div>]}
      </Group>
    )
    if (away < window.start) drawn.unshift(node)
    else drawn.push(node)
  }
  return drawn
}

/** Group is one sender within one minute, as far as it is drawn. top takes it out of the flow. */
function Group({ row, top, children }: { readonly row: MessageRow; readonly top?: number; readonly children: ReactNode }) {
  const name = displayName(usePerson(row.author))
  return (
    <article aria-label={t('room.articleName', { name: row.own ? t('room.me') : name, time: timeOf(row.time) })} {...(top === undefined ? {} : { className: rowCss.away, style: { top } })}>
      {children}
    </article>
  )
}
