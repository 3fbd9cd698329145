// The question before a fire: what will happen, and the site's name typed as the answer.
import { type FormEvent, useState } from 'react'
import { errorText } from '../app/errors.ts'
import { nfc } from '../lib/text.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Field } from '../ui/Field.tsx'
import { Icon } from '../ui/Icon.tsx'
import { rich } from '../ui/Rich.tsx'
import css from './Ops.module.css'
import { w } from './words.ts'

export interface AskFireProps {
  readonly name: string
  readonly people: number
  readonly others: string
  readonly onClose: () => void
  readonly onStart: (confirm: string) => Promise<unknown>
  readonly onStarted: () => void
}

export function AskFire({ name, people, others, onClose, onStart, onStarted }: AskFireProps) {
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState('')
  const right = nfc(typed.trim()).toLowerCase() === name.toLowerCase()
  const start = async (e: FormEvent) => {
    e.preventDefault()
    if (!right || busy) return
    setBusy(true)
    setWrong('')
    try {
      await onStart(nfc(typed.trim()))
      onClose()
      onStarted()
    } catch (err) {
      setWrong(errorText(err))
      setBusy(false)
    }
  }
  const footer = (
    <>
      <Button onClick={onClose}>{w('askStop')}</Button>
      <Button kind="dangerSolid" icon="flame" type="submit" form="ask-fire" busy={busy} disabled={!right}>
        {w('askGo')}
      </Button>
    </>
  )
  return (
    <Dialog title={w('askTitle', { site: name })} danger onClose={onClose} footer={footer} className={css.ask}>
      <span className={css.mark} aria-hidden="true">
        <Icon name="flame" />
      </span>
      <p>{w('askWhat', { site: name })}</p>
      <ul>
        <li>{rich(people > 0 ? w('askMove', { site: name, n: people, others }) : w('askNobody', { site: name }))}</li>
        <li>{w('askMore')}</li>
        <li>{w('askEnd')}</li>
      </ul>
      <form id="ask-fire" onSubmit={(e) => void start(e)}>
        <Field label={w('askType', { quoted: `‘${name}’` })} value={typed} onChange={(e) => setTyped(e.target.value)} autoFocus autoComplete="off" spellCheck={false} maxLength={40} error={wrong || undefined} />
      </form>
    </Dialog>
  )
}
