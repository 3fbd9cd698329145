// Inviting friends to a group that exists.
import { useMemo, useState } from 'react'
import { useEngine, useSignal } from '../../app/context.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { openDialog, toast } from '../../ui/overlay.tsx'
import { MAX_MEMBERS } from '../info/members.ts'
import { useBusy } from './actions.tsx'
import { MAX, Pick, Sum } from './Pick.tsx'
import people from './people.module.css'
import css from './Pick.module.css'
import { tellRefused } from './refused.tsx'

export function openInvite(room: string): void {
  openDialog((close) => <Invite room={room} onClose={close} />)
}

function Invite({ room, onClose }: { readonly room: string; readonly onClose: () => void }) {
  const engine = useEngine()
  const state = useSignal(engine.room(room))
  const [chosen, setChosen] = useState<readonly string[]>([])
  const work = useBusy()
  const members = state?.members ?? null
  const inside = useMemo(() => new Set((members ?? []).map((m) => m.user)), [members])
  const left = MAX_MEMBERS - Math.max(state?.line.memberCount ?? 0, inside.size)
  const max = Math.min(MAX, left)

  const invite = () =>
    work.run(async () => {
      const not = await engine.invite(room, chosen)
      onClose()
      if (not.length > 0) tellRefused(engine, not, chosen.length - not.length)
      else toast(t('people.invited', { n: chosen.length }))
    })
  return (
    <Dialog
      title={t('people.inviteTitle')}
      onClose={onClose}
      size="tall"
      className={css.tall ?? ''}
      footer={
        <>
          {left > 0 && <Sum n={chosen.length} max={max} />}
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button kind="primary" busy={work.busy} disabled={chosen.length === 0} onClick={invite}>
            {work.busy ? t('people.inviting') : chosen.length === 0 ? t('people.inviteNone') : t('people.inviteAction', { n: chosen.length })}
          </Button>
        </>
      }
    >
      <div className={css.body}>
        {left <= 0 ? (
          <Note text={t('people.inviteFull', { n: MAX_MEMBERS })} />
        ) : (
          <>
            {left < MAX && <Note text={t('people.inviteLeft', { n: left })} />}
            <Pick chosen={chosen} onChange={setChosen} max={max} inside={inside} />
          </>
        )}
        {work.error !== '' && (
          <p className={people.error} role="alert">
            <Icon name="circle-alert" />
            <span>{work.error}</span>
          </p>
        )}
      </div>
    </Dialog>
  )
}

function Note({ text }: { readonly text: string }) {
  return (
    <p className={css.note}>
      <Icon name="info" />
      <span>{text}</span>
    </p>
  )
}
