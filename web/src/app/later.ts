// Something that is said for a while, or only after a while.
import { useEffect, useState } from 'react'

/** useLater is false until ms have passed since `since` (local time), then true; 0: never. */
export function useLater(since: number, ms: number): boolean {
  const [passed, setPassed] = useState(0)
  useEffect(() => {
    if (since === 0) return
    const timer = setTimeout(() => setPassed(since), Math.max(0, since + ms - Date.now()))
    return () => clearTimeout(timer)
  }, [since, ms])
  // Who is drawn for the first time long after sees no trace of it.
  return since !== 0 && (passed === since || Date.now() >= since + ms)
}
