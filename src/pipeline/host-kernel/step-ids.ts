/** Names that --until takes, in order. */
export const hostKernelStepIds = ['source', 'patch', 'configure', 'compile', 'packages'] as const

export type HostKernelStepId = (typeof hostKernelStepIds)[number]
