// What the pages of the measures carry: when something was first painted, and when a key was pressed. Painted means that the
// frame with it has been handed to the screen: a task that the browser runs after the frame's requestAnimationFrame.
import type { BrowserContext } from 'playwright-core'

export interface Marks {
  /** at are the marks of this document, ms since the epoch. */
  at: Record<string, number>
  /** pressed is when Enter was last pressed, clicked when the mouse was, by the event's own time. */
  pressed: number
  clicked: number
  /** until waits for a message with this text. */
  until(text: string): Promise<Shown>
  /** opened waits for the rows of the room of this name. */
  opened(name: string): Promise<Shown>
}

/** Shown: ready is when it stood in the document with style and layout made, painted when the frame with it was done. */
export interface Shown {
  readonly ready: number
  readonly painted: number
}

declare global {
  // Put into the page by carryMarks().
  var marks: Marks
}

/** carryMarks puts them into each document of a context, before its own scripts. */
export async function carryMarks(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const wall = (t: number) => performance.timeOrigin + t
    const painted = (then: (t: number) => void) =>
      requestAnimationFrame(() => {
        const c = new MessageChannel()
        c.port1.onmessage = () => then(wall(performance.now()))
        c.port2.postMessage(0)
      })
    const shown = (here: () => Element | null) =>
      new Promise<Shown>((done) => {
        const look = () => {
          const el = here()
          if (!el) return false
          el.getBoundingClientRect()
          const ready = wall(performance.now())
          painted((t) => done({ ready, painted: t }))
          return true
        }
        if (look()) return
        const o = new MutationObserver(() => look() && o.disconnect())
        o.observe(document, { subtree: true, childList: true })
      })
    const at: Record<string, number> = { start: performance.timeOrigin }
    globalThis.marks = {
      at,
      pressed: 0,
      clicked: 0,
      until: (text) =>
        shown(() => {
          const all = document.querySelectorAll('[role=log] [data-key]')
          for (let i = all.length - 1; i >= Math.max(0, all.length - 4); i--) if (all[i]!.textContent.includes(text)) return all[i]!
          return null
        }),
      opened: (name) => shown(() => document.querySelector(`section[aria-label="${CSS.escape(name)}"] [role=log] [data-key]`)),
    }
    addEventListener('keydown', (e) => {
      if (e.key === 'Enter') globalThis.marks.pressed = wall(e.timeStamp)
    }, true)
    addEventListener('click', (e) => (globalThis.marks.clicked = wall(e.timeStamp)), true)
    addEventListener('submit', () => (at['submit'] = wall(performance.now())), true)
    const first = (name: string, is: () => boolean) => {
      if (at[name] !== undefined || !is()) return
      at[name] = 0
      painted((t) => (at[name] = t))
    }
    new MutationObserver(() => {
      first('list', () => document.querySelector('[role=option] time') !== null)
      first('counted', () => /안 읽음\s*(49|50)\d$/.test(document.querySelector('[role=group] button:nth-child(2)')?.textContent ?? ''))
    }).observe(document, { subtree: true, childList: true, characterData: true })
  })
}
