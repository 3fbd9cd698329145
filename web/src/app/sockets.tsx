// Some browsers let a person accept the certificate of `--lan` for pages, and refuse sockets under it for ever (iOS, up to 14.5
// at least). Then everything is there but the connection, and only this page can say why.
import type { Engine } from '../engine/types.ts'
import { t } from '../lib/messages.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { openDialog } from '../ui/overlay.tsx'

/** tries are how many sockets fail in a row, while calls are answered, before it is said. */
const tries = 3
const pause = 5000

export interface Probes {
  online(): boolean
  /** answers: the server answers a request. */
  answers(): Promise<boolean>
  /** opens: a socket opens. */
  opens(): Promise<boolean>
  wait(ms: number): Promise<void>
}

/** socketsRefused waits for an end: true if sockets fail again and again beside calls that work, false once online. */
export async function socketsRefused(p: Probes): Promise<boolean> {
  for (let failed = 0; failed < tries; ) {
    await p.wait(pause)
    if (p.online()) return false
    if (!(await p.answers())) failed = 0
    else if (await p.opens()) return false
    else failed++
  }
  return !p.online()
}

export async function watchSockets(engine: Engine): Promise<void> {
  const refused = await socketsRefused({
    online: () => engine.app.get().connection === 'online',
    answers: () => fetch('/healthz', { cache: 'no-store' }).then((r) => r.ok, () => false),
    opens: () =>
      new Promise((done) => {
        const ws = new WebSocket(`wss://${location.host}/live`, 'bonghwa.v1.proto')
        ws.onopen = () => {
          ws.close()
          done(true)
        }
        ws.onclose = () => done(false)
      }),
    wait: (ms) => new Promise((done) => setTimeout(done, ms)),
  })
  if (!refused) return
  openDialog((close) => (
    <Dialog title={t('shell.noSockets')} onClose={close} footer={<Button onClick={close}>{t('common.close')}</Button>}>
      <p>{t('shell.noSocketsText')}</p>
    </Dialog>
  ))
}
