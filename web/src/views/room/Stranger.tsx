// What stands above a 1:1 that somebody began who is no friend, until one has answered, added or blocked them.
import { useEngine, usePerson, useSelect } from '../../app/context.ts'
import type { RoomState } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { addFriend, blockPerson, useBusy } from '../people/actions.tsx'
import css from './room.module.css'

export function Stranger({ state }: { readonly state: RoomState }) {
  const engine = useEngine()
  const { line, rows } = state
  const peer = usePerson(line.kind === 'direct' ? line.peer : '')
  const friend = useSelect(engine.people, (p) => !p.friendsLoaded || p.friends.includes(line.peer))
  const work = useBusy()
  if (!peer || peer.closed || friend || line.blocked) return null
  if (!state.loaded || rows.length === 0 || rows.some((r) => r.kind === 'message' && r.own)) return null
  return (
    <div className={css.stranger} role="group" aria-label={t('room.stranger')}>
      <Icon name="user-round" />
      <p>
        <b>{t('room.stranger')}</b> {t('room.strangerCare')}
      </p>
      <Button size="s" icon="user-plus" busy={work.busy} onClick={() => work.run(async () => void (await addFriend(engine, peer)))}>
        {t('people.friendAdd')}
      </Button>
      <Button size="s" icon="ban" onClick={() => void blockPerson(engine, peer)}>
        {t('people.block')}
      </Button>
    </div>
  )
}
