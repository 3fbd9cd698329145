// What the room's place shows beside the friends while no room is open.
import './texts.ts'
import { useEngine, useSelect } from '../../app/context.ts'
import { t } from '../../lib/messages.ts'
import { Logo } from '../../ui/Icon.tsx'
import css from './Friends.module.css'

export function FriendsRest() {
  // Without friends the list says what to do, and there is nothing to choose.
  const none = useSelect(useEngine().people, (p) => p.friendsLoaded && p.friends.length === 0)
  return (
    <div className={css.rest}>
      <span className={css.mark}>
        <Logo />
      </span>
      {!none && (
        <>
          <h2>{t('friends.restTitle')}</h2>
          <p className={css.keys}>
            <span>
              <kbd>Enter</kbd> {t('friends.restEnter')}
            </span>
            <span aria-hidden="true">·</span>
            <span>
              <kbd>Space</kbd> {t('friends.restSpace')}
            </span>
          </p>
        </>
      )}
    </div>
  )
}
