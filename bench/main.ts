/** `npm run bench [name]`: measures parts of fwbuild, with peers in the same run. */
interface Bench {
  readonly summary: string
  readonly load: () => Promise<(args: readonly string[]) => Promise<void> | void>
}

const benches: Readonly<Record<string, Bench>> = {
  kconfig: {
    summary: 'Kconfig reader and evaluator against conf and merge_config.sh; [KERNEL_TREE]',
    load: async () => (await import('./kconfig.ts')).benchKconfig,
  },
  patch: {
    summary: 'patch engine against patch and quilt; [KERNEL_TREE [OPENWRT_TREE]]',
    load: async () => (await import('./patch.ts')).run,
  },
}

const [name, ...args] = process.argv.slice(2)
const wanted = Object.entries(benches).filter(([known]) => name === undefined || known === name)
if (wanted.length === 0) {
  console.error(`no bench ${name}; there are:`)
  for (const [known, { summary }] of Object.entries(benches)) console.error(`  ${known}  ${summary}`)
  process.exitCode = 2
}
for (const [known, { load }] of wanted) {
  console.log(`# ${known}`)
  const run = await load()
  await run(args)
}
