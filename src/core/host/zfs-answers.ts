/**
 * The lines of configure's `config.cache` that another run can use. Left out are
 * - its record of the environment: it refuses all answers when, say, the number of jobs is another;
 * - the answers about options the kernel must have: these six compilations make the directory that the later
 *   ones, all answered, expect (config/kernel.m4 of OpenZFS 2.3).
 */
export const reusableAnswers = (cache: string): string =>
  cache
    .split('\n')
    .filter((line) => !/^(?:ac_cv_env_|zfs_cv_kernel_config_)/.test(line))
    .join('\n')
