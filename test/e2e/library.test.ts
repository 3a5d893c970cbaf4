import {
	cpSync,
	createReadStream,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unpack } from '../../src/artifact/index.ts'
import { MediaType } from '../../src/oci/index.ts'
import { type Ended, MAIN, processesWith, program } from './program.ts'

const ROOT = join(import.meta.dirname, '../..')
/** The directory with package.json of the program under test. */
const PACKAGE = resolve(dirname(MAIN), '../..')
const GUIDE = 'docs/guide/library.md'

let directory = ''
let project = ''

/** A project that has installed the packed package, and nothing else but Node's types. */
beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-library-'))
	const packed = await program(
		'npm',
		['pack', '--ignore-scripts', '--silent', '--pack-destination', directory],
		{ cwd: PACKAGE, env: { HOME: directory } },
	)
	if (packed.code !== 0) throw new Error(packed.stderr)
	const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? 'no tarball'
	await unpack(createReadStream(join(directory, tarball)), join(directory, 'unpacked'), {
		mediaType: MediaType.layerTarGzip,
	})
	project = join(directory, 'project')
	const modules = join(project, 'node_modules')
	mkdirSync(join(modules, '@types'), { recursive: true })
	renameSync(join(directory, 'unpacked/package'), join(modules, 'lading'))
	const { dependencies } = readJson(join(PACKAGE, 'package.json'))
	for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
		mkdirSync(dirname(join(modules, name)), { recursive: true })
		symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
	}
	cpSync(join(ROOT, 'sample-manifests'), join(project, 'manifests'), { recursive: true })
	writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "type": "module", "private": true }\n')
})
afterAll(async () => {
	await program(process.execPath, [MAIN, 'down', '--force'], { cwd: project })
	rmSync(directory, { recursive: true, force: true })
})

function readJson(path: string): { readonly dependencies: Readonly<Record<string, string>> } {
	const schema = v.object({ dependencies: v.record(v.string(), v.string()) })
	return v.parse(schema, JSON.parse(readFileSync(path, 'utf8')))
}

/** The blocks of TypeScript of a page that are marked as tested. */
function blocks(page: string): readonly string[] {
	const text = readFileSync(join(ROOT, page), 'utf8')
	return [...text.matchAll(/<!-- tested -->\s+```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
}

const tsc = async (config: Readonly<Record<string, unknown>>): Promise<Ended> => {
	writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
	return await program(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project], {
		cwd: project,
	})
}

describe('the types of the package', () => {
	const declarations = readFileSync(join(PACKAGE, 'dist/index.d.ts'), 'utf8')

	// `npx vitest run --project e2e test/e2e/library.test.ts -u` after a build writes it anew: a change of it
	// is a change of what callers rely on, and belongs into CHANGELOG.md.
	it('are those of the snapshot', async () => {
		await expect(publicApi(declarations)).toMatchFileSnapshot(
			join(ROOT, 'docs/reference/library-api.golden.d.ts'),
		)
	})

	it('all have a name that can be imported', () => {
		const exported = new Set(
			[...declarations.matchAll(/^export \{([^}]*)\}/gm)]
				.flatMap((match) => (match[1] ?? '').split(','))
				.map(
					(name) =>
						name
							.trim()
							.replace(/^type /, '')
							.split(' as ')[0],
				),
		)
		const declared = [...declarations.matchAll(DECLARATION)].map((match) => match[1] ?? '')
		expect(declared.length).toBeGreaterThan(100)
		// The brand of digests can be made by nobody else.
		expect(declared.filter((name) => name !== 'digestBrand' && !exported.has(name))).toEqual([])
	})

	it.each([
		['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
		['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
	])('work in a project with moduleResolution %s that checks its libraries', async (_, resolution) => {
		for (const [index, block] of blocks(GUIDE).entries())
			writeFileSync(join(project, `example-${index}.ts`), block)
		const ended = await tsc({
			compilerOptions: {
				target: 'es2022',
				lib: ['es2023'],
				...resolution,
				types: ['node'],
				strict: true,
				exactOptionalPropertyTypes: true,
				noUncheckedIndexedAccess: true,
				verbatimModuleSyntax: true,
				skipLibCheck: false,
				noEmit: true,
			},
			include: ['*.ts'],
		})
		expect(ended.stdout + ended.stderr).toBe('')
		expect(ended.code).toBe(0)
	})
})

describe.sequential('the examples of the guide', () => {
	beforeAll(async () => {
		for (const [index, block] of blocks(GUIDE).entries())
			writeFileSync(join(project, `example-${index}.ts`), block)
		const compiled = await tsc({
			compilerOptions: {
				target: 'es2022',
				module: 'nodenext',
				types: ['node'],
				verbatimModuleSyntax: true,
				skipLibCheck: true,
				outDir: 'compiled',
			},
			include: ['*.ts'],
		})
		if (compiled.code !== 0) throw new Error(compiled.stdout)
	})

	it('are there', () => {
		expect(blocks(GUIDE).length).toBeGreaterThan(4)
	})

	it.each(blocks(GUIDE).map((block, index) => [index, block.split('\n')[0] ?? '']))(
		'%i: %s',
		async (index) => {
			const ended = await program(process.execPath, [`compiled/example-${index}.js`], { cwd: project })
			expect(ended.code, ended.stdout + ended.stderr).toBe(0)
			expect(ended.stdout).not.toBe('')
			expect(ended.stdout).toMatch(SAID[index] ?? /^$/)
		},
	)

	it('leave nothing running', () => {
		expect(processesWith(join(project, '.lading'))).toEqual([])
	})
})

describe('an import', () => {
	/** The sources of which a module that was loaded is made. */
	async function loadedBy(code: string): Promise<readonly string[]> {
		const coverage = mkdtempSync(join(directory, 'coverage-'))
		const ended = await program(process.execPath, ['--input-type=module', '-e', code], {
			cwd: project,
			env: { NODE_V8_COVERAGE: coverage },
		})
		expect(ended.code, ended.stderr).toBe(0)
		const schema = v.object({ result: v.array(v.object({ url: v.string() })) })
		const urls = readdirSync(coverage).flatMap((name) =>
			v.parse(schema, JSON.parse(readFileSync(join(coverage, name), 'utf8'))).result.map(({ url }) => url),
		)
		const own = pathToFileURL(join(project, 'node_modules/lading')).href
		return urls
			.filter((url) => url.startsWith(own))
			.flatMap((url) =>
				[...readFileSync(new URL(url), 'utf8').matchAll(/^\/\/#region (src\/\S+)/gm)].map(
					(match) => match[1] ?? '',
				),
			)
	}
	const ofCluster = (sources: readonly string[]): readonly string[] =>
		sources.filter((source) => /^src\/(?:cluster|sync|observe|sandbox|kind|argocd-api)\//.test(source))

	it('loads the errors, references, and doors only', async () => {
		const sources = await loadedBy(`await import('lading')`)
		expect(sources.length).toBeGreaterThan(5)
		expect(sources.filter((source) => !/^src\/(?:errors|oci|library|index)/.test(source))).toEqual([])
		expect(sources.filter((source) => source.startsWith('src/library/run/'))).toEqual([])
	})

	it('and a push load nothing that talks to a cluster', async () => {
		const sources = await loadedBy(`
			import { push, serveRegistry } from 'lading'
			const registry = await serveRegistry({ port: 0, dataDirectory: 'load-registry' })
			const reference = 'localhost:' + registry.port + '/a:v1'
			await push({ directory: 'manifests', reference, access: { caFile: registry.ca } })
			await registry.close()`)
		expect(sources).toContain('src/flows/push.ts')
		expect(ofCluster(sources)).toEqual([])
	})

	it('and a status load it', async () => {
		const sources = await loadedBy(`
			import { status } from 'lading'
			await status().then(() => process.exit(1), (error) => { if (error.code !== 'USAGE' && error.code !== 'NOT_RUNNING') throw error })`)
		expect(ofCluster(sources)).toContain('src/cluster/connect-cluster.ts')
	})
})

/** What the examples say, one by one. */
const SAID: readonly RegExp[] = [
	/^deploys 3 resources\npushed localhost:\d+\/shop:v1\.0\.0@sha256:[0-9a-f]{64}\n$/,
	/^NOT_FOUND not-found\n.*v9\.9\.9.*\n(?:404\n)?$/,
	/^changed Deployment oci-demo-app\nHealthy \d[\s\S]*Synced[\s\S]*v1\.1\.0 \[ 'shop' \]/,
	/^localhost:\d+\/mirror\/shop:v1\.1\.0/,
	/removed\n$/,
]

const DECLARATION =
	/^(?:declare |export )*(?:abstract )?(?:interface|type|class|function|const|let|enum) ([\w$]+)/gm

/** The declarations without their comments, in the order of their names: only what a caller relies on. */
function publicApi(declarations: string): string {
	const code = declarations
		.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
		.replaceAll(/^\/\/#.*$/gm, '')
		.split('\n')
		.filter((line) => line.trim() !== '')
	const parts: string[][] = []
	for (const line of code) {
		if (/^\S/.test(line) && !/^[}|)]/.test(line)) parts.push([])
		parts.at(-1)?.push(line.trimEnd())
	}
	const nameOf = (part: readonly string[]): string =>
		/(?:interface|type|class|function|const) ([\w$]+)/.exec(part[0] ?? '')?.[1] ?? '~'
	return `${parts
		.map((part) => ({ name: nameOf(part), text: part.join('\n') }))
		.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
		.map(({ text }) => text)
		.join('\n')}\n`
}
