// A change that was refused after its place on the screen is gone, as from a menu: said in a dialog, not in passing.
import type { Engine } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { openDialog } from '../../ui/overlay.tsx'
import { nameOf } from '../chats/lines.ts'

/** refused says what was not done and why. */
export function refused(title: string, why: string): void {
  openDialog((close) => (
    <Dialog
      title={title}
      onClose={close}
      footer={
        <Button kind="primary" onClick={close} data-autofocus>
          {t('common.close')}
        </Button>
      }
    >
      <p role="alert">{why}</p>
    </Dialog>
  ))
}

/** tellRefused says who could not be invited, never why: a block and a closed account look the same. */
export function tellRefused(engine: Engine, users: readonly string[], others: number): void {
  if (users.length === 0) return
  const { byId } = engine.people.get()
  const names = users.map((u) => nameOf(byId.get(u))).filter((n) => n !== '')
  const rest = others > 0 ? ` ${t('people.inviteRest', { n: others })}` : ''
  refused(t('people.groupRefused', { names: names.join(', ') }), t('people.inviteRefused') + rest)
}
