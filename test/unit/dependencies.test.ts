import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'

test('src imports only what a user’s installation has: dependencies, not devDependencies', async (t) => {
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as {
    dependencies: Record<string, string>
  }
  const names = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'))
  for (const name of names) {
    const text = await readFile(join('src', name), 'utf8')
    for (const [, specifier = ''] of text.matchAll(/(?:from|import\() ?'([\w@][\w@/.:-]*)'/g)) {
      if (specifier.startsWith('node:')) continue
      const owner = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
      t.true(owner in dependencies || `@types/${owner}` in dependencies, `${name} imports ${specifier}`)
    }
  }
})
