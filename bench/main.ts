import { benchKconfig } from './kconfig.ts'

/** Each benchmark by name; `npm run bench` runs all, `npm run bench NAME ARGS…` one. */
const benches: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  kconfig: benchKconfig,
}

const [wanted, ...args] = process.argv.slice(2)
for (const [name, bench] of Object.entries(benches)) {
  if (wanted !== undefined && wanted !== name) continue
  console.log(name)
  await bench(args)
}
