const dayMs = 86_400_000

/** daysAgo says how long ago some time of a day is that began at `day`: 0 is within the last 24 hours, else it is less than a
    day from n days ago. */
export function daysAgo(day: number, now: number): number {
  return Math.max(0, Math.floor((now - day) / dayMs))
}
