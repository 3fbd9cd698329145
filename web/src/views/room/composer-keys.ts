// Which key press sends. A pure function from events to an action, so that the event orders of every browser can be
// recorded and tested.
//
// While Hangul is composed, one press of Enter has to send, the last syllable included, once:
// - Chromium and Firefox deliver the keydown first (isComposing, keyCode 229), then compositionend, and on some systems a
//   second keydown of the same press (keyCode 13). The wish is remembered, sent after compositionend, the echo swallowed.
// - Safari ends the composition before the keydown, which still has keyCode 229.
// For kana, pinyin or a Hanja candidate an Enter only confirms what is composed: it ends in something other than Hangul.

export interface KeysState {
  readonly composing: boolean
  /** wish: Enter was pressed during the composition and is to send what it ends with. */
  readonly wish: boolean
  /** ended is what the last composition ended with, until the next key or input. */
  readonly ended: string | null
  /** swallow: the press of Enter was used; what else it causes (second keydown, line break) is dropped until keyup. */
  readonly swallow: boolean
}

export type KeysEvent =
  | {
      readonly type: 'keydown'
      readonly key: string
      readonly code: string
      readonly keyCode: number
      readonly isComposing: boolean
      readonly shift: boolean
      /** mod: Ctrl or Command. */
      readonly mod: boolean
      readonly alt: boolean
    }
  | { readonly type: 'keyup'; readonly key: string; readonly code: string }
  | { readonly type: 'compositionstart' }
  | { readonly type: 'compositionend'; readonly data: string }
  | { readonly type: 'beforeinput'; readonly inputType: string }
  | { readonly type: 'input' }
  | { readonly type: 'blur' }

/** Action: send and drop also prevent what the browser would do; sendLater sends once the event is over. */
export type KeysAction = 'none' | 'send' | 'sendLater' | 'drop'

export const idle: KeysState = { composing: false, wish: false, ended: null, swallow: false }

const hangul = /[ᄀ-ᇿ〮〯㄰-㆏ꥠ-꥿가-힣ힰ-퟿]$/u

/** endsInHangul tells whether a text ends in a Hangul syllable or letter. */
export function endsInHangul(text: string): boolean {
  return hangul.test(text)
}

function isEnter(e: { readonly key: string; readonly code: string }): boolean {
  if (e.key === 'Enter') return true
  // Windows names every key that an input method handles Process.
  return e.key === 'Process' && (e.code === 'Enter' || e.code === 'NumpadEnter')
}

/** step takes one event; enterSends is the person's choice: off means Enter breaks the line and Ctrl+Enter sends. */
export function step(s: KeysState, e: KeysEvent, enterSends: boolean): { readonly state: KeysState; readonly action: KeysAction } {
  switch (e.type) {
    case 'compositionstart':
      return { state: { ...idle, composing: true }, action: 'none' }

    case 'compositionend': {
      if (s.wish && endsInHangul(e.data)) return { state: { ...idle, swallow: true }, action: 'sendLater' }
      return { state: { ...idle, ended: e.data, swallow: s.wish }, action: 'none' }
    }

    case 'keydown': {
      if (!isEnter(e)) return { state: { ...s, wish: false, ended: null, swallow: false }, action: 'none' }
      const sends = !e.alt && !e.shift && (enterSends || e.mod)
      if (s.composing || e.isComposing) return { state: { ...s, wish: sends }, action: 'none' }
      if (s.swallow) return { state: { ...s, ended: null }, action: 'drop' }
      if (!sends) return { state: idle, action: 'none' }
      // Safari: this press ended the composition just now.
      if (e.keyCode === 229 && s.ended !== null && !endsInHangul(s.ended)) return { state: { ...idle, swallow: true }, action: 'drop' }
      return { state: { ...idle, swallow: true }, action: 'send' }
    }

    case 'keyup':
      return { state: isEnter(e) ? { ...s, swallow: false } : s, action: 'none' }

    case 'beforeinput': {
      const breaks = e.inputType === 'insertLineBreak' || e.inputType === 'insertParagraph'
      return { state: s, action: breaks && s.swallow ? 'drop' : 'none' }
    }

    case 'input':
      return { state: s.ended === null ? s : { ...s, ended: s.composing ? null : s.ended }, action: 'none' }

    case 'blur':
      return { state: idle, action: 'none' }
  }
}
