// 초대 링크: what was made, what became of it, a new one. The secret of a link is known only on the device that made it; the
// server keeps its hash.
import './texts.ts'
import { useState } from 'react'
import { useEngine, useSelect } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import type { Invitation } from '../../engine/types.ts'
import { copyText } from '../../lib/clipboard.ts'
import { dateLine, now } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { Button, Tag } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ask, toast } from '../../ui/overlay.tsx'
import { invitationState } from './invitation.ts'
import css from './More.module.css'
import { Wrong } from './Parts.tsx'
import { useAnswer } from './useAnswer.ts'

function linkOf(secret: string): string {
  return `${location.origin}/#i/${secret}`
}

// Where it can be copied, only its two ends are shown; elsewhere it is there to be marked by hand.
function shown(link: string): string {
  return isSecureContext ? `${link.slice(link.indexOf('//') + 2, link.indexOf('#'))}…${link.slice(-6)}` : link
}

async function copyLink(secret: string): Promise<void> {
  toast(t((await copyText(linkOf(secret))) ? 'common.copied' : 'common.copyRefused'))
}

export function Invitations() {
  const engine = useEngine()
  const signup = useSelect(engine.app, (a) => a.server?.signup)
  const { value, wrong, again } = useAnswer(() => engine.invitations())
  const [busy, setBusy] = useState(false)
  const list = [...(value ?? [])].sort((a, b) => b.created - a.created)

  const make = async () => {
    setBusy(true)
    try {
      const secret = await engine.createInvitation()
      if (await copyText(linkOf(secret))) toast(t('more.inviteMade'))
    } catch (e) {
      toast(errorText(e))
    }
    setBusy(false)
    again()
  }
  const revoke = async (i: Invitation) => {
    if (!(await ask({ title: t('more.inviteRevokeAsk'), body: t('more.inviteRevokeRest'), action: t('more.inviteRevoke'), danger: true }))) return
    try {
      await engine.revokeInvitation(i.id)
    } catch (e) {
      toast(errorText(e))
    }
    again()
  }

  return (
    <section className={css.card}>
      <h3>{t('more.invitations')}</h3>
      <p className={css.muted}>{t(signup === 'invite' ? 'more.inviteOnly' : 'more.inviteOpen')}</p>
      <Wrong text={wrong} onAgain={again} />
      {value && list.length === 0 && <p>{t('more.inviteNone')}</p>}
      <ul className={css.rows}>
        {list.map((i) => (
          <InvitationRow key={i.id} invitation={i} onRevoke={() => void revoke(i)} />
        ))}
      </ul>
      <div className={css.end}>
        <p className={css.muted}>{t('more.inviteNote')}</p>
        <Button icon="plus" busy={busy} onClick={() => void make()}>
          {t('more.inviteMake')}
        </Button>
      </div>
    </section>
  )
}

function InvitationRow({ invitation: i, onRevoke }: { readonly invitation: Invitation; readonly onRevoke: () => void }) {
  const state = invitationState(i, now())
  const made = i.created > 0 ? t('more.inviteDay', { day: dateLine(i.created) }) : ''
  return (
    <li className={css.row}>
      <Icon name="link" className={css.kind} />
      <div className={css.link}>
        <b className={isSecureContext ? css.short : css.url} title={i.secret === '' ? undefined : linkOf(i.secret)}>{i.secret !== '' ? shown(linkOf(i.secret)) : t('more.inviteElsewhere')}</b>
        <small>{state === 'open' ? `${made} ${t('more.inviteUntil', { day: dateLine(i.until) })}`.trim() : made}</small>
      </div>
      {state === 'open' ? (
        <Tag kind="good">
          <Icon name="check" />
          {t('more.inviteOpenState')}
        </Tag>
      ) : (
        <Tag>{t(state === 'used' ? 'more.inviteUsed' : state === 'expired' ? 'more.inviteExpired' : 'more.inviteRevoked')}</Tag>
      )}
      {state === 'open' && (
        <span className={css.rowActs}>
          {i.secret !== '' && (
            <Button size="s" icon="copy" onClick={() => void copyLink(i.secret)}>
              {t('common.copy')}
            </Button>
          )}
          <Button size="s" onClick={onRevoke}>
            {t('more.inviteRevoke')}
          </Button>
        </span>
      )}
    </li>
  )
}
