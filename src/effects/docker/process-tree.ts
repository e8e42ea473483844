import type Docker from 'dockerode'
import { exitCodeOf } from './exit-code.ts'

/** Environment variable that marks every process of one exec; children inherit it. */
export const execMarker = 'FWBUILD_EXEC'

/**
 * Ends every process of an exec inside its container (the Docker API cannot). Members are the processes
 * whose environment carries the marker, and whatever shares a session with one of them, for programs
 * that were started with an emptied environment. TERM first, KILL after the grace; ends 0 when none is left.
 */
const killScript = `
marker=$1 grace_tenths=$2 signal=TERM tenths=0
session_of() { read -r stat <"/proc/$1/stat" || return 1; set -- \${stat##*) }; echo "$4"; }
while :; do
  marked=$(grep -zlsxF "$marker" /proc/[0-9]*/environ)
  for file in $marked; do
    pid=\${file#/proc/}; pid=\${pid%/environ}
    session=$(session_of "$pid" 2>/dev/null) && case " $sessions " in *" $session "*) ;; *) sessions="$sessions $session" ;; esac
  done
  members=
  for dir in /proc/[0-9]*; do
    pid=\${dir#/proc/}
    [ "$pid" = 1 ] && continue
    session=$(session_of "$pid" 2>/dev/null) || continue
    case " $sessions " in *" $session "*) members="$members $pid"; continue ;; esac
    case "$marked" in *"/proc/$pid/environ"*) members="$members $pid" ;; esac
  done
  [ -z "$members" ] && exit 0
  for pid in $members; do
    # A second TERM would interrupt what a program does at the first.
    case "$signal $termed " in "TERM "*" $pid "*) continue ;; esac
    kill -s $signal "$pid" 2>/dev/null
    termed="$termed $pid"
  done
  [ $tenths -ge $((grace_tenths + 50)) ] && exit 1
  sleep 0.1
  tenths=$((tenths + 1))
  [ $tenths -ge "$grace_tenths" ] && signal=KILL
done
`

/**
 * @param user `uid:gid` the exec ran as
 * @param graceMs between TERM and KILL
 * @returns whether all of them are gone
 */
export async function killExec(
  container: Docker.Container,
  execId: string,
  user: string,
  graceMs: number,
): Promise<boolean> {
  const exec = await container.exec({
    Cmd: ['/bin/sh', '-c', killScript, 'sh', `${execMarker}=${execId}`, String(Math.ceil(graceMs / 100))],
    User: user,
    WorkingDir: '/',
    AttachStdout: true,
  })
  const stream = await exec.start({ hijack: true, stdin: false })
  stream.resume()
  await new Promise<void>((resolve, reject) => {
    stream.once('end', resolve)
    stream.once('close', resolve)
    stream.once('error', reject)
  })
  return (await exitCodeOf(exec)) === 0
}
