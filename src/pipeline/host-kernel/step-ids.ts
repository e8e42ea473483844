/** Names that --until takes, in order. */
export const hostKernelStepIds = [
  'source',
  'patch',
  'zfs-source',
  'configure',
  'compile',
  'packages',
  'zfs',
  'deliver',
  'boot',
  'manifest',
] as const

export type HostKernelStepId = (typeof hostKernelStepIds)[number]
