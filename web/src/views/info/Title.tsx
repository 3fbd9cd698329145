// The name of a group, and changing it in its place. A refusal keeps what was typed.
import './texts.ts'
import { useEffect, useRef, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { t } from '../../lib/messages.ts'
import { codePoints, nfc } from '../../lib/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { TITLE } from '../chats/lines.ts'
import { useBusy } from '../people/actions.tsx'
import css from './RoomInfo.module.css'

/** title may be empty; then the group is called by name, that is by the others in it. */
export function Title({ room, title, name }: { readonly room: string; readonly title: string; readonly name: string }) {
  const engine = useEngine()
  // null: not being changed.
  const [typed, setTyped] = useState<string | null>(null)
  const pencil = useRef<HTMLButtonElement>(null)
  const back = useRef(false)
  const work = useBusy()

  const stop = () => {
    setTyped(null)
    work.clear()
    back.current = true
  }
  // The pencil takes the focus again when it is back.
  useEffect(() => {
    if (typed !== null || !back.current) return
    back.current = false
    pencil.current?.focus()
  }, [typed])
  if (typed === null) {
    return (
      <p className={css.name}>
        <b>{name}</b>
        <IconButton ref={pencil} icon="pencil" size="s" label={t('info.rename')} onClick={() => setTyped(title)} />
      </p>
    )
  }
  const next = nfc(typed).trim()
  const problem = codePoints(next) > TITLE ? t('info.renameLong') : next === '' && title !== '' ? t('info.renameEmpty') : ''
  const save = () => {
    if (problem !== '') return
    if (next === title) return stop()
    work.run(async () => {
      await engine.rename(room, next)
      stop()
    })
  }
  const error = problem !== '' ? problem : work.error
  return (
    <form
      className={css.rename}
      onSubmit={(e) => {
        e.preventDefault()
        save()
      }}
      onKeyDown={(e) => {
        if (e.key !== 'Escape' || e.nativeEvent.isComposing) return
        e.preventDefault()
        e.stopPropagation()
        stop()
      }}
    >
      <Field
        label={t('info.renameField')}
        hideLabel
        placeholder={t('info.unnamed')}
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
        onFocus={(e) => e.target.select()}
        autoFocus
        autoComplete="off"
        maxLength={400}
        {...(error !== '' ? { error } : {})}
      />
      <div>
        <Button size="s" onClick={stop}>
          {t('common.cancel')}
        </Button>
        <Button size="s" kind="primary" type="submit" busy={work.busy}>
          {t(work.busy ? 'info.renaming' : 'info.renameSave')}
        </Button>
      </div>
    </form>
  )
}
