/** Names that --until takes, in order. */
export const openwrtStepIds = [
  'source',
  'merge',
  'patch',
  'feeds',
  'configure',
  'download',
  'kernel-config',
  'compile',
  'images',
  'boot',
  'manifest',
] as const

export type OpenwrtStepId = (typeof openwrtStepIds)[number]
