// Parts of a build that cannot be fetched. If they are gone because the server has a newer build, the page is loaded again,
// once; if the server cannot be reached, the part waits for it: a page in use is never given up for a page that cannot load.

const KEY = 'bonghwa.reloaded'

let going = false

/** reloadOnce loads the page again unless it did so for the same reason before; true: it is on its way, perhaps since before. */
export function reloadOnce(why: string): boolean {
  if (going) return true
  try {
    if (sessionStorage.getItem(KEY) === why) return false
    sessionStorage.setItem(KEY, why)
  } catch {
    return false
  }
  going = true
  location.reload()
  return true
}

/** load is a dynamic import that survives a new build and a lost connection. */
export async function load<T>(get: () => Promise<T>): Promise<T> {
  for (let again = false; ; again = true) {
    try {
      return await get()
    } catch (e) {
      const gone = (await answered()) === 404 || again
      if (!gone) continue
      if (reloadOnce(`part of ${import.meta.url}`)) return new Promise<T>(() => undefined)
      throw e
    }
  }
}

// answered waits until the server says something about this file, which is part of the same build.
async function answered(): Promise<number> {
  for (;;) {
    try {
      return (await fetch(import.meta.url, { method: 'HEAD', cache: 'no-store' })).status
    } catch {
      await new Promise((again) => setTimeout(again, 1000))
    }
  }
}
