import { describe, expect, it } from 'vitest'
import { endsInHangul, idle, step, type KeysAction, type KeysEvent, type KeysState } from './composer-keys.ts'

function down(over: Partial<Extract<KeysEvent, { type: 'keydown' }>> = {}): KeysEvent {
  return { type: 'keydown', key: 'Enter', code: 'Enter', keyCode: 13, isComposing: false, shift: false, mod: false, alt: false, ...over }
}
const up: KeysEvent = { type: 'keyup', key: 'Enter', code: 'Enter' }
const start: KeysEvent = { type: 'compositionstart' }
const end = (data: string): KeysEvent => ({ type: 'compositionend', data })
const breaks: KeysEvent = { type: 'beforeinput', inputType: 'insertLineBreak' }
const input: KeysEvent = { type: 'input' }

/** run gives the actions of a recorded sequence, without those that do nothing. */
function run(events: readonly KeysEvent[], enterSends = true): KeysAction[] {
  let state: KeysState = idle
  const actions: KeysAction[] = []
  for (const e of events) {
    const r = step(state, e, enterSends)
    state = r.state
    if (r.action !== 'none') actions.push(r.action)
  }
  return actions
}
const sends = (actions: readonly KeysAction[]) => actions.filter((a) => a === 'send' || a === 'sendLater').length

describe('without an input method', () => {
  it('sends on Enter, once, and drops the line break', () => {
    expect(run([down(), breaks, up])).toEqual(['send', 'drop'])
  })
  it('breaks the line on Shift+Enter and on Alt+Enter', () => {
    expect(run([down({ shift: true }), breaks, up])).toEqual([])
    expect(run([down({ alt: true }), breaks, up])).toEqual([])
  })
  it('sends twice when Enter is pressed twice', () => {
    expect(sends(run([down(), up, down(), up]))).toBe(2)
  })
  it('does not send again while the key is held', () => {
    expect(sends(run([down(), down(), down(), up]))).toBe(1)
  })
  it('swaps with the setting', () => {
    expect(run([down(), breaks, up], false)).toEqual([])
    expect(sends(run([down({ mod: true }), up], false))).toBe(1)
    expect(sends(run([down({ mod: true }), up], true))).toBe(1)
  })
})

describe('Hangul: one press sends', () => {
  it('Chromium on Linux and Windows: keydown 229, compositionend, line break', () => {
    expect(run([start, down({ key: 'Process', keyCode: 229, isComposing: true }), input, end('글'), breaks, up])).toEqual(['sendLater', 'drop'])
  })
  it('Chromium on macOS: the same press comes a second time after compositionend', () => {
    expect(run([start, down({ keyCode: 229, isComposing: true }), end('글'), down(), breaks, up])).toEqual(['sendLater', 'drop', 'drop'])
  })
  it('Firefox: keydown Process, compositionend, input', () => {
    expect(run([start, down({ key: 'Process', keyCode: 229, isComposing: true }), end('요'), input, up])).toEqual(['sendLater'])
  })
  it('Safari: compositionend before the keydown, which has keyCode 229', () => {
    expect(run([start, end('글'), input, down({ keyCode: 229 }), breaks, up])).toEqual(['send', 'drop'])
  })
  it('a lone consonant counts as Hangul', () => {
    expect(sends(run([start, down({ keyCode: 229, isComposing: true }), end('ㅋ'), up]))).toBe(1)
  })
  it('the next message can be sent the same way', () => {
    const once = [start, down({ keyCode: 229, isComposing: true }), end('네'), down(), up]
    expect(sends(run([...once, ...once]))).toBe(2)
  })
  it('without a keyup (lost to the input method) the next composition starts afresh', () => {
    const once = [start, down({ keyCode: 229, isComposing: true }), end('네')]
    expect(sends(run([...once, ...once, start, end('예'), down({ keyCode: 229 })]))).toBe(3)
  })
  it('Shift+Enter while composing is a new line', () => {
    expect(run([start, down({ keyCode: 229, isComposing: true, shift: true }), end('글'), breaks, up])).toEqual([])
  })
  it('with the setting off, Ctrl+Enter sends what is composed and Enter does not', () => {
    expect(sends(run([start, down({ keyCode: 229, isComposing: true, mod: true }), end('글'), up], false))).toBe(1)
    expect(run([start, down({ keyCode: 229, isComposing: true }), end('글'), breaks, up], false)).toEqual([])
  })
  it('a wish is forgotten when another key follows', () => {
    expect(run([start, down({ keyCode: 229, isComposing: true }), down({ key: 'a', code: 'KeyA', keyCode: 229, isComposing: true }), end('글')])).toEqual([])
  })
})

describe('kana, pinyin, Hanja: Enter only confirms', () => {
  it('Chromium and Firefox', () => {
    expect(sends(run([start, down({ key: 'Process', keyCode: 229, isComposing: true }), end('日本'), up]))).toBe(0)
    expect(sends(run([start, down({ keyCode: 229, isComposing: true }), end('にほん'), down(), up]))).toBe(0)
  })
  it('Safari', () => {
    expect(run([start, end('日本'), input, down({ keyCode: 229 }), up])).toEqual(['drop'])
  })
  it('the next press sends', () => {
    expect(sends(run([start, down({ keyCode: 229, isComposing: true }), end('日本'), up, down(), up]))).toBe(1)
    expect(sends(run([start, end('日本'), down({ keyCode: 229 }), up, down(), up]))).toBe(1)
  })
  it('a Hanja candidate is confirmed, not sent', () => {
    expect(sends(run([start, down({ keyCode: 229, isComposing: true }), end('韓國'), up]))).toBe(0)
  })
})

it('endsInHangul knows syllables, compatibility letters and conjoining letters', () => {
  for (const s of ['가', '힣', 'ㄱ', 'ㅣ', '\u1112\u1161\u11ab', 'abc글']) expect(endsInHangul(s)).toBe(true)
  for (const s of ['', 'a', '글.', '글 ', '漢', 'か', '😀']) expect(endsInHangul(s)).toBe(false)
})
