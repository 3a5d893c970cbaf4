// Runs test/kind/stack/main.ts, which is TypeScript, in this very process: the parent of all that a run
// starts. Plain JavaScript, because not every Node that is supported runs TypeScript.
import { resolve } from 'node:path'
import { createViteServer } from 'vitest/node'

const loader = await createViteServer({
	root: resolve(import.meta.dirname, '../..'),
	configFile: false,
	appType: 'custom',
	logLevel: 'error',
	optimizeDeps: { noDiscovery: true },
	server: { middlewareMode: true, hmr: false, ws: false, watch: null },
})
const { main } = await loader.ssrLoadModule('/test/kind/stack/main.ts')
process.exitCode = await main(process.argv.slice(2))
await loader.close()
