// The notice above the panes, and what its button explains.
import { type ReactNode, useState } from 'react'
import { type Key, t } from '../lib/messages.ts'
import { Button, IconButton } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Icon } from '../ui/Icon.tsx'
import { openDialog } from '../ui/overlay.tsx'
import { rich } from '../ui/Rich.tsx'
import css from './Banner.module.css'
import { type BannerKind, bannerOf, spanOf } from './banners.ts'
import { useEngine, useSelect } from './context.ts'
import { answerOffer, useOffered } from './notify.ts'

export function Banner() {
  const engine = useEngine()
  const [closed, setClosed] = useState<ReadonlySet<BannerKind>>(new Set())
  const kind = useSelect(engine.app, (a) => bannerOf(a, closed))
  const skew = useSelect(engine.app, (a) => Math.round(a.skew / 60_000) * 60_000)
  const offered = useOffered()
  if (!kind) return offered ? <Offer /> : null
  const grave = kind === 'refused' || kind === 'full'
  return (
    <div className={`${css.banner} ${grave ? css.warn : ''}`} role={grave ? 'alert' : 'status'}>
      <Icon name={grave ? 'hard-drive' : kind === 'clock' ? 'clock' : kind === 'plain' ? 'lock' : 'info'} />
      <p>{rich(kind === 'clock' ? clockText(skew) : t(`shell.${kind}`))}</p>
      {kind === 'refused' && <How title={t('shell.refusedTitle')} label={t('shell.refusedHow')} steps={['shell.refusedText1', 'shell.refusedText2', 'shell.refusedText3']} />}
      {kind === 'full' && <How title={t('shell.fullTitle')} label={t('shell.fullHow')} steps={['shell.fullText1', 'shell.fullText2', 'shell.fullText3']} />}
      {kind === 'plain' && <How title={t('shell.plainTitle')} label={t('shell.plainHow')} steps={['shell.plainText1', 'shell.plainText2']} />}
      {kind === 'build' && (
        <Button size="s" onClick={() => location.reload()}>
          {t('shell.buildNow')}
        </Button>
      )}
      {(kind === 'plain' || kind === 'clock') && <IconButton icon="x" size="s" label={t('shell.dismiss')} onClick={() => setClosed(new Set([...closed, kind]))} />}
    </div>
  )
}

/** Offer: what asks is no notice in passing, and covers nothing. */
function Offer() {
  return (
    <div className={css.banner} role="status">
      <Icon name="bell" />
      <p>{t('shell.notifyOffer')}</p>
      <Button size="s" onClick={() => answerOffer(true)}>
        {t('shell.notifyOn')}
      </Button>
      <IconButton icon="x" size="s" label={t('shell.dismiss')} onClick={() => answerOffer(false)} />
    </div>
  )
}

function clockText(skew: number): string {
  const { unit, n } = spanOf(skew)
  const span = t(unit === 'minutes' ? 'shell.spanMinutes' : unit === 'hours' ? 'shell.spanHours' : 'shell.spanDays', { n })
  return t(skew > 0 ? 'shell.clockAhead' : 'shell.clockBehind', { span })
}

function How({ title, label, steps }: { readonly title: string; readonly label: string; readonly steps: readonly Key[] }): ReactNode {
  const open = () =>
    openDialog((close) => (
      <Dialog title={title} onClose={close} footer={<Button onClick={close}>{t('common.close')}</Button>}>
        <ol className={css.how}>
          {steps.map((s) => (
            <li key={s}>{code(t(s))}</li>
          ))}
        </ol>
      </Dialog>
    ))
  return (
    <Button size="s" onClick={open}>
      {label}
    </Button>
  )
}

function code(text: string): ReactNode {
  return text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))
}
