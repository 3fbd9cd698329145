// The own profile: name, words, picture. Nothing is changed before 저장하기; a refusal keeps what was typed.
import { type ChangeEvent, type DragEvent, useRef, useState } from 'react'
import { useEngine, useMe } from '../../app/context.ts'
import type { Person } from '../../engine/types.ts'
import { t } from '../../lib/messages.ts'
import { codePoints, nfc } from '../../lib/text.ts'
import { Avatar, DefaultPicture } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { openDialog, toast } from '../../ui/overlay.tsx'
import { useBusy } from './actions.tsx'
import { type Crop, start } from './crop.ts'
import { CropStage } from './CropStage.tsx'
import { copyHandle } from './IdBox.tsx'
import css from './MeEdit.module.css'
import people from './people.module.css'
import { decode, encode, type Source } from './photo.ts'

export function openMe(): void {
  openDialog((close) => <MeEdit onClose={close} />)
}

const NAME = 30
const STATUS = 60

function MeEdit({ onClose }: { readonly onClose: () => void }) {
  const me = useMe()
  return me ? <Form me={me} onClose={onClose} /> : null
}

type Photo = { readonly kind: 'keep' | 'remove' } | { readonly kind: 'new'; readonly source: Source; readonly crop: Crop }

function Form({ me, onClose }: { readonly me: Person; readonly onClose: () => void }) {
  const engine = useEngine()
  const [name, setName] = useState(me.name)
  const [status, setStatus] = useState(me.status)
  const [photo, setPhoto] = useState<Photo>({ kind: 'keep' })
  const [opening, setOpening] = useState(false)
  const [unreadable, setUnreadable] = useState('')
  const [asked, setAsked] = useState(false)
  const file = useRef<HTMLInputElement>(null)
  // Only the file chosen last is shown, however long another one took.
  const turn = useRef(0)
  const work = useBusy()

  const newName = nfc(name).trim()
  const newStatus = nfc(status).trim()
  const statusLength = codePoints(newStatus)
  const nameError = codePoints(newName) > NAME ? t('people.nameLong') : asked && newName === '' ? t('people.nameEmpty') : undefined
  const statusError = statusLength > STATUS ? t('people.statusLong', { n: statusLength - STATUS }) : undefined

  const take = (f: File | null | undefined) => {
    if (!f) return
    const mine = ++turn.current
    setOpening(true)
    setUnreadable('')
    decode(f)
      .then((source) => mine === turn.current && setPhoto({ kind: 'new', source, crop: start(source) }))
      .catch(() => mine === turn.current && setUnreadable(t('people.photoUnreadable')))
      .finally(() => mine === turn.current && setOpening(false))
  }
  const chosen = (e: ChangeEvent<HTMLInputElement>) => {
    take(e.target.files?.[0])
    // The same file may be chosen again.
    e.target.value = ''
  }
  const drop = (e: DragEvent) => {
    e.preventDefault()
    take(e.dataTransfer.files[0])
  }

  const save = () => {
    setAsked(true)
    if (newName === '' || nameError !== undefined || statusError !== undefined || opening) return
    work.run(async () => {
      if (photo.kind === 'new') {
        const jpeg = await encode(photo.source, photo.crop)
        if (jpeg === null) {
          setUnreadable(t('people.photoNotMade'))
          return
        }
        await engine.setPhoto(jpeg)
        // Saved: should the rest be refused, a second try need not send it again.
        setPhoto({ kind: 'keep' })
      } else if (photo.kind === 'remove') {
        await engine.setPhoto(null)
        setPhoto({ kind: 'keep' })
      }
      const change = { ...(newName === me.name ? {} : { name: newName }), ...(newStatus === me.status ? {} : { status: newStatus }) }
      if (Object.keys(change).length > 0) await engine.setProfile(change)
      onClose()
      toast(t('people.saved'))
    })
  }

  const has = photo.kind === 'new' || (photo.kind === 'keep' && me.photo !== '')
  return (
    <Dialog
      title={t('people.editTitle')}
      onClose={onClose}
      size="wide"
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button kind="primary" busy={work.busy} onClick={save}>
            {t(work.busy ? 'people.saving' : 'people.save')}
          </Button>
        </>
      }
    >
      <form
        className={css.form}
        onSubmit={(e) => {
          e.preventDefault()
          save()
        }}
        onDragOver={(e) => e.preventDefault()}
        onDrop={drop}
      >
        <div className={css.left}>
          {photo.kind === 'new' ? (
            <CropStage source={photo.source} crop={photo.crop} onChange={(crop) => setPhoto({ kind: 'new', source: photo.source, crop })} />
          ) : (
            <button type="button" className={css.now} aria-label={t(has ? 'people.photoOther' : 'people.photoPick')} onClick={() => file.current?.click()}>
              {photo.kind === 'keep' ? <Avatar user={me.id} className={css.large} /> : <DefaultPicture id={me.id} className={css.large} />}
              <span className={css.badge}>
                <Icon name="image" />
              </span>
            </button>
          )}
          {photo.kind === 'new' && <p className={css.tip}>{t('people.photoTip')}</p>}
          <p className={css.tip} role="status">
            {opening ? t('people.photoOpening') : ''}
          </p>
          {unreadable !== '' && (
            <p className={people.error} role="alert">
              <Icon name="circle-alert" />
              <span>{unreadable}</span>
            </p>
          )}
          <input ref={file} type="file" accept="image/*" hidden onChange={chosen} />
        </div>
        <div className={css.fields}>
          <Field label={t('people.name')} value={name} onChange={(e) => setName(e.target.value)} autoComplete="off" maxLength={200} {...(nameError === undefined ? {} : { error: nameError })} />
          <Field
            label={t('people.status')}
            value={status}
            onChange={(e) => setStatus(e.target.value)}
            autoComplete="off"
            maxLength={400}
            hint={t('people.statusCount', { n: statusLength })}
            {...(statusError === undefined ? {} : { error: statusError })}
          />
          <div className={css.handle}>
            <b>{t('people.handle')}</b>
            <p>
              <span>{me.handle}</span>
              <Button size="s" icon="copy" onClick={() => void copyHandle(me.handle)}>
                {t('common.copy')}
              </Button>
            </p>
          </div>
          <div className={css.picks}>
            <Button size="s" icon="image" onClick={() => file.current?.click()}>
              {t(has ? 'people.photoOther' : 'people.photoPick')}
            </Button>
            {has && (
              <Button size="s" onClick={() => setPhoto({ kind: me.photo === '' ? 'keep' : 'remove' })}>
                {t('people.photoRemove')}
              </Button>
            )}
            {me.photo !== '' && photo.kind !== 'keep' && (
              <Button size="s" onClick={() => setPhoto({ kind: 'keep' })}>
                {t('people.photoKeep')}
              </Button>
            )}
          </div>
          {work.error !== '' && (
            <p className={people.error} role="alert">
              <Icon name="circle-alert" />
              <span>{work.error}</span>
            </p>
          )}
        </div>
        <button type="submit" hidden />
      </form>
    </Dialog>
  )
}
