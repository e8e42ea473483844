/** Names that --until takes, in order. */
export const hostKernelStepIds = [
  'source',
  'patch',
  'zfs-source',
  'configure',
  'compile',
  'packages',
  'zfs',
  'boot',
  'manifest',
] as const

export type HostKernelStepId = (typeof hostKernelStepIds)[number]
