// Whatever is lost, delayed, refused for now, restarted, given up, replaced or copied: every message is in once and in
// order, everyone is told the truth about it, and rows are told once and in order. One seed again: SEED=17 npx vitest run
// src/engine/core/seeds.test.ts (RESTORE=1 if it is one with a restore); SEEDS=5000 runs more of them.
import { test } from 'vitest'
import type { TestDevice } from './world.ts'
import { World } from './world.ts'
import { TestDevice as Device } from './world.ts'

const one = Number(process.env['SEED'] ?? 0)
const count = Number(process.env['SEEDS'] ?? 300)

/** change gives up or replaces one open item. */
function change(w: World, d: TestDevice): void {
  const open = [...d.items.values()].filter((it) => it.op.kind === 'send' && it.state !== 'givingUp' && !d.sent.get(it.id)?.touched)
  const it = open[w.below(open.length)]
  const f = it && d.sent.get(it.id)
  if (!it || !f || f.replaces || d.ended) return
  if (w.below(2) === 0) {
    w.log(`${d.name} gives up ${it.id}`)
    if (!d.core.giveUp(w.now, it.id)) w.fail('not given up')
  } else {
    const text = `${f.text} edited ${++d.texts}`
    const id = d.core.replace(w.now, it.id, text)
    if (id === 0) w.fail('not replaced')
    w.log(`${d.name} replaces ${it.id} by ${id}`)
    d.note(id, text, f.room, f)
  }
  f.touched = true
  d.pump()
}

/** copyOf makes a second client out of a copy of the profile, as a restored backup of a machine would. */
function copyOf(w: World, d: TestDevice): void {
  const c = new Device(w, d.name + '2', d.user, d.token, d.device, d.store.copy())
  c.texts = 1000
  for (const [id, f] of d.sent) {
    f.shared = true
    c.sent.set(id, { ...f })
  }
  d.copied = c.copied = true
  w.log(`${d.name} copied`)
  w.devices.push(c)
  c.start()
}

/** decideKept discards or resends one refused message. */
function decideKept(w: World, d: TestDevice): void {
  const kept = [...d.kept.values()][0]
  if (!kept || d.ended) return
  if (w.below(2) === 0) {
    d.core.discard(kept.id)
  } else {
    const id = d.core.resend(w.now, kept.id)
    if (id === 0) w.fail('not resent')
    d.note(id, kept.op.text ?? '', kept.op.room ?? '', null)
    for (const f of d.list) if (d.copied && f.text === kept.op.text) f.shared = true // the other copy may send it anew too
    d.texts++
  }
  d.pump()
}

/** check compares what authors were told with what the server has. */
function check(w: World, room: string): void {
  checkVerdicts(w, room)
  checkRows(w, room)
}

function checkVerdicts(w: World, room: string): void {
  const rows = w.server.data.rooms.get(room)?.rows ?? []
  const at = new Map<string, number[]>()
  for (const { original, seq } of originals(rows)) at.set(original, [...(at.get(original) ?? []), seq])
  for (const d of w.devices) {
    let last = 0
    for (const f of d.list) {
      const again = d.list.filter((o) => o.text === f.text).length > 1 // resent: the same text twice
      const here = at.get(f.text) ?? []
      if (here.length > 1 && !f.shared && !again) w.fail(`${d.name}: "${f.text}" is in ${here.length} times`)
      if (d.ended || f.shared) continue
      const r = f.result
      if (f.lost) {
        if (here.length > 0 && !again) w.fail(`${d.name}: "${f.text}" was never stored, but is at ${here.join()}`)
      } else if (!r) {
        w.fail(`${d.name}: "${f.text}" never settled`)
      } else if (f.replaces) {
        continue
      } else if (r.ok) {
        if (!here.includes(r.seq)) w.fail(`${d.name}: "${f.text}" told seq ${r.seq}, is at ${here.join()}`)
      } else if (r.refusal?.reason !== 'already_in' && here.length > 0 && !again) {
        w.fail(`${d.name}: "${f.text}" told ${JSON.stringify(r)}, but is at ${here.join()}`)
      }
      if (here.length === 1 && !again && !d.copied) {
        if ((here[0] ?? 0) < last) w.fail(`${d.name}: "${f.text}" at ${here.join()} overtook one at ${last}`)
        last = here[0] ?? 0
      }
    }
  }
}

/** checkRows compares what models were told with what the server has. */
function checkRows(w: World, room: string): void {
  const rows = w.server.data.rooms.get(room)?.rows ?? []
  for (const d of w.devices) {
    if (d.ended) continue
    const line = d.core.line(room), has = w.server.room(d.token, room)
    if (line?.lastSeq !== has?.lastSeq || line?.last?.seq !== has?.last?.seq || line?.last?.text !== has?.last?.text) {
      w.fail(`${d.name}: the line is ${JSON.stringify(line)}, not ${JSON.stringify(has)}`)
    }
    const list = d.got.get(room) ?? []
    for (const [i, m] of list.entries()) {
      const row = rows[m.seq - 1]?.message
      if (row?.kind !== m.kind || row.author !== m.author || row.time !== m.time || (m.ord !== 0 && row.ord !== m.ord)) {
        w.fail(`${d.name}: told ${JSON.stringify(m)}, the row is ${JSON.stringify(row)}`)
      }
      if (d.watching.includes(room) && i > 0 && list[i - 1]?.seq !== m.seq - 1) w.fail(`${d.name}: ${m.seq - 1} was left out`)
    }
    if (d.watching.includes(room) && list.length > 0 && list.at(-1)?.seq !== rows.length) w.fail(`${d.name}: told up to ${list.at(-1)?.seq} of ${rows.length}`)
  }
}

/** originals are the messages with the text they were sent with. */
function originals(rows: readonly { readonly message: { readonly seq: number; readonly kind: string; readonly text: string } }[]): { original: string; seq: number }[] {
  const first = (text: string): string => text.replace(/ edited \d+$/, '')
  // An edit changes the text of its row: what it was before is its text without the mark that an edit in this test adds.
  const edited = new Set(rows.filter((r) => r.message.kind === 'edit').map((r) => r.message.text))
  return rows.filter((r) => r.message.kind === 'text').map((r) => ({ original: edited.has(r.message.text) ? first(r.message.text) : r.message.text, seq: r.message.seq }))
}

/** run plays a seed. restore: the server goes back to a backup in the middle; then verdicts from before may be void. */
function run(seed: number, restore = false): void {
  const w = new World(seed, 1 + (seed % 3))
  const a = w.add('alice'), b = w.add('bob'), a3 = w.add('alice3', { account: 'alice' })
  const room = a.roomWith(b)
  a.watching = [room]
  a.restart(false)
  if (seed % 2 === 0) b.watching = [room]
  b.restart(false)
  w.server.refuse = (op) => (op.text?.endsWith('7') ? 'cannot_receive' : '')
  w.server.busy = () => (w.calm ? '' : ['busy', 'not_ready', 'unknown_outcome', 'invalid'][w.below(40)] ?? '')
  let copied = false
  let backup = w.server.backup()
  for (let i = 0; i < 1500; i++) {
    if (restore && i === 600) backup = w.server.backup()
    if (restore && i === 1000) {
      w.server.restore(backup)
      w.restored = true
    }
    const d = w.devices[w.below(w.devices.length)] ?? a
    d.step()
    switch (w.below(30)) {
      case 0: case 1:
        if (!d.ended && d.core.openItems < 20) d.send(room, `${d.name} ${++d.texts}`, d === b ? a.user : b.user)
        break
      case 2: if (w.below(2) === 0) d.trouble(); break
      case 3: change(w, d); break
      case 4:
        if (seed % 5 === 0 && !restore && !copied && w.below(10) === 0) {
          copied = true
          copyOf(w, a3)
        }
        break
      case 5: if (w.below(4) === 0) decideKept(w, d); break
      case 6: d.core.markRead(w.now, room, d.core.line(room)?.lastSeq ?? 0); d.pump(); break
      case 7: d.core.view(w.now, w.below(2) === 0 ? [] : [room]); d.pump(); break
      default: break
    }
    w.now += w.below(60)
  }
  w.settle()
  if (!restore) return check(w, room)
  checkRows(w, room)
  for (const d of w.devices) for (const f of d.list) if (!f.result && !f.lost) w.fail(`${d.name}: "${f.text}" never settled`)
}

/** many plays seeds from `from` on, and says which one failed. */
function many(from: number, to: number, restore: boolean): void {
  for (let seed = from; seed <= to; seed++) {
    try {
      run(seed, restore)
    } catch (e) {
      throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : String(e)}`)
    }
  }
}

if (one > 0) {
  test(`seed ${one}`, () => run(one, process.env['RESTORE'] === '1'))
} else {
  for (let from = 1; from <= count; from += 50) {
    test(`seeds ${from} to ${from + 49}`, { timeout: 600_000 }, () => many(from, from + 49, false))
  }
  for (let from = 1; from <= count / 4; from += 50) {
    test(`seeds ${from} to ${from + 49}, with a restore`, { timeout: 600_000 }, () => many(from, from + 49, true))
  }
}
