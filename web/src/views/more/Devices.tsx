// 로그인된 기기: this one, the others with the day they were last used, renaming, logging out one or all others. What a
// device that is logged out has not sent is lost, and every question says so first.
import './texts.ts'
import { type FormEvent, useState } from 'react'
import { useEngine } from '../../app/context.ts'
import { errorText } from '../../app/errors.ts'
import type { Device } from '../../engine/types.ts'
import { now } from '../../lib/dates.ts'
import { t } from '../../lib/messages.ts'
import { Button, IconButton, Tag } from '../../ui/Button.tsx'
import { Dialog, Points } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { ask, openDialog, toast } from '../../ui/overlay.tsx'
import { rich } from '../../ui/Rich.tsx'
import { shownLabel } from '../entry/device.ts'
import { codePoints, nfc } from '../../lib/text.ts'
import { daysAgo } from './lastday.ts'
import css from './More.module.css'
import { Wrong } from './Parts.tsx'
import { useAnswer } from './useAnswer.ts'

/** deviceIcon guesses a drawing from the words of a label. */
export function deviceIcon(label: string): IconName {
  if (/터미널|terminal|bonghwa|curl/i.test(label)) return 'terminal'
  if (/아이패드|ipad|tablet/i.test(label)) return 'tablet'
  if (/안드로이드|아이폰|android|iphone/i.test(label)) return 'smartphone'
  return /맥|mac/i.test(label) ? 'laptop' : 'monitor'
}

export function Devices() {
  const engine = useEngine()
  const { value, wrong, again } = useAnswer(() => engine.devices())
  const mine = value?.find((d) => d.current)
  const others = (value ?? []).filter((d) => !d.current).sort((a, b) => Number(b.connected) - Number(a.connected) || b.lastDay - a.lastDay)

  const revoke = async (ids: readonly string[] | 'others', n: number, label: string) => {
    const yes = await ask({
      title: ids === 'others' ? t('more.revokeAllAsk', { n }) : t('more.revokeAsk', { name: label }),
      warn: rich(t('more.revokeLoss')),
      body: <Points of={[t('more.revokeRest', { n }), t('more.revokeHere')]} />,
      action: t('more.revokeDo', { n }),
      danger: true,
    })
    if (!yes) return
    try {
      await engine.revokeDevices(ids)
      toast(t('more.revoked', { n }))
    } catch (e) {
      toast(errorText(e))
    }
    again()
  }
  const rename = (d: Device) => openDialog((close) => <Rename device={d} onClose={close} onDone={again} />)

  if (!value) return <Wrong text={wrong} onAgain={again} />
  return (
    <>
      {mine && (
        <section className={css.card}>
          <ul className={css.rows}>
            <DeviceRow device={mine} onRename={() => rename(mine)} />
          </ul>
        </section>
      )}
      <section className={css.card}>
        <h3>{t('more.otherDevices')}</h3>
        {others.length === 0 ? (
          <p className={css.muted}>{t('more.noOtherDevices')}</p>
        ) : (
          <>
            <ul className={css.rows}>
              {others.map((d) => (
                <DeviceRow key={d.id} device={d} onRename={() => rename(d)} onRevoke={() => void revoke([d.id], 1, shownLabel(d.label))} />
              ))}
            </ul>
            <div className={css.end}>
              <p className={css.muted}>{t('more.revokeNote')}</p>
              <Button kind="danger" icon="log-out" onClick={() => void revoke('others', others.length, '')}>
                {t('more.revokeAll')}
              </Button>
            </div>
          </>
        )}
      </section>
      <Wrong text={wrong} onAgain={again} />
      <p className={css.note}>{t('more.devicesNote')}</p>
    </>
  )
}

/** lastUsed: some time of a day that is another one here is told by how long ago that was, about. */
function lastUsed(day: number): string {
  const n = daysAgo(day, now())
  return n === 0 ? t('more.lastUsedToday') : t('more.lastUsed', { n })
}

function DeviceRow({ device: d, onRename, onRevoke }: { readonly device: Device; readonly onRename: () => void; readonly onRevoke?: () => void }) {
  const label = shownLabel(d.label) || t('more.nameless')
  return (
    <li className={css.row}>
      <Icon name={deviceIcon(d.label)} className={css.kind} />
      <div>
        <b>{label}</b>
        <IconButton icon="pencil" size="s" className={css.rename} label={t('more.renameDevice', { name: label })} onClick={onRename} />
        {d.current && (
          <Tag kind="good">
            <Icon name="check" />
            {t('more.thisDevice')}
          </Tag>
        )}
        <small>{d.current || d.connected ? t('more.inUse') : lastUsed(d.lastDay)}</small>
      </div>
      {onRevoke && (
        <Button size="s" onClick={onRevoke} aria-label={t('more.revokeOne', { name: label })}>
          {t('more.logOut')}
        </Button>
      )}
    </li>
  )
}

function Rename({ device, onClose, onDone }: { readonly device: Device; readonly onClose: () => void; readonly onDone: () => void }) {
  const engine = useEngine()
  const [label, setLabel] = useState(device.label)
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const clean = nfc(label.trim())
  const bad = clean === '' || codePoints(clean) > 40
  const save = async (e: FormEvent) => {
    e.preventDefault()
    if (bad || busy) return
    setBusy(true)
    try {
      await engine.labelDevice(device.id, clean)
      onDone()
      onClose()
    } catch (err) {
      setWrong(errorText(err))
      setBusy(false)
    }
  }
  const footer = (
    <>
      <Button onClick={onClose}>{t('common.cancel')}</Button>
      <Button kind="primary" type="submit" form="rename-device" busy={busy} disabled={bad}>
        {t('people.save')}
      </Button>
    </>
  )
  return (
    <Dialog title={t('more.renameTitle')} onClose={onClose} footer={footer}>
      <form id="rename-device" onSubmit={(e) => void save(e)}>
        <Field label={t('more.deviceName')} value={label} onChange={(e) => setLabel(e.target.value)} maxLength={80} autoFocus hint={t('more.deviceNameHint')} error={wrong || undefined} />
      </form>
    </Dialog>
  )
}
