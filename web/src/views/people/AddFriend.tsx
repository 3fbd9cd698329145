// Add a friend by 아이디. It is looked up while one types, a moment after the last letter; what came is said in words.
import { useEffect, useState } from 'react'
import { useEngine, useMe } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import { go } from '../../app/route.ts'
import { type Found, RefusedError } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, IconButton, Tag } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { openDialog, toast } from '../../ui/overlay.tsx'
import { nameOf } from '../chats/lines.ts'
import { useBusy } from './actions.tsx'
import { handleState, toHandle } from './handle.ts'
import { MineId } from './IdBox.tsx'
import css from './people.module.css'

/** openAddFriend may begin with what was typed in a search; only what can be an 아이디 is taken over. */
export function openAddFriend(query = ''): void {
  const handle = toHandle(query)
  openDialog((close) => <AddFriend onClose={close} first={handleState(handle) === 'right' ? handle : ''} />)
}

type Result = { readonly kind: 'none' | 'searching' } | { readonly kind: 'found'; readonly found: Found } | { readonly kind: 'nobody' } | { readonly kind: 'wait'; readonly until: number } | { readonly kind: 'refused'; readonly text: string }

/** PAUSE after the last letter: every look-up counts against a limit. */
const PAUSE = 400

function AddFriend({ onClose, first }: { readonly onClose: () => void; readonly first: string }) {
  const engine = useEngine()
  const me = useMe()
  const [typed, setTyped] = useState(first)
  const [result, setResult] = useState<Result>({ kind: 'none' })
  const [tries, setTries] = useState(0)
  const work = useBusy()
  const handle = toHandle(typed)
  const shape = handleState(handle)

  useEffect(() => {
    if (shape !== 'right') {
      setResult({ kind: 'none' })
      return
    }
    let current = true
    setResult({ kind: 'searching' })
    const find = async () => {
      try {
        const found = await engine.findUser(handle)
        if (current) setResult(found === null ? { kind: 'nobody' } : { kind: 'found', found })
      } catch (e) {
        if (!current) return
        const r = e instanceof RefusedError ? e.refusal : null
        if (r?.reason === 'too_many_tries') setResult({ kind: 'wait', until: Date.now() + Math.max(1000, r.retryAfterMs) })
        else if (r?.reason === 'unknown_user') setResult({ kind: 'nobody' })
        else setResult({ kind: 'refused', text: errorText(e) })
      }
    }
    const id = setTimeout(() => void find(), PAUSE)
    return () => {
      current = false
      clearTimeout(id)
    }
  }, [engine, handle, shape, tries])

  const found = result.kind === 'found' ? result.found : null
  const self = found !== null && (found.self || found.person.id === me?.id)
  const talk = () => {
    if (!found) return
    onClose()
    go({ at: 'room', id: engine.directRoom(found.person.id) })
  }
  const add = () => {
    if (!found) return
    work.run(async () => {
      await engine.addFriend(found.person.id)
      onClose()
      toast(t('people.addDone', { name: nameOf(found.person) }), { label: t('people.chat'), run: talk })
    })
  }
  const chat = found !== null && (self || found.friend)
  const submit = () => {
    if (found) chat ? talk() : add()
  }
  return (
    <Dialog
      title={t('people.addTitle')}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button kind="primary" busy={work.busy} disabled={found === null} onClick={submit}>
            {self ? t('people.selfChatOpen') : chat ? t('people.chat') : t(work.busy ? 'people.addBusy' : 'people.addAction')}
          </Button>
        </>
      }
    >
      <Field
        label={t('people.addLabel')}
        value={typed}
        onChange={(e) => {
          setTyped(e.target.value)
          work.clear()
        }}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && !e.nativeEvent.isComposing) {
            e.preventDefault()
            submit()
          }
        }}
        maxLength={64}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        inputMode="email"
        data-autofocus
        {...(work.error !== '' ? { error: work.error } : shape === 'wrong' ? { error: t('people.addShape') } : shape === 'right' ? {} : { hint: t('people.addHint') })}
        trailing={typed !== '' && <IconButton icon="x" size="s" label={t('common.clear')} onClick={() => setTyped('')} />}
      />
      <div role="status" className={css.result}>
        <ResultBox result={result} handle={handle} self={self} onAgain={() => setTries((n) => n + 1)} />
      </div>
      <MineId />
    </Dialog>
  )
}

interface ResultProps {
  readonly result: Result
  readonly handle: string
  readonly self: boolean
  readonly onAgain: () => void
}

function ResultBox({ result, handle, self, onAgain }: ResultProps) {
  switch (result.kind) {
    case 'none':
      return null
    case 'searching':
      return <p className={css.searching}>{t('people.addSearching')}</p>
    case 'nobody':
      return <Note icon="search" title={t('people.addNone', { handle })} text={t('people.addNoneText')} />
    case 'refused':
      return <Note icon="circle-alert" title={result.text} text="" />
    case 'wait':
      return <Wait until={result.until} onOver={onAgain} />
    case 'found': {
      const p = result.found.person
      const relation = self ? null : result.found.friend ? (
        <Tag>
          <Icon name="user-check" />
          {t('people.addAlready')}
        </Tag>
      ) : result.found.addedMe ? (
        <Tag kind="info">{t('people.addAddedMe')}</Tag>
      ) : null
      return (
        <div className={css.found}>
          <Avatar user={p.id} />
          <div>
            <b>
              {nameOf(p)} {p.simulated && <Tag kind="outline">{t('common.simulated')}</Tag>}
            </b>
            <small>{p.handle}</small>
            {self ? <p>{t('people.addMe')}</p> : p.status !== '' && <p>{p.status}</p>}
          </div>
          {relation}
        </div>
      )
    }
  }
}

function Note({ icon, title, text }: { readonly icon: 'search' | 'clock' | 'circle-alert'; readonly title: string; readonly text: string }) {
  return (
    <div className={css.found}>
      <Icon name={icon} className={css.big} />
      <div>
        <b>{title}</b>
        {text !== '' && <p>{text}</p>}
      </div>
    </div>
  )
}

// Wait counts down and then looks again by itself.
function Wait({ until, onOver }: { readonly until: number; readonly onOver: () => void }) {
  const [left, setLeft] = useState(() => Math.ceil((until - Date.now()) / 1000))
  useEffect(() => {
    const id = setInterval(() => {
      const n = Math.ceil((until - Date.now()) / 1000)
      setLeft(n)
      if (n <= 0) {
        clearInterval(id)
        onOver()
      }
    }, 500)
    return () => clearInterval(id)
    // onOver only asks for another try; until is what this waits for.
  }, [until])
  return <Note icon="clock" title={t('people.addTooMany')} text={t('people.addTooManyText', { n: Math.max(1, left) })} />
}
