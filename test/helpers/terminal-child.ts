/** Draws a step with a warning on the terminal it is started on, and dies in the middle of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { terminalReporter } from '../../src/report/terminal.ts'

const { report } = terminalReporter(() => Date.now())
report({ type: 'plan', steps: [{ id: 'a', title: 'First' }] })
report({ type: 'step-start', step: 'a' })
await sleep(300)
report({ type: 'note', step: 'a', level: 'warn', text: 'careful' })
await sleep(700)
process.kill(process.pid, 'SIGKILL')
