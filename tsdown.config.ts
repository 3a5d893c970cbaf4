import type { UserConfig } from 'tsdown'

// Two outputs: the command, bundled with its dependencies and split by command
// because start-up time is what a user feels; and the library, left unbundled so
// that an importer pays only for what is used. A command loads what it uses and no
// more because package.json says that importing a module does nothing by itself.
// The command is CommonJS: Node.js 20 loads that faster, and V8's code of it can be kept (src/cli/load-program.ts).

/**
 * What this many chunks share is one chunk, and so is what the command line itself needs, and what a push needs besides:
 * opening many small files is slower than opening one that is too large.
 */
const SHARED_BY = 30
/** What fewer commands share, those on a cluster most of all. */
const SHARED_BY_SOME = 14
const CHUNKS = [
	{ name: 'command-line', test: /src\/(?:cli\/app|errors\/printable)\.ts$/, priority: 4 },
	{ name: 'shared', minShareCount: SHARED_BY, priority: 3 },
	{ name: 'transfer', test: /src\/cli\/run\/copy\.ts$/, priority: 2 },
	{ name: 'push', test: /src\/cli\/run\/push\.ts$/, priority: 1 },
	{ name: 'some', minShareCount: SHARED_BY_SOME, priority: 0 },
]

/** The second thread of a check of many files: it stands beside what starts it, and loads nothing else. */
const JUDGE_WORKER = 'src/flows/judge-worker.ts'

/** The thread that compares passwords with their hashes. */
const PASSWORD_WORKER = 'src/registry/server/access/password-worker.ts'

/**
 * Node.js 20 gives every object of the form `{ ...a, b }` a hidden class of its own, so that nothing
 * that uses it can be optimised: js-yaml, which keeps its state in such an object, takes three times
 * as long. `Object.assign` makes the same object without that.
 */
const sharedShapes: NonNullable<UserConfig['plugins']> = {
	name: 'shared-shapes',
	transform(code: string, id: string) {
		if (!id.endsWith('/js-yaml.mjs')) return undefined
		let states = 0
		const changed = code.replaceAll(
			/const state = \{\s*\.\.\.(\w+),\s*\.\.\.(\w+),([^}]*(?:\{[^}]*\}[^}]*)*)\};/g,
			(_, defaults: string, options: string, rest: string) => {
				states++
				return `const state = Object.assign({}, ${defaults}, ${options}, {${rest}});`
			},
		)
		if (states !== 2) throw new Error(`js-yaml keeps its state otherwise: ${states} of 2 places were found`)
		return { code: changed, map: null }
	},
}

/** V8 keeps a text with one character beyond Latin-1 in two bytes for each: a small command then collects garbage once more. */
const asciiText: NonNullable<UserConfig['plugins']> = {
	name: 'ascii-text',
	generateBundle(_options, bundle) {
		for (const [name, chunk] of Object.entries(bundle)) {
			if (chunk.type === 'asset') continue
			if (/String\.raw`[^`]*[^\0-\x7f]/.test(chunk.code))
				throw new Error(`${name} has raw text that is not ASCII`)
			chunk.code = chunk.code.replaceAll(
				/[^\0-\x7f]/g,
				(unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
			)
		}
	},
}

const common: UserConfig = {
	format: 'esm',
	platform: 'node',
	target: 'node20.19',
	fixedExtension: false,
}

/** With its dependencies, for what Node runs as it is. */
const bundled: UserConfig = {
	...common,
	deps: { alwaysBundle: [/.*/], onlyBundle: false },
	plugins: [sharedShapes, asciiText],
	dts: false,
	// Less text to read at start; names stay, for stacks in bug reports.
	minify: { mangle: false },
}

const command: UserConfig = { ...bundled, format: 'cjs', outDir: 'dist/cli' }

const config: UserConfig[] = [
	{ ...command, entry: { main: 'src/cli/main.ts' }, clean: false },
	{
		...command,
		entry: { app: 'src/cli/app.ts' },
		outputOptions: {
			codeSplitting: { groups: CHUNKS },
			// The same in the next build, whose code takes this one's place.
			chunkFileNames: '[name].cjs',
			dynamicImportInCjs: false,
		},
		clean: false,
	},
	{ ...common, entry: { index: 'src/index.ts' }, outDir: 'dist', dts: true, clean: false },
	...['dist/cli', 'dist'].map((outDir): UserConfig => ({
		...bundled,
		entry: { 'judge-worker': JUDGE_WORKER, 'password-worker': PASSWORD_WORKER },
		outDir,
		clean: false,
	})),
]

export default config
