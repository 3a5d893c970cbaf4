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
 * Node.js 20 gives every object of the form `{ ...a, b }` a hidden class of its own: to make it takes fifty times as long, and
 * nothing that uses it can be optimised. js-yaml, which keeps its state in such an object, takes three times as long. To spread
 * `null` first adds nothing, and leads V8 to the hidden class that all of these objects share.
 */
const sharedShapes: NonNullable<UserConfig['plugins']> = {
	name: 'shared-shapes',
	// After minifying, which would take it out again.
	generateBundle(_options, bundle) {
		for (const chunk of Object.values(bundle)) {
			if (chunk.type === 'asset' || !/\.c?js$/.test(chunk.fileName)) continue
			let code = ''
			let from = 0
			for (const at of leadingSpreads(this.parse(chunk.code)).toSorted((one, other) => one - other)) {
				code += `${chunk.code.slice(from, at)}...null,`
				from = at
			}
			chunk.code = code + chunk.code.slice(from)
		}
	},
}

/** Where an object literal begins with a spread, and something follows. */
function leadingSpreads(node: unknown): number[] {
	if (typeof node !== 'object' || node === null) return []
	const found = Object.values(node).flatMap((child) => leadingSpreads(child))
	const { type, properties } = node as {
		readonly type?: unknown
		readonly properties?: readonly { readonly type: string; readonly start: number }[]
	}
	const [first, second] = type === 'ObjectExpression' ? (properties ?? []) : []
	return first?.type === 'SpreadElement' && second ? [...found, first.start] : found
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
	plugins: [asciiText, sharedShapes],
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
	{
		...common,
		entry: { index: 'src/index.ts' },
		outDir: 'dist',
		dts: true,
		plugins: [sharedShapes],
		clean: false,
	},
	...['dist/cli', 'dist'].map((outDir): UserConfig => ({
		...bundled,
		entry: { 'judge-worker': JUDGE_WORKER, 'password-worker': PASSWORD_WORKER },
		outDir,
		clean: false,
	})),
]

export default config
