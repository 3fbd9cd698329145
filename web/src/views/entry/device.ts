// The name under which a device stands in one's list: browser and system, as far as the browser tells.
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
