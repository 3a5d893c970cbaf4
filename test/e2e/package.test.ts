import {
	createReadStream,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unpack } from '../../src/artifact/index.ts'
import { MediaType } from '../../src/oci/index.ts'
import { type Ended, MAIN, processesWith, program } from './program.ts'

/** The directory with package.json of the program under test. */
const PACKAGE = resolve(dirname(MAIN), '../..')

describe.sequential('the packed program, unpacked elsewhere', () => {
	let directory = ''
	let main = ''
	let project = ''
	const lading = (...args: string[]): Promise<Ended> =>
		program(process.execPath, [main, ...args], { cwd: project, env: { NODE_DISABLE_COMPILE_CACHE: '' } })

	beforeAll(async () => {
		directory = mkdtempSync(join(tmpdir(), 'lading-pack-'))
		project = join(directory, 'project')
		mkdirSync(project)
		const packed = await program(
			'npm',
			['pack', '--ignore-scripts', '--silent', '--pack-destination', directory],
			{
				cwd: PACKAGE,
				env: { HOME: directory },
			},
		)
		if (packed.code !== 0) throw new Error(packed.stderr)
		const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? 'no tarball'
		// Without node_modules: the command is whole by itself.
		const stream = createReadStream(join(directory, tarball))
		await unpack(stream, join(directory, 'unpacked'), { mediaType: MediaType.layerTarGzip })
		renameSync(join(directory, 'unpacked/package'), join(directory, 'package'))
		main = join(directory, 'package/dist/cli/main.cjs')
	})
	afterAll(async () => {
		if (existsSync(main)) await lading('down', '--force')
		rmSync(directory, { recursive: true, force: true })
	})

	it('says the version of its package.json', async () => {
		const { version } = JSON.parse(readFileSync(join(directory, 'package/package.json'), 'utf8')) as {
			version: string
		}
		expect((await lading('--version')).stdout.trim()).toBe(version)
	})

	it('carries no tests and no sources', () => {
		const names = readdirSync(join(directory, 'package'), { recursive: true, encoding: 'utf8' })
		expect(names.filter((name) => /\.test\.|(?:^|\/)src\/|\.lading/.test(name))).toEqual([])
		expect(names).toContain('schema/lading.schema.json')
	})

	it('walks the road', async () => {
		for (const args of [
			['init', '--name', 'shop'],
			['up'],
			['push', 'manifests', 'shop:v1.1.0'],
			['sync', 'shop', 'v1.1.0'],
			['check', 'shop:v1.1.0'],
			['push', 'manifests', 'shop:small', '--compress', 'gzip'],
			['status', '--exit-code'],
			['doctor'],
			['down'],
		]) {
			const ended = await lading(...args)
			expect(ended.code, `${args.join(' ')}\n${ended.stdout}${ended.stderr}`).toBe(0)
		}
		expect(processesWith(join(project, '.lading'))).toEqual([])
	})
})
