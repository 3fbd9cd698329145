// Days and times as people here write them. The time is the local time of day; "now" is the server's clock, so that a wrong
// clock of this machine neither moves messages to another day nor hides 어제.
import { language } from './messages.ts'

let skew = 0

/** setSkew tells by how much the local clock is ahead of the server's, ms. */
export function setSkew(ms: number): void {
  skew = ms
}

/** now is the server's clock as far as it is known. */
export function now(): number {
  return Date.now() - skew
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${language()} ${key}`
  let f = formats.get(name)
  if (!f) formats.set(name, (f = new Intl.DateTimeFormat(language() === 'ko' ? 'ko-KR' : 'en-US', options)))
  return f
}

/** dayLine: 2026년 11월 22일 일요일 · Sunday, November 22, 2026. */
export function dayLine(ms: number): string {
  return format('day', { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' }).format(ms)
}

/** dateLine: 11월 22일 일요일 · Sunday, November 22; with the year if it is another one. */
export function dateLine(ms: number): string {
  if (new Date(ms).getFullYear() !== new Date(now()).getFullYear()) return dayLine(ms)
  return format('short day', { month: 'long', day: 'numeric', weekday: 'long' }).format(ms)
}

/** timeOf: 오후 1:35 · 1:35 PM. */
export function timeOf(ms: number): string {
  const d = new Date(ms)
  const clock = `${d.getHours() % 12 || 12}:${String(d.getMinutes()).padStart(2, '0')}`
  const morning = d.getHours() < 12
  return language() === 'ko' ? `${morning ? '오전' : '오후'} ${clock}` : `${clock} ${morning ? 'AM' : 'PM'}`
}

/** listTime: the time today, 어제, 11월 20일, 2025. 3. 4. */
export function listTime(ms: number, today = now()): string {
  const days = daysBetween(ms, today)
  if (days <= 0) return timeOf(ms)
  const ko = language() === 'ko'
  if (days === 1) return ko ? '어제' : 'Yesterday'
  if (new Date(ms).getFullYear() === new Date(today).getFullYear()) {
    return format('month', { month: ko ? 'long' : 'short', day: 'numeric' }).format(ms)
  }
  return ko
    ? format('short', { year: 'numeric', month: 'numeric', day: 'numeric' }).format(ms)
    : format('short', { year: 'numeric', month: 'short', day: 'numeric' }).format(ms)
}

/** sameDay says whether two moments are on the same local day. */
export function sameDay(a: number, b: number): boolean {
  if (a < day.from || a >= day.to) {
    const d = new Date(a)
    const [y, m, n] = [d.getFullYear(), d.getMonth(), d.getDate()]
    day = { from: new Date(y, m, n).getTime(), to: new Date(y, m, n + 1).getTime() }
  }
  return b >= day.from && b < day.to
}

// The day that was asked about last: a log asks about the same one row after row.
let day = { from: 0, to: 0 }

// Midnights are compared in UTC: a day with a clock change has 23 or 25 hours.
function daysBetween(a: number, b: number): number {
  return Math.round((midnight(b) - midnight(a)) / 86_400_000)
}

function midnight(ms: number): number {
  const d = new Date(ms)
  return Date.UTC(d.getFullYear(), d.getMonth(), d.getDate())
}
