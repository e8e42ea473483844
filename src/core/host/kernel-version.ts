/** The version in the head of a kernel's Makefile, e.g. `6.12.117` or `7.3.0-rc1`; undefined for other files. */
export function kernelVersionOf(makefile: string): string | undefined {
  const part = (name: string): string => new RegExp(`^${name} *= *(\\S*)`, 'm').exec(makefile)?.[1] ?? ''
  if (part('VERSION') === '') return undefined
  return `${part('VERSION')}.${part('PATCHLEVEL')}.${part('SUBLEVEL')}${part('EXTRAVERSION')}`
}
