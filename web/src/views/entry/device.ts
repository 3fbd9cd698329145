// The name under which a device stands in one's list: browser and system, as far as the browser tells.
import './texts.ts'
import { type Key, t } from '../../lib/messages.ts'

const browsers: readonly (readonly [RegExp, Key])[] = [
  [/SamsungBrowser\//, 'entry.samsung'],
  [/Whale\//, 'entry.whale'],
  [/Edg(e|A|iOS)?\//, 'entry.edge'],
  [/(OPR|Opera)\//, 'entry.opera'],
  [/(Firefox|FxiOS)\//, 'entry.firefox'],
  [/(Chrome|CriOS|Chromium)\//, 'entry.chrome'],
  [/Safari\//, 'entry.safari'],
]
const systems: readonly (readonly [RegExp, Key])[] = [
  [/iPad/, 'entry.ipad'],
  [/iPhone|iPod/, 'entry.iphone'],
  [/Android/, 'entry.android'],
  [/CrOS/, 'entry.chromeos'],
  [/Windows/, 'entry.windows'],
  [/Mac OS X|Macintosh/, 'entry.mac'],
  [/Linux/, 'entry.linux'],
]

/** deviceLabel is "크롬 · 윈도우"; at most 40 code points (docs/protocol.md, "Limits"). */
export function deviceLabel(userAgent: string): string {
  const browser = browsers.find(([r]) => r.test(userAgent))?.[1] ?? 'entry.browser'
  const system = systems.find(([r]) => r.test(userAgent))?.[1]
  return system ? `${t(browser)} · ${t(system)}` : t(browser)
}

// The words in which names were given, by this page in either language.
const words: readonly (readonly [Key, ...string[]])[] = [
  ['entry.browser', '브라우저', 'Browser'],
  ['entry.chrome', '크롬', 'Chrome'],
  ['entry.safari', '사파리', 'Safari'],
  ['entry.firefox', '파이어폭스', 'Firefox'],
  ['entry.edge', '엣지', 'Edge'],
  ['entry.whale', '웨일', 'Whale'],
  ['entry.opera', '오페라', 'Opera'],
  ['entry.samsung', '삼성 인터넷', 'Samsung Internet'],
  ['entry.windows', '윈도우', 'Windows'],
  ['entry.mac', '맥', 'Mac'],
  ['entry.linux', '리눅스', 'Linux'],
  ['entry.android', '안드로이드', 'Android'],
  ['entry.iphone', '아이폰', 'iPhone'],
  ['entry.ipad', '아이패드', 'iPad'],
  ['entry.chromeos', '크롬북', 'Chromebook'],
]

/** shownLabel is a name that a page gave, in the language of this one; one that a person gave stays as it is. */
export function shownLabel(label: string): string {
  const keys = label.split(' · ').map((part) => words.find((w) => w.includes(part))?.[0])
  return keys.every((k) => k !== undefined) ? keys.map((k) => t(k)).join(' · ') : label
}
