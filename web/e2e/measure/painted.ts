// What the pages of the measures carry: when something was first painted, and when a key was pressed. Painted means that the
// frame with it has been handed to the screen: a task that the browser runs after the frame's requestAnimationFrame.
import type { BrowserContext } from 'playwright-core'

export interface Marks {
  /** at are the marks of this document, ms since the epoch. */
  at: Record<string, number>
  /** pressed is when Enter was last pressed, by the event's own time. */
  pressed: number
  /** until waits for a message with this text to be painted. */
  until(text: string): Promise<number>
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
    const at: Record<string, number> = { start: performance.timeOrigin }
    globalThis.marks = {
      at,
      pressed: 0,
      until: (text) =>
        new Promise((done) => {
          const here = () => {
            const all = document.querySelectorAll('[role=log] [data-key]')
            for (let i = all.length - 1; i >= Math.max(0, all.length - 4); i--) if (all[i]!.textContent.includes(text)) return true
            return false
          }
          if (here()) return painted(done)
          const o = new MutationObserver(() => {
            if (!here()) return
            o.disconnect()
            painted(done)
          })
          o.observe(document, { subtree: true, childList: true })
        }),
    }
    addEventListener('keydown', (e) => {
      if (e.key === 'Enter') globalThis.marks.pressed = wall(e.timeStamp)
    }, true)
    addEventListener('submit', () => (at['submit'] = wall(performance.now())), true)
    const first = (name: string, is: () => boolean) => {
      if (at[name] !== undefined || !is()) return
      at[name] = 0
      painted((t) => (at[name] = t))
    }
    new MutationObserver(() => {
      first('list', () => document.querySelector('[role=option] time') !== null)
      first('counted', () => /안 읽음\s*50\d$/.test(document.querySelector('[role=group] button:nth-child(2)')?.textContent ?? ''))
    }).observe(document, { subtree: true, childList: true, characterData: true })
  })
}
