import type { UserConfig } from 'tsdown'

// Two outputs: the command, bundled with its dependencies and split by command
// because start-up time is what a user feels; and the library, left unbundled so
// that an importer pays only for what is used. A command loads what it uses and no
// more because package.json says that importing a module does nothing by itself.

/** What this many chunks share is one chunk: opening many small files is slower than one that is too large. */
const SHARED_BY = 14

/** The second thread of a check of many files: it stands beside what starts it. */
const PARSE_WORKER = 'src/manifests/parse-worker.ts'

const config: UserConfig[] = [
	{
		entry: { main: 'src/cli/main.ts', 'parse-worker': PARSE_WORKER },
		outDir: 'dist/cli',
		format: 'esm',
		platform: 'node',
		target: 'node20.19',
		deps: { alwaysBundle: [/.*/], onlyBundle: false },
		dts: false,
		fixedExtension: false,
		// Less text to read at start; names stay, for stacks in bug reports.
		minify: { mangle: false },
		outputOptions: { codeSplitting: { groups: [{ name: 'shared', minShareCount: SHARED_BY }] } },
		clean: true,
	},
	{
		entry: { index: 'src/index.ts', 'parse-worker': PARSE_WORKER },
		outDir: 'dist',
		format: 'esm',
		platform: 'node',
		target: 'node20.19',
		dts: true,
		fixedExtension: false,
		clean: false,
	},
]

export default config
