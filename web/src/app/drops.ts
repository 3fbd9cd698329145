// What is dropped onto the page. A browser would open it in place of the page or beside it; here only a field takes text.
import { t } from '../lib/messages.ts'
import { overlaid, toast } from '../ui/overlay.tsx'
import { typing } from './keys.ts'

/** textOnly says why nothing came of a picture or a file. */
export function textOnly(): void {
  toast(t('shell.textOnly'), undefined, 'info')
}

/** watchDrops listens for the page, once. */
export function watchDrops(): void {
  const hold = (e: DragEvent): boolean => {
    const files = e.dataTransfer?.types.includes('Files') === true
    if (!files && typing(e.target)) return false
    e.preventDefault()
    if (e.type !== 'drop' && e.dataTransfer) e.dataTransfer.dropEffect = files ? 'copy' : 'none'
    return files
  }
  addEventListener('dragover', hold)
  addEventListener('drop', (e) => {
    if (hold(e) && !overlaid()) textOnly()
  })
}
