import test from 'ava'
import { reusableAnswers } from '../../../src/core/host/zfs-answers.ts'

test('answers about the kernel stay, the environment and what must be asked again go', (t) => {
  const cache = [
    '# comment',
    'ac_cv_env_TEST_JOBS_set=set',
    'ac_cv_prog_CC=${ac_cv_prog_CC=gcc}',
    'zfs_cv_kernel_config_block_12=${zfs_cv_kernel_config_block_12=yes}',
    'zfs_cv_kernel_bio_12=${zfs_cv_kernel_bio_12=yes}',
    '',
  ].join('\n')
  t.is(
    reusableAnswers(cache),
    '# comment\nac_cv_prog_CC=${ac_cv_prog_CC=gcc}\nzfs_cv_kernel_bio_12=${zfs_cv_kernel_bio_12=yes}\n',
  )
})
