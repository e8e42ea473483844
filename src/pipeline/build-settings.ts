import type { Json } from '../core/json.ts'
import type { BuildUser, Engine, SessionLimits } from '../effects/engine.ts'

/** Where things are; all absolute. */
export interface BuildPaths {
  /** This project's own fragments, patches, feeds and fixtures. */
  readonly project: string
  readonly work: string
  readonly output: string
  readonly dl: string
}

/** What a build knows of the machine and of how it runs, whatever it builds. */
export interface BuildSettings {
  readonly paths: BuildPaths
  readonly engine: Engine
  /** The caller's environment: where Docker is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly user: BuildUser
  readonly jobs: number
  /** Of the build container. */
  readonly limits: SessionLimits
  readonly offline: boolean
  /** Debian mirror, where one was named. */
  readonly mirror: string | undefined
  /** What the buildroot image is made of, without asking Docker; part of the fingerprints. */
  readonly buildrootInputs: Json
  /** Makes sure of the buildroot image and tells its name. */
  readonly ensureBuildroot: (tell: (text: string) => void) => Promise<BuildrootImage>
}

export interface BuildrootImage {
  readonly image: string
  /** What was it built from, for manifest and lock. */
  readonly id: string
  readonly notes: readonly string[]
}
