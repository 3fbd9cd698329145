// What stands where a room would while there is none: in an empty house the two ways not to be alone in it.
import type { ReactNode } from 'react'
import { copyText, shareText } from '../lib/clipboard.ts'
import { t } from '../lib/messages.ts'
import { Avatar } from '../ui/Avatar.tsx'
import { Button, IconButton } from '../ui/Button.tsx'
import { Icon, type IconName } from '../ui/Icon.tsx'
import { NightArt } from '../ui/NightArt.tsx'
import { toast } from '../ui/overlay.tsx'
import { openAddFriend, openNewGroup } from '../views/people/index.ts'
import { openOtherAccount } from './account.ts'
import { useEngine, useMe, useSelect } from './context.ts'
import css from './Home.module.css'
import { go } from './route.ts'

/**
 * Home is for who has neither friends nor chats, at the computer of the server: be two people, or have twelve; and the own
 * 아이디 to give away. Elsewhere others run the server, and may be there.
 */
export function Home() {
  const secure = useSelect(useEngine().app, (a) => a.secure)
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname)) return <Welcome />
  return (
    <Page title={t('shell.homeTitle')} text={t('shell.homeText')}>
      <ul className={css.ways}>
        <li>
          <Icon name="app-window" />
          <h3>{t('shell.homeTwo')}</h3>
          <p>{t('shell.homeTwoText')}</p>
          <Button kind="primary" onClick={openOtherAccount}>
            {t('shell.otherAccount')}
          </Button>
        </li>
        <li>
          <Icon name="terminal" />
          <h3>{t('shell.homeDemo')}</h3>
          <p>{t('shell.homeDemoText')}</p>
          <p className={css.cmd}>
            <code>make demo</code>
            {secure && <IconButton icon="copy" size="s" label={t('shell.copyDemo')} onClick={() => void copy('make demo', t('common.copied'))} />}
          </p>
        </li>
      </ul>
      <MyHandle />
    </Page>
  )
}

/** Welcome is for who has friends but has not talked yet. */
export function Welcome() {
  const engine = useEngine()
  const me = useMe()
  return (
    <Page title={t('shell.welcomeTitle')} text={t('shell.welcomeText')}>
      <MyHandle />
      <ul className={css.steps}>
        <Step icon="user-plus" title={t('shell.stepFriend')} text={t('shell.stepFriendText')} onOpen={openAddFriend} />
        <Step icon="users-round" title={t('shell.stepGroup')} text={t('shell.stepGroupText')} onOpen={() => openNewGroup()} />
        {me && <Step icon="message-circle" title={t('shell.stepSelf')} text={t('shell.stepSelfText')} onOpen={() => go({ at: 'room', id: engine.directRoom(me.id) })} />}
      </ul>
    </Page>
  )
}

function Page({ title, text, children }: { readonly title: string; readonly text: string; readonly children: ReactNode }) {
  return (
    <div className={css.welcome}>
      <div className={css.hello}>
        <div className={css.art}>
          <NightArt kind="home" />
        </div>
        <h2 className={css.title}>{title}</h2>
        <p className={css.text}>{text}</p>
        {children}
      </div>
    </div>
  )
}

function Step({ icon, title, text, onOpen }: { readonly icon: IconName; readonly title: string; readonly text: string; readonly onOpen: () => void }) {
  return (
    <li>
      <button type="button" onClick={onOpen}>
        <Icon name={icon} />
        <span>
          <b>{title}</b>
          {text}
        </span>
      </button>
    </li>
  )
}

/** MyHandle is the own 아이디 with copy and share. */
function MyHandle() {
  const me = useMe()
  if (!me) return null
  return (
    <div className={css.idcard}>
      <Avatar user={me.id} />
      <div>
        <small>{t('shell.myHandle')}</small>
        <b>{me.handle}</b>
      </div>
      <Button icon="copy" onClick={() => void copy(me.handle, t('shell.handleCopied'))}>
        {t('common.copy')}
      </Button>
      <Button icon="share-2" onClick={() => void share(me.handle)}>
        {t('common.share')}
      </Button>
    </div>
  )
}

async function copy(text: string, done: string): Promise<void> {
  toast((await copyText(text)) ? done : t('common.copyRefused'))
}

async function share(handle: string): Promise<void> {
  if (!(await shareText(t('shell.shareHandle', { handle })))) await copy(handle, t('shell.handleCopied'))
}
