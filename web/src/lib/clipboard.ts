// Copying needs a secure address; where it is refused the answer is false and the caller says so.

/** copyText puts a text on the clipboard. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** canShare: the browser has a sheet for sharing, as phones do. */
export function canShare(): boolean {
  return typeof navigator !== 'undefined' && typeof navigator.share === 'function'
}

/** shareText opens that sheet; false if there is none or it failed, true also when the person closed it. */
export async function shareText(text: string): Promise<boolean> {
  if (!canShare()) return false
  try {
    await navigator.share({ text })
    return true
  } catch (e) {
    return e instanceof DOMException && e.name === 'AbortError'
  }
}
