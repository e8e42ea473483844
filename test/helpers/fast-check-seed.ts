import { configureGlobal } from 'fast-check'

/** The same cases in every run, so that a red build is about its change; FWBUILD_SEED tries others. */
configureGlobal({ seed: Number(process.env['FWBUILD_SEED'] ?? '20261121') })
