// Browsers clear what a page has stored when room gets short, unless the page has asked them not to. Words that are not sent yet
// are among it.

/** persist asks the browser to keep what is stored here. Firefox asks the person in turn: there only on their own wish. */
export async function persist(wish: boolean): Promise<void> {
  const { storage, userAgent } = navigator
  if (!storage?.persist || (!wish && userAgent.includes('Firefox/'))) return
  try {
    if (!(await storage.persisted())) await storage.persist()
  } catch {
    // Not to be had here.
  }
}
