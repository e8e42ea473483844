import { usageError } from '../../errors.ts'

/**
 * Answers of a compiler that can only be asked for many things at once, because it is in a container.
 * A tree is read again and again: each time what it asks and nobody knows yet is written down.
 */
export interface ProbeBook {
  /** The answer, or a word that stands for it as long as it is unknown. */
  readonly answer: (command: string) => string
  /** Commands asked for without an answer so far, in order. */
  readonly open: () => readonly string[]
  readonly learn: (command: string, output: string) => void
}

// An identifier, so that a default or a condition made of it can still be read.
const pendingWord = 'FWBUILD_PENDING_ANSWER'

export function createProbeBook(): ProbeBook {
  const known = new Map<string, string>()
  const asked = new Set<string>()
  return {
    answer: (command) => {
      // What depends on an unknown answer is not asked yet: it would be another question.
      if (command.includes(pendingWord)) return pendingWord
      const answer = known.get(command)
      if (answer !== undefined) return answer
      asked.add(command)
      return pendingWord
    },
    open: () => [...asked],
    learn: (command, output) => {
      known.set(command, output)
      asked.delete(command)
    },
  }
}

const maxPasses = 12

/**
 * Reads a tree whose questions are answered in batches.
 * @param read reads the whole tree, asking by the given function
 * @param ask runs commands and returns what each printed
 */
export async function readWithBatches<T>(
  read: (shell: (command: string) => string) => T,
  ask: (commands: readonly string[]) => Promise<readonly string[]>,
): Promise<T> {
  const book = createProbeBook()
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const result = read(book.answer)
    const open = book.open()
    if (open.length === 0) return result
    const outputs = await ask(open)
    for (const [index, command] of open.entries()) book.learn(command, outputs[index] ?? '')
  }
  throw usageError(
    'E_KCONFIG_PROBES',
    `the tree’s questions to the compiler do not end (${maxPasses} rounds)`,
  )
}
