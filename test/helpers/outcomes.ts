/** How each step ended, e.g. `compile: cached`, read off the events of a run with --json. */
export const outcomesOf = (stderr: string): readonly string[] =>
  stderr.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return []
    const event = JSON.parse(line) as { type: string; step?: string; outcome?: string }
    return event.type === 'step-end' ? [`${event.step}: ${event.outcome}`] : []
  })
