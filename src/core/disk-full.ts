/**
 * strerror(3) of ENOSPC and EDQUOT, and those who say it in words of their own: git, and the kernel's
 * scripts/basic/fixdep.
 */
const words =
  /No space left on device|Disk quota exceeded|Out of diskspace|fixdep: not all data was written to the output/i

/** Whether what some program printed tells that it could not write because a file system, or a quota, is full. */
export const tellsDiskFull = (text: string): boolean => words.test(text)
