// Times and lengths of time, as people say them.

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** "3 min ago"; from a week on the local date and time. */
export function ago(then: Date, nowMs: number): string {
  const ms = nowMs - then.getTime()
  if (ms < -second * 5) return dateAndTime(then)
  if (ms < 5 * second) return 'just now'
  if (ms < minute) return `${Math.floor(ms / second)} s ago`
  if (ms < hour) return `${Math.floor(ms / minute)} min ago`
  if (ms < day) return `${Math.floor(ms / hour)} h ago`
  if (ms < 7 * day) return ms < 2 * day ? '1 day ago' : `${Math.floor(ms / day)} days ago`
  return dateAndTime(then)
}

/** "2026-03-01 14:05", local. */
export function dateAndTime(time: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}`
}

/** "0.4 ms", "12 ms", "3.2 s", "4 min 10 s", "2 h 5 min", "3 days". */
export function duration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`
  if (ms < second) return `${Math.round(ms)} ms`
  if (ms < 99.5 * second) return `${Number((ms / second).toFixed(ms < 10 * second ? 1 : 0))} s`
  const seconds = Math.round(ms / second)
  if (ms < hour) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(ms / minute)
  if (ms < 2 * day) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.round(ms / day)} days`
}

/**
 * Reads "2026-03-01", "2026-03-01T14:05:00Z" or, for a time ago, "90s", "15m", "2h", "3d". Undefined
 * if it is none of these.
 */
export function parseTime(given: string, nowMs: number): Date | undefined {
  const back = /^(\d+)([smhd])$/.exec(given)
  if (back) {
    const unit = { s: second, m: minute, h: hour, d: day }[back[2] as 's' | 'm' | 'h' | 'd']
    return new Date(nowMs - Number(back[1]) * unit)
  }
  if (!/^\d{4}-\d\d-\d\d/.test(given)) return undefined
  const time = new Date(given)
  return Number.isNaN(time.getTime()) ? undefined : time
}
