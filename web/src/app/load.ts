// Parts of a build that are gone because the server has a newer one: the page is loaded again, once for each reason.

const KEY = 'bonghwa.reloaded'

/** reloadOnce loads the page again unless it did so for the same reason before. */
export function reloadOnce(why: string): boolean {
  try {
    if (sessionStorage.getItem(KEY) === why) return false
    sessionStorage.setItem(KEY, why)
  } catch {
    return false
  }
  location.reload()
  return true
}

/** load is a dynamic import that survives a new build: a chunk that is gone loads the page again, once. */
export async function load<T>(get: () => Promise<T>): Promise<T> {
  try {
    return await get()
  } catch (e) {
    if (reloadOnce(`chunk ${import.meta.url}`)) return new Promise<T>(() => undefined)
    throw e
  }
}
