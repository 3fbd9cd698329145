// Where a message is written. The text belongs to the person: only sending or deleting clears it; a draft from another window
// appears only while nothing is being written here. The field is not controlled by React, so that input methods are not
// disturbed. What is sent is NFC.
import { type ClipboardEvent, type CompositionEvent, type KeyboardEvent, type Ref, Suspense, lazy, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { textOnly } from '../../app/drops.ts'
import { touch } from '../../app/layout.ts'
import { load } from '../../app/load.ts'
import { useSetting } from '../../app/settings.ts'
import type { MessageRow } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { codePoints, nfc } from '../../lib/text.ts'
import { IconButton } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { overlaid } from '../../ui/overlay.tsx'
import { type KeysEvent, type KeysState, idle, step } from './composer-keys.ts'
import css from './composer.module.css'

const EmojiPicker = lazy(() => load(() => import('./emoji/Picker.tsx')))

export const maxLength = 10_000
const countFrom = 9_500
const draftMs = 120
const typingMs = 2500

/** Mode: a new message, an answer to one, or another text for one. */
export type Mode = { readonly kind: 'new' } | { readonly kind: 'reply' | 'edit'; readonly row: MessageRow; /** again: it was there before the room was opened, and takes no focus. */ readonly again?: boolean }

export interface ComposerHandle {
  focus(): void
  text(): string
  setText(text: string): void
}

export interface ComposerProps {
  readonly id: string
  readonly draft: string
  /** replyTo belongs to the draft. */
  readonly replyTo: number
  readonly mode: Mode
  readonly ref: Ref<ComposerHandle>
  readonly onSend: (text: string) => void
  /** onUp: the arrow up in an empty field. */
  readonly onUp: () => void
  /** onLeave: Shift Tab leads to the last message in view, and a page up or down scrolls the log. */
  readonly onLeave: (to: 'message' | 1 | -1) => void
  readonly onEscape: () => boolean
}

export function Composer({ id, draft, replyTo, mode, ref, onSend, onUp, onLeave, onEscape }: ComposerProps) {
  const engine = useEngine()
  const enterSends = useSetting('enterSends')
  const field = useRef<HTMLTextAreaElement>(null)
  const [size, setSize] = useState({ points: codePoints(draft), blank: draft.trim() === '' })
  const [picker, setPicker] = useState(false)
  const editing = mode.kind === 'edit'
  const keys = useRef<KeysState>(idle)
  // A draft is what a new message or an answer would be; the text of an edit is none.
  const saved = useRef({ draft, replyTo, timer: undefined as ReturnType<typeof setTimeout> | undefined, typed: 0, touched: false })

  // What the browser remembers to undo does not know of texts put in by the page: it ends where such a text begins.
  const past = useRef<{ readonly text: string; readonly edge: 'none' | 'put' | 'undone' }>({ text: draft, edge: 'put' })
  const put = (text: string) => {
    const el = field.current!
    el.value = text
    el.setSelectionRange(text.length, text.length)
    past.current = { text, edge: 'put' }
  }

  const grow = () => {
    const el = field.current!
    // Nothing is one line: it needs no measuring, and sending ends with nothing.
    if (el.value === '') {
      el.style.height = ''
      return
    }
    // What is around keeps its height while the field is made small to be measured: a log that grew for that moment would
    // be pushed off its end.
    const { style } = el.form!
    style.height = `${el.form!.getBoundingClientRect().height}px`
    el.style.height = ''
    if (el.scrollHeight > el.clientHeight) el.style.height = `${el.scrollHeight}px`
    style.height = ''
  }
  const look = () => {
    const text = field.current!.value
    const blank = text.trim() === ''
    // Counting matters near the limit only; a text has at most as many code points as code units.
    const points = text.length < countFrom ? text.length : codePoints(nfc(text))
    setSize((s) => (s.points === points && s.blank === blank ? s : { points, blank }))
    grow()
  }

  const keepDraft = () => {
    clearTimeout(saved.current.timer)
    saved.current.timer = undefined
    // While the room is hidden because something else loads, the field is gone, and what it held is kept.
    const text = field.current?.value
    if (editing || text === undefined || (text === saved.current.draft && replyTo === saved.current.replyTo)) return
    saved.current.draft = text
    saved.current.replyTo = replyTo
    engine.setDraft(id, text, replyTo)
  }
  const stopTyping = () => {
    if (saved.current.typed === 0) return
    saved.current.typed = 0
    engine.typing(id, true)
  }

  const change = () => {
    saved.current.touched = true
    look()
    if (editing) return
    saved.current.timer ??= setTimeout(() => live.current.keepDraft(), draftMs)
    if (field.current!.value.trim() === '') return stopTyping()
    const now = performance.now()
    if (saved.current.typed === 0 || now - saved.current.typed > typingMs) {
      saved.current.typed = now
      engine.typing(id, false)
    }
  }

  const send = () => {
    const el = field.current!
    const text = nfc(el.value).trimEnd()
    if (text.trim() === '' || codePoints(text) > maxLength) return
    if (!editing) {
      clearTimeout(saved.current.timer)
      saved.current.timer = undefined
      saved.current.draft = ''
      saved.current.replyTo = 0
      put('')
      saved.current.typed = 0
      look()
    }
    onSend(text)
  }

  /** feed gives an event to the pure function and does what it says; true if the event is used up. */
  const feed = (e: KeysEvent): boolean => {
    const r = step(keys.current, e, enterSends)
    keys.current = r.state
    if (r.action === 'send') send()
    // The input method has its last word on the field before it is read and cleared.
    else if (r.action === 'sendLater') setTimeout(() => live.current.send())
    return r.action === 'send' || r.action === 'drop'
  }

  // What listeners and timers call is always the newest.
  const live = useRef({ keepDraft, send, stopTyping, feed })
  live.current = { keepDraft, send, stopTyping, feed }

  // The text of an edit takes the field; the draft comes back after it.
  const modeKey = mode.kind === 'edit' ? `edit ${mode.row.key}` : 'write'
  const before = useRef(modeKey)
  useLayoutEffect(() => {
    const el = field.current!
    if (before.current !== modeKey) {
      if (before.current === 'write') {
        saved.current.draft = el.value
        saved.current.replyTo = 0
        engine.setDraft(id, el.value)
      }
      put(mode.kind === 'edit' ? mode.row.text : saved.current.draft)
      before.current = modeKey
    } else el.setSelectionRange(el.value.length, el.value.length)
    look()
    // The mode's own texts do not change while it lasts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [modeKey])
  useEffect(() => {
    if (mode.kind !== 'new' && !mode.again) field.current?.focus()
  }, [mode])
  useEffect(() => live.current.keepDraft(), [replyTo])

  // A draft from the store or from another window: shown only if nothing was typed here since the last one. While the field
  // has the focus it may be an echo of what was typed a moment ago, and is left alone.
  useEffect(() => {
    const el = field.current!
    if (editing || draft === saved.current.draft) return
    if (el.value !== saved.current.draft || (saved.current.touched && document.activeElement === el)) return
    saved.current.draft = draft
    put(draft)
    look()
  }, [draft, editing])

  useEffect(() => {
    if (!touch() && !overlaid()) field.current?.focus({ preventScroll: true })
    const flush = () => live.current.keepDraft()
    const hide = () => document.visibilityState === 'hidden' && flush()
    addEventListener('pagehide', flush)
    document.addEventListener('visibilitychange', hide)
    return () => {
      removeEventListener('pagehide', flush)
      document.removeEventListener('visibilitychange', hide)
      live.current.stopTyping()
    }
  }, [])
  // Before the field is gone.
  useLayoutEffect(() => () => live.current.keepDraft(), [])

  const insert = (chars: string) => {
    const el = field.current!
    const from = document.activeElement as HTMLElement | null
    // As if it were typed, so that it can be undone; that takes the focus, and with it the keyboard of a phone.
    const typed = (from === el || !touch()) && (el.focus({ preventScroll: true }), document.execCommand('insertText', false, chars))
    if (from !== el && typed) from?.focus({ preventScroll: true })
    if (typed) return
    el.setRangeText(chars, el.selectionStart, el.selectionEnd, 'end')
    change()
  }

  useImperativeHandle(ref, () => ({
    focus: () => field.current?.focus({ preventScroll: true }),
    text: () => field.current?.value ?? '',
    setText: (text) => {
      put(text)
      field.current!.focus({ preventScroll: true })
      change()
    },
  }))

  useEffect(() => {
    const el = field.current!
    const onBeforeInput = (e: InputEvent) => {
      if (live.current.feed({ type: 'beforeinput', inputType: e.inputType })) e.preventDefault()
    }
    el.addEventListener('beforeinput', onBeforeInput)
    return () => el.removeEventListener('beforeinput', onBeforeInput)
  }, [])

  const onKeyDown = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    const n = e.nativeEvent
    if (feed({ type: 'keydown', key: n.key, code: n.code, keyCode: n.keyCode, isComposing: n.isComposing, shift: n.shiftKey, mod: n.ctrlKey || n.metaKey, alt: n.altKey })) {
      e.preventDefault()
      return
    }
    if (n.isComposing || n.keyCode === 229) return
    const { edge } = past.current
    const turn = (n.ctrlKey || n.metaKey) && !n.altKey ? `${n.shiftKey ? 'shift+' : ''}${n.code}` : ''
    if ((turn === 'KeyZ' && edge !== 'none') || ((turn === 'shift+KeyZ' || turn === 'KeyY') && edge === 'put')) return e.preventDefault()
    const empty = e.currentTarget.value === ''
    if (e.key === 'ArrowUp' && empty && !n.shiftKey && !n.altKey && !n.ctrlKey && !n.metaKey) {
      e.preventDefault()
      onUp()
    } else if (e.key === 'Tab' && n.shiftKey && !n.altKey && !n.ctrlKey && !n.metaKey) {
      e.preventDefault()
      onLeave('message')
    } else if ((e.key === 'PageUp' || e.key === 'PageDown') && !n.shiftKey && e.currentTarget.scrollHeight <= e.currentTarget.clientHeight) {
      e.preventDefault()
      onLeave(e.key === 'PageUp' ? -1 : 1)
    } else if (e.key === 'Escape' && onEscape()) {
      e.preventDefault()
      e.stopPropagation()
    }
  }
  const onPaste = (e: ClipboardEvent<HTMLTextAreaElement>) => {
    // Text stays as it is, in NFC; the field takes nothing else.
    const text = e.clipboardData.getData('text/plain')
    const composed = nfc(text).replaceAll('\r\n', '\n')
    if (text === '' && e.clipboardData.files.length > 0) return textOnly()
    if (text === '' || composed === text) return
    e.preventDefault()
    insert(composed)
  }

  const over = size.points - maxLength
  const off = size.blank || over > 0
  return (
    <>
      {size.points >= countFrom && (
        <p className={over > 0 ? css.over : css.count} role="status">
          {over > 0 && <Icon name="circle-alert" />}
          {over > 0 ? t('room.over', { n: size.points, max: maxLength, over }) : t('room.count', { n: size.points, max: maxLength })}
        </p>
      )}
      <form
        className={css.composer}
        aria-label={t('room.compose')}
        onSubmit={(e) => {
          e.preventDefault()
          send()
        }}
      >
        <textarea
          ref={field}
          rows={1}
          defaultValue={draft}
          dir="auto"
          aria-label={t('room.message')}
          placeholder={t('room.placeholder')}
          enterKeyHint={enterSends ? 'send' : 'enter'}
          autoComplete="off"
          onInput={(e) => {
            feed({ type: 'input' })
            const { text } = past.current
            past.current = { text, edge: (e.nativeEvent as InputEvent).inputType === 'historyUndo' && e.currentTarget.value === text ? 'undone' : 'none' }
            change()
          }}
          onKeyDown={onKeyDown}
          onKeyUp={(e) => feed({ type: 'keyup', key: e.key, code: e.code })}
          onCompositionStart={() => feed({ type: 'compositionstart' })}
          onCompositionEnd={(e: CompositionEvent) => feed({ type: 'compositionend', data: e.data })}
          onPaste={onPaste}
          onBlur={() => {
            feed({ type: 'blur' })
            keepDraft()
            stopTyping()
          }}
        />
        <IconButton icon="smile" label={t('room.emoji')} aria-haspopup="dialog" aria-expanded={picker} onMouseDown={(e) => e.preventDefault()} onClick={() => setPicker((on) => !on)} />
        <button type="submit" className={css.send} aria-label={editing ? t('room.saveEdit') : t('room.send')} disabled={off} onMouseDown={(e) => e.preventDefault()}>
          <Icon name={editing ? 'check' : 'arrow-up'} />
        </button>
      </form>
      {picker && (
        <Suspense fallback={null}>
          <EmojiPicker
            onPick={insert}
            onClose={(refocus) => {
              setPicker(false)
              if (refocus) field.current?.focus({ preventScroll: true })
            }}
          />
        </Suspense>
      )}
    </>
  )
}
