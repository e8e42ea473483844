import type { Json } from '../core/json.ts'
import type { ApplyResult, FilePlacement } from '../core/patch/apply.ts'
import type { SeriesResult } from '../core/patch/series.ts'

/** The document that `fwbuild patch --json` prints (docs/patch-engine.md lists its fields). */
export function seriesJson(command: string, { status, files, patches }: SeriesResult): Json {
  return {
    version: 1,
    command,
    status,
    changed: [...files.keys()],
    patches: patches.map(({ name, result }) => patchJson(name, result)),
  }
}

function patchJson(name: string, { status, placements, refusals }: ApplyResult): Json {
  return {
    name,
    status,
    files: placements.map(fileJson),
    refusals: refusals.map(({ path, hunk, reason }) => ({ path, hunk: hunk ?? null, reason })),
  }
}

function fileJson({ path, operation, alreadyApplied, hunks }: FilePlacement): Json {
  return {
    path,
    operation,
    alreadyApplied,
    hunks: hunks.map(({ placement }, at) => ({
      hunk: at + 1,
      status: placement.status,
      line: placement.line,
      offset: placement.offset,
      fuzz: placement.fuzz,
      confidence: placement.confidence,
      why: placement.why,
      candidates: placement.candidates.map(({ line, score, why }) => ({ line, score, why })),
    })),
  }
}
