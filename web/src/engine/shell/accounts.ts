// Accounts: signing up, logging in, letting this device in by a code, logging out. What names a form on the server (random,
// token, device) is stored before the request leaves, so that an answer that got lost is found again by the same request.
// All of it is done in the leading window; another one takes the lead first.
import { encode } from '../core/ids.ts'
import { bytes } from '../core/rand.ts'
import { type DeviceCode, RefusedError, type SignUpForm } from '../types.ts'
import { invalid } from './changes.ts'
import { unreachable } from './convert.ts'
import type { Form } from './records.ts'
import type { Shell } from './shell.ts'
import { StoreError } from './store.ts'
import type { Entered } from './wire.ts'

export class Accounts {
  private readonly shell: Shell
  /** code is the form that a shown device code belongs to. */
  private code: Form | null = null
  /** lost is a log-in whose answer got lost: the same again finds the session it may have made. */
  private lost: { readonly handle: string; readonly form: Form } | null = null

  constructor(shell: Shell) {
    this.shell = shell
  }

  async signUp(f: SignUpForm): Promise<void> {
    const before = (await this.shell.store.get('meta', 'form')) as Form | undefined
    const form = before?.kind === 'signUp' ? before : this.fresh('signUp')
    await this.keep(form)
    const { random, token, device } = form
    const handle = f.handle.trim().toLowerCase()
    const entered = await this.shell.wire.signUp({
      random,
      token,
      device,
      handle,
      name: f.name.normalize('NFC').trim(),
      password: f.password.normalize('NFC'),
      label: f.deviceLabel.normalize('NFC'),
      invitation: f.invitation,
    })
    if (entered.handle !== handle) {
      // The one before, whose answer got lost, was taken: with another handle and password, maybe another person's.
      const { writer } = await this.shell.asLeader()
      await stored(writer.save([{ table: 'meta', key: 'form' }]))
      throw new RefusedError({ reason: 'signed_up_as', subject: entered.handle, retryAfterMs: 0, fields: [] })
    }
    await this.enter(form, entered)
  }

  async logIn(handle: string, password: string, label: string): Promise<void> {
    const who = handle.trim().toLowerCase()
    const form = this.lost?.handle === who ? this.lost.form : this.fresh('logIn')
    this.lost = null
    await this.keep(form)
    const { token, device } = form
    try {
      const entered = await this.shell.wire.logIn({ token, device, handle: who, password: password.normalize('NFC'), label: label.normalize('NFC') })
      await this.enter(form, entered)
    } catch (e) {
      if (e instanceof RefusedError && e.refusal.reason === unreachable.reason) this.lost = { handle: who, form }
      throw e
    }
  }

  async requestCode(label: string): Promise<DeviceCode> {
    const form = this.fresh('code')
    await this.keep(form)
    this.code = form
    const { token, device } = form
    const { code, validMs } = await this.shell.wire.requestCode({ token, device, label: label.normalize('NFC') })
    return { code, until: this.shell.now() + validMs }
  }

  async pollCode(): Promise<'waiting' | 'admitted' | 'expired'> {
    const form = this.code
    if (!form) return 'expired'
    const r = await this.shell.wire.pollCode(form.token)
    if (this.code !== form) return 'expired'
    if (r === 'waiting') return r
    this.code = null
    if (r === 'expired') return r
    await this.enter(form, r)
    return 'admitted'
  }

  /** logOut ends the session on the server first: a device that only forgot it is still logged in there. */
  logOut(): Promise<void> {
    return this.shell.session.farewell(async () => {
      try {
        await this.shell.wire.logOut()
      } catch (e) {
        const reason = e instanceof RefusedError ? e.refusal.reason : ''
        if (reason !== 'unauthenticated' && reason !== 'session_revoked') throw e
      }
    })
  }

  private fresh(kind: Form['kind']): Form {
    const { rand } = this.shell.env
    return { kind, random: bytes(rand, 16), token: bytes(rand, 32), device: bytes(rand, 16) }
  }

  private async keep(form: Form): Promise<void> {
    const { writer } = await this.shell.asLeader()
    if (this.shell.account) throw new RefusedError(invalid)
    await stored(writer.save([{ table: 'meta', key: 'form', value: form }]))
  }

  private async enter(form: Form, e: Entered): Promise<void> {
    const account = { user: e.user, handle: e.handle, token: encode(form.token), device: encode(form.device), mustChange: e.mustChange }
    await stored(this.shell.session.enter(account, [{ table: 'meta', key: 'form' }]))
  }
}

/** stored turns a lost lead into a refusal: the person asks again. */
async function stored(p: Promise<void>): Promise<void> {
  try {
    await p
  } catch (e) {
    throw e instanceof StoreError ? new RefusedError({ ...invalid, reason: 'not_stored' }) : e
  }
}
