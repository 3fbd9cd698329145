// 훈련 기록, 백업, 감사 기록: lists, newest first, as tables that become cards on a phone.
import { type ReactNode, useEffect, useState } from 'react'
import { reasonOf } from '../app/errors.ts'
import type { Act, Backup, Drill, GetBackupsResponse } from '../gen/bonghwa/api/v1/operator_pb.ts'
import { dateLine, timeOf } from '../lib/dates.ts'
import { grouped } from '../lib/messages.ts'
import { Button, Tag } from '../ui/Button.tsx'
import { Icon } from '../ui/Icon.tsx'
import { nameOf } from './names.ts'
import { useAsk, usePages } from './data.ts'
import css from './Ops.module.css'
import { Matters } from './Matters.tsx'
import { type Word, actFor, scenarioFor, w } from './words.ts'

const when = (ms: bigint): string => `${dateLine(Number(ms))} ${timeOf(Number(ms))}`

interface Column<T> {
  readonly head: Word
  readonly cell: (row: T) => ReactNode
  readonly number?: boolean
}

function Table<T>({ title, note, none, columns, rows, keyOf, more, wrong, onMore }: { readonly title: Word; readonly note?: ReactNode; readonly none: Word; readonly columns: readonly Column<T>[]; readonly rows: readonly T[] | null; readonly keyOf: (row: T) => string; readonly more?: boolean; readonly wrong: string; readonly onMore?: () => void }) {
  return (
    <>
      <header className={css.listHead}>
        <h1>{w(title)}</h1>
        {note}
      </header>
      {rows === null ? (
        <p role="status" className={css.muted}>
          {wrong === '' ? w('loading') : w('unreachable')}
        </p>
      ) : rows.length === 0 ? (
        <p className={`${css.muted} ${css.nothing}`}>{w(none)}</p>
      ) : (
        <div className={css.scroller} tabIndex={0} role="group" aria-label={w(title)}>
          <table className={css.table}>
            <thead>
              <tr>
                {columns.map((c) => (
                  <th key={c.head} scope="col" className={c.number ? css.num : undefined}>
                    {w(c.head)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((r) => (
                <tr key={keyOf(r)}>
                  {columns.map((c) => (
                    <td key={c.head} className={c.number ? css.num : undefined} data-head={w(c.head)}>
                      {c.cell(r)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more && <Button onClick={onMore}>{w('more')}</Button>}
    </>
  )
}

const n = (v: bigint | number): string => grouped(Number(v))
const gap = (...ms: readonly number[]): string => (Math.max(...ms) > 0 ? `${(Math.max(...ms) / 1000).toFixed(1)}${w('seconds')}` : '—')

const drillColumns: readonly Column<Drill>[] = [
  { head: 'when', cell: (d) => when(d.startedMs) },
  { head: 'scenario', cell: (d) => scenarioFor(d.scenario, (rest) => (rest === d.site ? '' : nameOf(rest))) },
  { head: 'where', cell: (d) => (d.site === '' ? '—' : nameOf(d.site)) },
  { head: 'sent', cell: (d) => n(d.acked), number: true },
  { head: 'lostShort', cell: (d) => n(d.lost), number: true },
  { head: 'doubledShort', cell: (d) => n(d.duplicated), number: true },
  { head: 'reordered', cell: (d) => n(d.reordered), number: true },
  {
    head: 'unauthorisedShort',
    cell: (d) => (
      <>
        {n(d.unauthorised)}
        {d.tried > 0n && <small>{w('ofTries', { n: Number(d.tried) })}</small>}
      </>
    ),
    number: true,
  },
  { head: 'gap', cell: (d) => gap(d.sendGapMs, d.deliveryGapMs), number: true },
  { head: 'gapMoved', cell: (d) => gap(d.movedSendGapMs, d.movedDeliveryGapMs), number: true },
  {
    head: 'result',
    cell: (d) => (
      <Tag kind={d.held ? (d.heldInTime ? 'good' : 'warn') : 'danger'}>
        <Icon name={d.held ? 'check' : 'triangle-alert'} />
        {w(d.held ? (d.heldInTime ? 'held' : 'heldLate') : 'notHeld')}
      </Tag>
    ),
  },
  { head: 'source', cell: (d) => (d.source === 'demo' ? w('sourceDemo') : d.source) },
]

export function Drills() {
  const list = usePages(async (c, before) => {
    const r = await c.listDrills({ before })
    return { items: r.drills, next: r.next }
  })
  return <Table title="drillsTitle" none="drillsNone" columns={drillColumns} rows={list.items} keyOf={(d) => `${d.startedMs} ${d.site} ${d.scenario}`} more={list.more} wrong={list.wrong} onMore={list.next} />
}

/** onWhat is what an act was done to. */
export function onWhat(a: Act): string {
  if (/^(drill_started|drill_ended|drained|added|removed)$/.test(a.what)) return nameOf(a.on)
  if (a.what === 'drill_recorded') return scenarioFor(a.on, nameOf)
  const [, people, days] = (a.what === 'invited' && /^(\d+), (\d+) d$/.exec(a.on)) || []
  return people && days ? w('forPeopleAndDays', { n: Number(people), d: Number(days) }) : a.on
}

const actColumns: readonly Column<Act>[] = [
  { head: 'when', cell: (a) => when(a.timeMs) },
  {
    head: 'who',
    cell: (a) =>
      a.handle === '' ? (
        <span className={css.terminal}>
          <Icon name="terminal" />
          {w('terminal')}
        </span>
      ) : (
        <>
          {a.who || a.handle} <small>{a.handle}</small>
        </>
      ),
  },
  { head: 'where', cell: (a) => (a.site === '' ? '—' : nameOf(a.site)) },
  { head: 'what', cell: (a) => actFor(a.what) },
  { head: 'on', cell: onWhat },
]

export function Acts() {
  const list = usePages(async (c, before) => {
    const r = await c.listActs({ before })
    return { items: r.acts, next: r.next }
  })
  return (
    <Table title="actsTitle" note={<p className={css.muted}>{w('actsNote')}</p>} none="actsNone" columns={actColumns} rows={list.items && list.items.map((a, i) => ({ ...a, i }))} keyOf={(a) => `${(a as Act & { i: number }).i}`} more={list.more} wrong={list.wrong} onMore={list.next} />
  )
}

const reasons: Readonly<Record<string, Word>> = { daily: 'labelDaily', backup: 'labelBackup', fetch: 'labelFetch', archive: 'labelArchive' }

const backupColumns: readonly Column<Backup>[] = [
  { head: 'when', cell: (b) => when(b.timeMs) },
  { head: 'where', cell: (b) => nameOf(b.site) },
  { head: 'position', cell: (b) => `${b.epoch}:${b.n}`, number: true },
  { head: 'forWhat', cell: (b) => (reasons[b.label] ? w(reasons[b.label]!) : b.label) },
]

/** archiveSays up to when the archive reaches. That there is none is only said when nothing is wrong with one. */
export function archiveSays(b: GetBackupsResponse): string {
  if (b.archivedToMs > 0n) return w('archived', { time: when(b.archivedToMs) })
  return b.archiveMatters.length > 0 ? '' : w('archiveNone')
}

export function Backups() {
  const call = useAsk()
  const [got, setGot] = useState<GetBackupsResponse | null>(null)
  const [wrong, setWrong] = useState('')
  useEffect(() => {
    let stale = false
    const read = () =>
      call((c) => c.getBackups({})).then(
        (r) => !stale && setGot(r),
        (e: unknown) => !stale && setWrong(reasonOf(e)),
      )
    void read()
    const timer = setInterval(() => void read(), 5000)
    return () => {
      stale = true
      clearInterval(timer)
    }
  }, [call])
  const note = (
    <>
      <p className={css.muted}>{w('backupsNote')}</p>
      {got && (
        <div className={got.archiveMatters.length > 0 || got.archivedToMs === 0n ? `${css.archive} ${css.lossy}` : css.archive}>
          <Icon name={got.archiveMatters.length > 0 || got.archivedToMs === 0n ? 'triangle-alert' : 'shield-check'} />
          <div>
            <p>{archiveSays(got)}</p>
            <Matters list={got.archiveMatters} />
          </div>
        </div>
      )}
    </>
  )
  return <Table title="backupsTitle" note={note} none="backupsNone" columns={backupColumns} rows={got?.backups ?? null} keyOf={(b) => `${b.site} ${b.epoch} ${b.n}`} wrong={wrong} />
}
