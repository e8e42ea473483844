/** Opens a session on the work directory given, runs a command that never ends, and waits to be killed. */
import { join } from 'node:path'
import { connectDocker } from '../../src/effects/docker/client.ts'
import { dockerEngine } from '../../src/effects/docker-engine.ts'

const work = process.argv[2] ?? ''
const { signal } = new AbortController()
const engine = dockerEngine((await connectDocker(process.env, signal)).docker)
const session = await engine.open(
  {
    image: process.argv[3] ?? '',
    mounts: [{ source: join(work, 'tree'), target: '/build' }],
    env: {},
    user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    workDir: work,
    title: 'killed',
  },
  signal,
)
const script = 'while :; do date +%s.%N >beat; echo up; sleep 0.1; done'
await session.exec(['sh', '-c', script], {
  cwd: join(work, 'tree'),
  signal,
  onLine: (line) => void process.stdout.write(`${line}\n`),
})
