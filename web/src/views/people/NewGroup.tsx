// A new group: who, and perhaps a name. One person without a name is no group: that opens the 1:1.
import { useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import { go } from '../../app/route.ts'
import type { Engine } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { codePoints, nfc } from '../../lib/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Field.tsx'
import { openDialog } from '../../ui/overlay.tsx'
import { TITLE } from '../chats/lines.ts'
import { MAX, Pick, Sum } from './Pick.tsx'
import css from './Pick.module.css'
import { refused, tellRefused } from './refused.tsx'

export function openNewGroup(members: readonly string[] = []): void {
  openDialog((close) => <NewGroup first={members} onClose={close} />)
}

const none: ReadonlySet<string> = new Set()

function NewGroup({ first, onClose }: { readonly first: readonly string[]; readonly onClose: () => void }) {
  const engine = useEngine()
  const [title, setTitle] = useState('')
  const [chosen, setChosen] = useState(first)
  const named = nfc(title).trim()
  const long = codePoints(named) > TITLE
  const direct = chosen.length === 1 && named === ''

  const make = () => {
    const one = chosen[0]
    if (one === undefined || long) return
    onClose()
    if (direct) go({ at: 'room', id: engine.directRoom(one) })
    else create(engine, named, chosen)
  }
  return (
    <Dialog
      title={t('people.groupTitle')}
      onClose={onClose}
      size="tall"
      className={css.tall ?? ''}
      footer={
        <>
          <Sum n={chosen.length} max={MAX} />
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button kind="primary" disabled={chosen.length === 0} onClick={make}>
            {t(direct ? 'people.groupDirect' : 'people.groupMake')}
          </Button>
        </>
      }
    >
      <div className={css.body}>
        <Field
          label={t('people.groupName')}
          hint={t('people.groupNameHint')}
          value={title}
          onChange={(e) => setTitle(e.target.value)}
          autoComplete="off"
          maxLength={400}
          {...(long ? { error: t('people.groupNameLong') } : {})}
        />
        <Pick chosen={chosen} onChange={setChosen} max={MAX} inside={none} />
      </div>
    </Dialog>
  )
}

// create opens the room at once; who could not be invited is told when it is known.
function create(engine: Engine, named: string, members: readonly string[]): void {
  const { room, done } = engine.createGroup(named, members)
  go({ at: 'room', id: room })
  done.then(
    (left) => tellRefused(engine, left, members.length - left.length),
    (e: unknown) => refused(t('people.groupTitle'), errorText(e)),
  )
}
