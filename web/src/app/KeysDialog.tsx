// The list of keys (?).
import { t } from '../lib/messages.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Checkbox } from '../ui/Field.tsx'
import { openDialog } from '../ui/overlay.tsx'
import css from './KeysDialog.module.css'
import { modKey } from './modkey.ts'
import { setSetting, useSetting } from './settings.ts'

/** openKeys shows it. */
export function openKeys(): void {
  openDialog((close) => <KeysDialog onClose={close} />)
}

type Line = readonly [keys: readonly string[], text: string]

function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  const enterSends = useSetting('enterSends')
  const mod = modKey()
  const anywhere: readonly Line[] = [
    [[mod, 'K'], t('shell.palette')], [['Alt', '1'], t('shell.friends')], [['Alt', '2'], t('shell.chats')], [['Alt', '3'], t('shell.more')], [['Alt', '↑'], t('shell.keyPrev')],
    [['Alt', '↓'], t('shell.keyNext')], [['Alt', 'Shift', '↓'], t('shell.keyUnread')], [['Esc'], t('shell.keyEsc')], [['?'], t('shell.keyThis')],
  ]
  const writing: readonly Line[] = [
    [enterSends ? ['Enter'] : [mod, 'Enter'], t('shell.keySend')], [enterSends ? ['Shift', 'Enter'] : ['Enter'], t('shell.keyLine')], [['↑'], t('shell.keyEdit')],
  ]
  const inRoom: readonly Line[] = [
    [['↑', '↓'], t('shell.keyMessages')], [['R'], t('shell.keyReply')], [['E'], t('shell.keyReact')], [['C'], t('shell.keyCopy')], [['Enter'], t('shell.keyMenu')], [['/'], t('shell.keyFind')],
    [[mod, 'I'], t('shell.keyInvite')], [[mod, 'Shift', 'B'], t('shell.keyMute')],
  ]
  const inList: readonly Line[] = [[['↑', '↓'], t('shell.keyPick')], [['ㄱ'], t('shell.keyJump')]]
  return (
    <Dialog title={t('shell.keys')} size="wide" onClose={onClose}>
      <div className={css.keys}>
        <section>
          <Lines title={t('shell.keysAnywhere')} lines={anywhere} />
          <Lines title={t('shell.keysInList')} lines={inList} />
        </section>
        <section>
          <Lines title={t('shell.keysWriting')} lines={writing} />
          <Lines title={t('shell.keysInRoom')} lines={inRoom} />
        </section>
      </div>
      <div className={css.swap}>
        <Checkbox checked={!enterSends} onChange={(on) => setSetting('enterSends', !on)}>
          {t('shell.keySwap', { key: mod })}
        </Checkbox>
      </div>
    </Dialog>
  )
}

function Lines({ title, lines }: { readonly title: string; readonly lines: readonly Line[] }) {
  return (
    <>
      <h3>{title}</h3>
      <dl>
        {lines.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}
