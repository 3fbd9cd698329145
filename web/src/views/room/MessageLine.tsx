// One message: picture and name if it is the first of its group, bubble, what became of it, reactions. Memoised: it is drawn
// again only when something it shows has changed.
import { memo } from 'react'
import { displayName, useMe, usePerson } from '../../app/context.ts'
import { refusalText } from '../../app/errors.ts'
import type { MessageRow, Quote } from '../../engine/types.ts'
import { timeOf } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { isEmojiOnly } from '../../lib/text.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { IconButton } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { useActions } from './actions.ts'
import css from './bubble.module.css'
import { fitName } from './fit.ts'
import { foldText } from './fold.ts'
import { useHovered } from './hover.ts'
import { Reactions } from './Reactions.tsx'
import { RichText } from './RichText.tsx'

export interface MessageLineProps {
  readonly row: MessageRow
  readonly first: boolean
  readonly last: boolean
  readonly unread: number
  /** query of the find bar, plain; empty: nothing is marked. */
  readonly query: string
  /** found: the current hit. */
  readonly found: boolean
  /** open: a long text is shown whole. */
  readonly open: boolean
  /** ring: the menu is open at it (held), it is being edited, or a jump led to it (pointed). */
  readonly ring: '' | 'held' | 'editing' | 'pointed'
  /** fresh: it has just come and fades in. */
  readonly fresh: boolean
}

export const MessageLine = memo(function MessageLine(p: MessageLineProps) {
  const { row } = p
  const actions = useActions()
  const tools = useHovered(row.key)
  const failed = row.state === 'refused'
  const classes = [css.row, row.own && css.own, p.first && css.first, failed && css.failed, p.found && css.found, p.ring !== '' && css[p.ring], p.fresh && css.fresh]
  return (
    <div className={classes.filter(Boolean).join(' ')} data-key={row.key}>
      {!row.own && p.first && <Picture user={row.author} />}
      <div className={css.stack}>
        {p.first && (row.own ? <h3 className="vh">{t('room.me')}</h3> : <Name user={row.author} />)}
        <div className={css.line} data-line="" tabIndex={-1}>
          <Bubble row={row} query={p.query} open={p.open || p.found} />
          <Meta row={row} last={p.last} unread={p.unread} />
          {tools && !row.deleted && <Tools row={row} />}
        </div>
        {failed && (
          <div className={css.fail} role="alert">
            <Icon name="circle-alert" />
            <span>{row.refusal ? refusalText(row.refusal) : t('room.notSent')}</span>
            {row.refusal?.reason !== 'cannot_receive' && (
              <button type="button" onClick={() => actions.resend(row)}>
                {t('room.resend')}
              </button>
            )}
            <button type="button" onClick={() => actions.copy(row)}>
              {t('room.copy')}
            </button>
            <button type="button" onClick={() => actions.discard(row)}>
              {t('room.discard')}
            </button>
          </div>
        )}
        {!row.deleted && row.reactions.some((n) => n > 0) && <Reactions row={row} reachable={tools} />}
      </div>
    </div>
  )
})

function Picture({ user }: { readonly user: string }) {
  const actions = useActions()
  const name = displayName(usePerson(user))
  return (
    <button type="button" className={css.pic} tabIndex={-1} aria-label={t('room.profileOf', { name })} onClick={() => actions.profile(user)}>
      <Avatar user={user} size="s" />
    </button>
  )
}

function Name({ user }: { readonly user: string }) {
  return (
    <h3 className={css.who}>
      <bdi>{displayName(usePerson(user)) || '\u00a0'}</bdi>
    </h3>
  )
}

function Bubble({ row, query, open }: { readonly row: MessageRow; readonly query: string; readonly open: boolean }) {
  const actions = useActions()
  if (row.deleted) {
    return (
      <div className={`${css.bubble} ${css.gone}`}>
        <Icon name="trash-2" />
        {t('room.deleted')}
      </div>
    )
  }
  const begin = foldText(row.text)
  const text = begin !== null && !open ? begin : row.text
  const emoji = row.reply === null && !row.edited && isEmojiOnly(row.text)
  return (
    <div className={emoji ? `${css.bubble} ${css.emojiOnly}` : css.bubble} data-bubble="">
      {row.reply && <QuoteOf quote={row.reply} />}
      <p dir="auto" {...(emoji ? {} : { 'data-fit': fitName(row.key, text, row.edited) })}>
        <RichText text={text} query={query} />
        {begin !== null && !open && '…'}
        {row.edited && <span className={css.edited}> {t('room.edited')}</span>}
      </p>
      {begin !== null && (
        <button type="button" className={css.fold} aria-expanded={open} onClick={() => actions.unfold(row)}>
          {open ? t('room.showLess') : t('room.showAll')}
        </button>
      )}
    </div>
  )
}

function QuoteOf({ quote }: { readonly quote: Quote }) {
  const actions = useActions()
  const me = useMe()
  const name = displayName(usePerson(quote.author))
  const text = quote.deleted ? t('room.deleted') : quote.loaded ? oneLine(quote.text) : t('room.quoteLoading')
  return (
    <button type="button" className={css.quote} onClick={() => actions.jump(quote.seq)}>
      <b>{quote.author !== '' && quote.author === me?.id ? t('room.replyToMe') : name === '' ? t('room.reply') : t('room.replyTo', { name })}</b>
      <span dir="auto">{text}</span>
    </button>
  )
}

/** oneLine is the beginning of a text without line breaks, for quotes and bars. */
export function oneLine(text: string): string {
  return text.slice(0, 200).replace(/\s+/g, ' ')
}

function Meta({ row, last, unread }: { readonly row: MessageRow; readonly last: boolean; readonly unread: number }) {
  return (
    <span className={css.meta}>
      {unread > 0 && row.state === 'sent' && !row.deleted && (
        <span className={css.unread}>
          <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
          <span className="vh">{t('room.unread', { n: unread })}</span>
        </span>
      )}
      {row.state === 'sent' && !row.changing ? last && <time dateTime={new Date(row.time).toISOString()}>{timeOf(row.time)}</time> : <State row={row} />}
    </span>
  )
}

function State({ row }: { readonly row: MessageRow }) {
  switch (row.state) {
    case 'sent':
      return <StateText icon="clock" text={t('room.changing')} soon />
    case 'sending':
      return <StateText icon="clock" text={t('room.sending')} soon />
    case 'waiting':
      return <StateText icon="clock" text={t('room.waiting')} soon />
    case 'unknown':
      return <StateText icon="rotate-cw" text={t('room.checking')} />
    case 'givingUp':
      return <StateText icon="rotate-cw" text={t('room.givingUp')} />
    case 'refused':
      return null
  }
}

function StateText({ icon, text, soon }: { readonly icon: 'clock' | 'rotate-cw'; readonly text: string; readonly soon?: boolean }) {
  return (
    <span className={soon ? `${css.state} ${css.soon}` : css.state}>
      <Icon name={icon} />
      {text}
    </span>
  )
}

function Tools({ row }: { readonly row: MessageRow }) {
  const actions = useActions()
  const menu = (what: 'menu' | 'react') => (e: React.MouseEvent) => {
    const bubble = e.currentTarget.closest('[data-line]')?.querySelector('[data-bubble]')
    if (bubble) actions.menu(row, bubble, what)
  }
  return (
    <div className={css.tools}>
      {row.state === 'sent' && <IconButton icon="smile-plus" label={t('room.react')} onClick={menu('react')} />}
      {row.state === 'sent' && <IconButton icon="reply" label={t('room.reply')} onClick={() => actions.reply(row)} />}
      <IconButton icon="ellipsis" label={t('room.more')} aria-haspopup="menu" onClick={menu('menu')} />
    </div>
  )
}
