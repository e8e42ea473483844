/** `0.4 s`, `12 s`, `3 min 05 s`, `1 h 20 min`. */
export function formatDuration(durationMs: number): string {
  const seconds = durationMs / 1000
  // Not 10: 9.95 and more would be shown as 10.0.
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}
