// The own 아이디, with ways to hand it on.
import { useMe } from '../../app/context.ts'
import { copyText, shareText } from '../../lib/clipboard.ts'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/overlay.tsx'
import css from './people.module.css'

/** copyHandle copies and says so; where copying is refused it says how to do it by hand. */
export async function copyHandle(handle: string): Promise<void> {
  toast((await copyText(handle)) ? t('people.copied') : t('common.copyRefused'))
}

export function IdBox() {
  const me = useMe()
  if (!me) return null
  // Where the browser has no sheet for sharing, the sentence goes onto the clipboard.
  const share = async () => {
    const text = t('people.shareText', { handle: me.handle })
    if (await shareText(text)) return
    toast((await copyText(text)) ? t('common.copied') : t('common.copyRefused'))
  }
  return (
    <div className={css.idbox}>
      <small>{t('people.myId')}</small>
      <b>{me.handle}</b>
      <div>
        <Button icon="copy" onClick={() => void copyHandle(me.handle)}>
          {t('common.copy')}
        </Button>
        <Button icon="share-2" onClick={() => void share()}>
          {t('common.share')}
        </Button>
      </div>
    </div>
  )
}

/** MineId is the same as one quiet line, in dialogs. */
export function MineId() {
  const me = useMe()
  if (!me) return null
  const [before, after] = t('people.myIdIs', { handle: me.handle }).split(me.handle)
  return (
    <p className={css.mineId}>
      <span>
        {before}
        <b>{me.handle}</b>
        {after}
      </span>
      <button type="button" className={css.linkish} onClick={() => void copyHandle(me.handle)}>
        <Icon name="copy" />
        {t('common.copy')}
      </button>
    </p>
  )
}
