import type { BuildSettings } from './build-settings.ts'
import type { StepTools } from './run.ts'

/** Root is told whose code it is about to run, and what stands around it. */
export function tellForeignCode(
  origins: readonly string[],
  { engine, user }: Pick<BuildSettings, 'engine' | 'user'>,
  { note }: Pick<StepTools, 'note'>,
): void {
  if (origins.length === 0 || process.getuid?.() !== 0) return
  const around = engine.kind === 'docker' ? 'in a container' : 'without a container'
  const text = `root builds code that is not of fwbuild's catalogue (${origins.join(', ')}): it runs ${around} as uid ${user.uid}; docs/security.md says what that keeps`
  note(text, 'warn')
}
