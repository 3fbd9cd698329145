// The foot of a room: what goes on, what is answered or edited, and the composer, or why there is none.
import type { ReactNode, Ref } from 'react'
import { displayName, useEngine, useMe, usePerson } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import { go } from '../../app/route.ts'
import type { MessageRow, RoomState } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { Composer, type ComposerHandle, type ComposerProps, type Mode } from './Composer.tsx'
import css from './composer.module.css'
import { oneLine } from './MessageLine.tsx'
import { StatusRow } from './StatusRow.tsx'

export interface FootProps {
  readonly state: RoomState
  readonly mode: Mode
  /** replyTo is the seq of what is answered, 0: nothing. */
  readonly replyTo: number
  readonly problem: string
  readonly onProblem: (text: string) => void
  readonly onStop: () => void
  readonly composer: Ref<ComposerHandle>
  readonly onSend: (text: string) => void
  readonly onUp: () => void
  readonly onLeave: ComposerProps['onLeave']
  readonly onEscape: () => boolean
}

/** closedTo is why nothing can be sent in a room, null if it can. */
export function closedTo(state: RoomState, peerClosed: boolean): 'blocked' | 'left' | 'closed' | null {
  if (state.line.kind === 'direct' && peerClosed) return 'closed'
  if (state.line.blocked) return 'blocked'
  if (state.line.kind === 'group' && state.line.left) return 'left'
  return null
}

export function Foot({ state, mode, replyTo, problem, onProblem, onStop, composer, onSend, onUp, onLeave, onEscape }: FootProps) {
  const engine = useEngine()
  const { line } = state
  const peer = usePerson(line.kind === 'direct' ? line.peer : '')
  const closed = closedTo(state, peer?.closed ?? false)
  return (
    <div className={css.foot}>
      <StatusRow state={state} />
      {problem !== '' && (
        <p className={css.problem} role="alert">
          <Icon name="circle-alert" />
          <span>{problem}</span>
          <IconButton icon="x" size="s" label={t('common.close')} onClick={() => onProblem('')} />
        </p>
      )}
      {closed === 'blocked' ? (
        <Closed icon="ban" text={t('room.blocked')}>
          <Button size="s" onClick={() => void engine.unblock(line.peer).catch((e: unknown) => onProblem(t('room.unblockFailed', { why: errorText(e) })))}>
            {t('room.unblock')}
          </Button>
        </Closed>
      ) : closed === 'left' ? (
        <Closed icon="log-out" text={t('room.leftRoom')}>
          <Button size="s" onClick={() => go({ at: 'chats' })}>
            {t('room.toChats')}
          </Button>
        </Closed>
      ) : closed === 'closed' ? (
        <Closed icon="user-round" text={t('room.closedPeer')} />
      ) : (
        <>
          {mode.kind !== 'new' && <ModeBar state={state} mode={mode} onStop={onStop} />}
          <Composer id={line.id} draft={line.draft} replyTo={replyTo} mode={mode} ref={composer} onSend={onSend} onUp={onUp} onLeave={onLeave} onEscape={onEscape} />
        </>
      )}
    </div>
  )
}

function Closed({ icon, text, children }: { readonly icon: IconName; readonly text: string; readonly children?: ReactNode }) {
  return (
    <div className={css.closed}>
      <Icon name={icon} />
      <span>{text}</span>
      {children}
    </div>
  )
}

function ModeBar({ state, mode, onStop }: { readonly state: RoomState; readonly mode: Exclude<Mode, { kind: 'new' }>; readonly onStop: () => void }) {
  const me = useMe()
  const author = usePerson(mode.row.author)
  // It may have been edited or deleted since.
  const row = state.rows.find((r): r is MessageRow => r.kind === 'message' && r.key === mode.row.key) ?? mode.row
  const edit = mode.kind === 'edit'
  const title = edit ? t('room.editing') : mode.row.author === me?.id ? t('room.replyToMe') : t('room.replyTo', { name: displayName(author) })
  return (
    <div className={css.editBar}>
      <Icon name={edit ? 'pencil' : 'reply'} />
      <div>
        <b>{title}</b>
        <span dir="auto">{row.deleted ? t('room.deleted') : oneLine(row.text)}</span>
      </div>
      <IconButton icon="x" size="s" label={edit ? t('room.stopEdit') : t('room.stopReply')} onClick={onStop} />
    </div>
  )
}
