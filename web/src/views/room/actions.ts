// What can be done with a message, offered to every row by one object that never changes, so that rows can be memoised.
import { createContext, useContext } from 'react'
import type { MessageRow } from '../../engine/types.ts'

export interface RoomActions {
  readonly reply: (row: MessageRow) => void
  readonly edit: (row: MessageRow) => void
  readonly copy: (row: MessageRow) => void
  readonly react: (row: MessageRow, reaction: number) => void
  readonly remove: (row: MessageRow) => void
  readonly giveUp: (row: MessageRow) => void
  readonly resend: (row: MessageRow) => void
  readonly discard: (row: MessageRow) => void
  /** menu opens at the bubble; react shows the reactions alone. */
  readonly menu: (row: MessageRow, bubble: Element, what: 'menu' | 'react') => void
  /** jump goes to a message by its seq, loading around it if need be. */
  readonly jump: (seq: number) => void
  readonly unfold: (row: MessageRow) => void
  readonly profile: (user: string) => void
}

export const RoomActionsContext = createContext<RoomActions | null>(null)

export function useActions(): RoomActions {
  const a = useContext(RoomActionsContext)
  if (!a) throw new Error('no room around this view')
  return a
}

const day = 24 * 60 * 60 * 1000

/** can tells what is possible with a message now (the server's clock). */
export function can(row: MessageRow, now: number): { readonly change: boolean; readonly reply: boolean; readonly react: boolean; readonly stop: boolean } {
  const sent = row.state === 'sent' && !row.deleted
  return {
    change: (sent && row.own && now - row.time < day) || row.state === 'waiting',
    reply: sent,
    react: sent,
    stop: row.state === 'sending' || row.state === 'waiting' || row.state === 'unknown',
  }
}

/** reactionChars by number; 0 is none. */
export const reactionChars = ['', '❤️', '👍', '✅', '😂', '😮', '😢'] as const
export const reactionNames = ['heart', 'thumb', 'check', 'laugh', 'surprise', 'sad'] as const
