// What stands between messages: the day, what was read, what happened in the room, missing history.
import { memo } from 'react'
import { displayName, useMe, usePerson } from '../../app/context.ts'
import type { SystemRow } from '../../engine/types.ts'
import { dayLine } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { Icon } from '../../ui/Icon.tsx'
import { rich } from '../../ui/Rich.tsx'
import css from './log.module.css'

type Start = { readonly 'data-start'?: '' }

export function DayLine({ time, start }: { readonly time: number; readonly start: Start }) {
  return (
    <div className={css.day} role="separator" {...start}>
      <time>{dayLine(time)}</time>
    </div>
  )
}

export function ReadLine({ start }: { readonly start: Start }) {
  return (
    <div className={css.readLine} role="separator" {...start}>
      <span>{t('room.readLine')}</span>
    </div>
  )
}

export const SystemLine = memo(function SystemLine({ row, starts }: { readonly row: SystemRow; readonly starts: boolean }) {
  const me = useMe()
  const author = usePerson(row.author)
  const others = row.users.filter((u) => u !== row.author)
  const guest = usePerson(others[0] ?? '')
  const who = row.author === me?.id ? t('room.sysWhoMe') : t('room.sysWho', { name: displayName(author) })
  const whom =
    others.length === 0
      ? ''
      : others.length > 1
        ? others.includes(me?.id ?? '')
          ? t('room.sysWhomMeMany', { n: others.length - 1 })
          : t('room.sysWhomMany', { name: displayName(guest), n: others.length - 1 })
        : others[0] === me?.id
          ? t('room.sysWhomMe')
          : t('room.sysWhom', { name: displayName(guest) })
  return (
    <div className={css.sysRow} {...(starts ? { 'data-start': '' } : {})}>
      <p className={css.sys}>{systemText(row, who, whom)}</p>
    </div>
  )
})

function systemText(row: SystemRow, who: string, whom: string): string {
  switch (row.what) {
    case 'created':
      return whom === '' ? t('room.sysCreated', { who }) : t('room.sysCreatedWith', { who, whom })
    case 'invited':
      return t('room.sysInvited', { who, whom })
    case 'left':
      return t('room.sysLeft', { who })
    case 'renamed':
      return row.title === '' ? t('room.sysUnnamed', { who }) : t('room.sysRenamed', { who, title: `‘${row.title}’` })
  }
}

/** GapLine is wavy: something is missing here, and it is on its way. */
export function GapLine({ starts }: { readonly starts: boolean }) {
  return (
    <div className={css.gap} {...(starts ? { 'data-start': '' } : {})}>
      <Wave />
      <span>{t('room.gap')}</span>
      <Wave />
    </div>
  )
}

function Wave() {
  return (
    <svg viewBox="0 0 80 8" preserveAspectRatio="none" aria-hidden="true">
      <path d="M0 4q5-5 10 0t10 0 10 0 10 0 10 0 10 0 10 0 10 0" />
    </svg>
  )
}

/** SimulatedNote stands once, under the first day of a conversation with a simulated person. */
export function SimulatedNote({ peer }: { readonly peer: string }) {
  const person = usePerson(peer)
  if (!person?.simulated) return null
  const name = displayName(person)
  return (
    <p className={css.simNote}>
      <Icon name="info" />
      <span>
        {rich(t('room.simNote', { name }))}
        <br />
        {t('room.simNoteMore')}
      </span>
    </p>
  )
}
