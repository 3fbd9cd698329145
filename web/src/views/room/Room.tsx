// An open room: head, find bar, log, foot, and the acts that connect them. The caller gives each room a key of its own.
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'react'
import { displayName, useEngine, usePerson, useSelect, useSignal } from '../../app/context.ts'
import { errorText, reasonOf } from '../../app/errors.ts'
import { useFinder } from '../../app/finder.ts'
import { useKeys } from '../../app/keys.ts'
import { go } from '../../app/route.ts'
import type { MessageRow, RoomState } from '../../engine/types.ts'
import { copyText } from '../../lib/clipboard.ts'
import { now } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { nfc } from '../../lib/text.ts'
import { ask, toast } from '../../ui/overlay.tsx'
import { roomName } from '../chats/lines.ts'
import { openProfile } from '../people/index.ts'
import { Blank } from '../people/Marked.tsx'
import { type RoomActions, RoomActionsContext, can } from './actions.ts'
import type { ComposerHandle, Mode } from './Composer.tsx'
import { find, nextHit, plainQuery } from './find.ts'
import { FindBar } from './FindBar.tsx'
import { Foot, closedTo } from './Foot.tsx'
import { Head } from './Head.tsx'
import { Heard } from './Heard.tsx'
import { Log, type LogHandle } from './Log.tsx'
import { openMessageMenu } from './MessageMenu.tsx'
import { oneLine } from './MessageLine.tsx'
import { RoomIdContext } from './room-id.ts'
import { useRoomKeys, useTyping } from './room-keys.ts'
import { Stranger } from './Stranger.tsx'
import css from './room.module.css'

export function Room({ id }: { readonly id: string }) {
  const engine = useEngine()
  const state = useSignal(engine.room(id))
  // What is sent here is drawn at once, not with the round that the engine tells at the next frame.
  const [, look] = useReducer((n: number) => n + 1, 0)
  useView(id)
  return state === null ? (
    <section className={css.missing} aria-label={t('room.missing')}>
      <Blank mark="search" title={t('room.missing')} text={t('room.missingHint')} action={t('room.toChats')} run={() => go({ at: 'chats' })} />
    </section>
  ) : (
    <RoomIdContext value={id}>
      <Open key={id} id={id} state={state} onSent={look} />
    </RoomIdContext>
  )
}

/** useView tells the engine that the room is looked at: on the screen, in the window that has the focus. */
function useView(id: string): void {
  const engine = useEngine()
  useEffect(() => {
    const tell = () => engine.view(document.visibilityState === 'visible' && document.hasFocus() ? [id] : [])
    tell()
    document.addEventListener('visibilitychange', tell)
    addEventListener('focus', tell)
    addEventListener('blur', tell)
    return () => {
      document.removeEventListener('visibilitychange', tell)
      removeEventListener('focus', tell)
      removeEventListener('blur', tell)
      engine.view([])
    }
  }, [engine, id])
}

function Open({ id, state, onSent }: { readonly id: string; readonly state: RoomState; readonly onSent: () => void }) {
  const engine = useEngine()
  const { line, rows } = state
  const peer = usePerson(line.kind === 'direct' ? line.peer : '')
  const title = useSelect(engine.people, (p) => roomName(line, p.byId))
  const closed = closedTo(state, peer?.closed ?? false) !== null
  const log = useRef<LogHandle>(null)
  const composer = useRef<ComposerHandle>(null)
  const [mode, setMode] = useState<Mode>({ kind: 'new' })
  // What a draft answers, until its row is there.
  const [waiting, setWaiting] = useState(line.draftReply)
  if (waiting > 0) {
    const row = rows.find((r): r is MessageRow => r.kind === 'message' && r.seq === waiting)
    if (row || mode.kind !== 'new') setWaiting(0)
    if (row && mode.kind === 'new' && can(row, now()).reply) setMode({ kind: 'reply', row, again: true })
  }
  const [held, setHeld] = useState<string | null>(null)
  const shut = useRef<() => void>(undefined)
  const heldGone = held !== null && rows.some((r) => r.kind === 'message' && r.key === held && r.deleted)
  // What is deleted for everyone is not to be copied from a menu that was open.
  useEffect(() => {
    if (heldGone) shut.current?.()
  }, [heldGone])
  const [problem, setProblem] = useState('')

  const [finding, setFinding] = useState(false)
  const [query, setQuery] = useState('')
  const plain = finding ? plainQuery(query) : ''
  const hits = useMemo(() => find(rows, plain), [rows, plain])
  const [hit, setHit] = useState<string | null>(null)
  const goTo = useCallback((key: string | null) => {
    setHit(key)
    if (key !== null) log.current?.toKey(key)
  }, [])
  // A hit that loading or a new message brought, or the one that is left.
  const lost = hits.length > 0 && (hit === null || !hits.includes(hit))
  useEffect(() => {
    if (lost) goTo(nextHit(hits, null, -1))
  }, [lost])
  const search = (text: string) => {
    setQuery(text)
    const q = plainQuery(text)
    goTo(nextHit(find(rows, q), q === plain ? hit : null, -1))
  }
  const openFind = (text = '') => {
    setFinding(true)
    if (text !== '') search(text)
  }
  const closeFind = () => {
    setFinding(false)
    setHit(null)
    if (!closed) composer.current?.focus()
  }

  const stop = () => {
    setMode({ kind: 'new' })
    setProblem('')
    composer.current?.focus()
  }

  const latest = useRef({ state, closed, mode })
  latest.current = { state, closed, mode }
  const actions = useMemo((): RoomActions => {
    const fail = (key: 'room.editFailed' | 'room.removeFailed' | 'room.reactFailed') => (e: unknown) => setProblem(t(key, { why: errorText(e) }))
    const self: RoomActions = {
      reply: (row) => {
        if (can(row, now()).reply && !latest.current.closed) setMode({ kind: 'reply', row })
      },
      edit: (row) => {
        if (can(row, now()).change && !latest.current.closed) setMode({ kind: 'edit', row })
      },
      copy: (row) => {
        if (row.deleted) return
        void copyText(row.text).then((done) => (done ? toast(t('common.copied')) : setProblem(t('common.copyRefused'))))
      },
      react: (row, reaction) => {
        if (!can(row, now()).react || latest.current.closed) return
        engine.react(id, row.seq, reaction).catch(fail('room.reactFailed'))
      },
      remove: (row) => {
        const { line: l } = latest.current.state
        const name = displayName(engine.people.get().byId.get(l.peer))
        const body = l.kind === 'group' ? t('room.removeGroup', { n: l.memberCount }) : l.kind === 'self' ? t('room.removeSelf') : t('room.removeDirect', { name })
        void ask({ title: t('room.removeTitle'), body: <RemoveBody text={row.text} body={body} />, action: t('room.removeAction'), danger: true }).then((yes) => {
          if (yes) engine.remove(id, row.seq).catch((e: unknown) => reasonOf(e) === 'deleted' || fail('room.removeFailed')(e))
        })
      },
      giveUp: (row) => {
        engine.giveUp(row.item).then(
          (what) => {
            if (what === 'sent') toast(t('room.alreadySent'))
            else if (composer.current?.text() === '') toast(t('room.gaveUp'), { label: t('room.writeAgain'), run: () => composer.current?.setText(row.text) })
            else toast(t('room.gaveUp'))
          },
          (e: unknown) => setProblem(errorText(e)),
        )
      },
      resend: (row) => engine.resend(row.item),
      discard: (row) => engine.discard(row.item),
      menu: (row, bubble, what) => {
        if (row.deleted) return
        setHeld(row.key)
        shut.current = openMessageMenu({ row, bubble, what, actions: self, closedRoom: latest.current.closed, onClose: () => setHeld(null) })
      },
      jump: (seq) => log.current?.toSeq(seq),
      unfold: (row) => log.current?.unfold(row),
      profile: openProfile,
    }
    return self
  }, [engine, id])

  // Words that were not taken come back where they were written, as soon as nothing else is being written there.
  const back = useRef('')
  const putBack = () => {
    const field = composer.current
    if (back.current === '' || field?.text() !== '' || latest.current.mode.kind !== 'new') return
    field.setText(back.current)
    back.current = ''
  }
  const giveBack = (text: string, why: unknown) => {
    setProblem(t('room.editFailed', { why: errorText(why) }))
    back.current = joined(back.current, text)
    if (composer.current) putBack()
    else toDraft()
  }
  const toDraft = () => {
    if (back.current !== '') engine.setDraft(id, joined(engine.rooms.get().byId.get(id)?.draft ?? '', back.current))
    back.current = ''
  }
  useEffect(putBack, [mode])
  useEffect(() => toDraft, [])

  const send = (text: string) => {
    if (back.current === '') setProblem('')
    if (mode.kind === 'edit') {
      const { row } = mode
      setMode({ kind: 'new' })
      if (text === nfc(row.text)) return
      // It may have been sent while its new text was written.
      const current = rows.find((r): r is MessageRow => r.key === row.key && r.kind === 'message') ?? row
      const going = current.seq === 0 ? engine.replaceUnsent(current.item, text) : engine.edit(id, current.seq, text)
      going.catch((e: unknown) => giveBack(text, e))
      return
    }
    engine.send(id, text, mode.kind === 'reply' ? mode.row.seq : waiting)
    onSent()
    setWaiting(0)
    if (mode.kind === 'reply') setMode({ kind: 'new' })
    putBack()
  }

  const editLast = () => {
    // The last one is not loaded.
    if (state.loaded && !state.atEnd) return log.current?.toEnd()
    for (let i = rows.length - 1; i >= 0; i--) {
      const row = rows[i]!
      if (row.kind !== 'message' || !row.own || row.deleted || row.state === 'refused') continue
      if (can(row, now()).change) {
        actions.edit(row)
        log.current?.toKey(row.key)
      }
      return
    }
  }

  /** escape closes what is open here, then leads to the newest message; false if there was nothing to do. */
  const escape = (): boolean => {
    if (mode.kind !== 'new') stop()
    else if (finding) closeFind()
    else if (log.current?.atEnd() === false) log.current.toEnd()
    else return false
    return true
  }
  useKeys({
    '/': () => openFind(),
    // Pressed again it is the browser's own.
    'mod+f': () => (finding ? false : openFind()),
    Escape: () => {
      if (escape()) return
      if (closed || document.activeElement instanceof HTMLTextAreaElement) return false
      composer.current?.focus()
    },
  })
  useRoomKeys(state, closed)
  useTyping(log, composer)
  useFinder(openFind)

  return (
    <RoomActionsContext value={actions}>
      <section className={css.pane} aria-label={title}>
        <Head state={state} title={title} onFind={() => (finding ? closeFind() : openFind())} />
        {finding && <FindBar state={state} query={query} hits={hits} current={hit} onQuery={search} onStep={(by) => goTo(nextHit(hits, hit, by))} onClose={closeFind} />}
        {!finding && <Stranger state={state} />}
        <div className={css.middle}>
          <Log id={id} state={state} query={plain} foundKey={finding ? hit : null} heldKey={held} editingKey={mode.kind === 'edit' ? mode.row.key : null} ref={log} />
        </div>
        <Heard state={state} />
        <div className={css.foot} data-unsaved={mode.kind === 'edit' ? '' : undefined}>
          <Foot state={state} mode={mode} replyTo={mode.kind === 'reply' ? mode.row.seq : waiting} problem={problem} onProblem={setProblem} onStop={stop} composer={composer} onSend={send} onUp={editLast} onLeave={(to) => log.current?.from(to)} onEscape={escape} />
        </div>
      </section>
    </RoomActionsContext>
  )
}

const joined = (a: string, b: string): string => (a === '' ? b : `${a}\n${b}`)

function RemoveBody({ text, body }: { readonly text: string; readonly body: string }) {
  return (
    <>
      <blockquote className={css.says}>{oneLine(text)}</blockquote>
      <p className={css.loss}>{body}</p>
    </>
  )
}
