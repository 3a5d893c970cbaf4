import type { UserConfig } from 'tsdown'

// Two outputs: the command, bundled with its dependencies and split into one
// chunk per command because start-up time is what a user feels; and the
// library, left unbundled so that an importer pays only for what is used.
const config: UserConfig[] = [
	{
		entry: { main: 'src/cli/main.ts' },
		outDir: 'dist/cli',
		format: 'esm',
		platform: 'node',
		target: 'node20.19',
		deps: { alwaysBundle: [/.*/], onlyBundle: false },
		dts: false,
		fixedExtension: false,
		minify: false,
		clean: true,
	},
	{
		entry: { index: 'src/index.ts' },
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
