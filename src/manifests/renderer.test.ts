import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findRenderer, type Renderer, type RenderTool } from './renderer.ts'

let directory = ''
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => {
	rmSync(directory, { recursive: true, force: true })
})

function write(path: string, content: string): void {
	mkdirSync(dirname(join(directory, path)), { recursive: true })
	writeFileSync(join(directory, path), content)
}

/** A program of that name whose body is JavaScript. */
function install(name: string, body: string): void {
	write(`bin/${name}`, `#!${process.execPath}\n${body}\n`)
	chmodSync(join(directory, 'bin', name), 0o755)
}

function find(tool: RenderTool): Renderer | undefined {
	return findRenderer(tool, {
		environment: { PATH: `bin:${join(directory, 'bin')}`, SECRET_TOKEN: 's3cret' },
	})
}

function renderer(tool: RenderTool): Renderer {
	const found = find(tool)
	if (found === undefined) throw new Error('not found')
	return found
}

describe.runIf(process.platform !== 'win32')('findRenderer', () => {
	it('finds nothing where nothing is installed', () => {
		expect(find('kustomize')).toBeUndefined()
		expect(find('helm')).toBeUndefined()
	})

	it('takes kubectl where there is no kustomize', () => {
		install('kubectl', '')
		expect(find('kustomize')?.program).toBe('kubectl')
		install('kustomize', '')
		expect(find('kustomize')?.program).toBe('kustomize')
	})

	it('runs the tool without a shell and with little of the environment', async () => {
		install('kustomize', 'console.log(JSON.stringify([process.argv.slice(2), Object.keys(process.env)]))')
		write('$(x) a/kustomization.yaml', 'resources: []')
		const path = join(directory, '$(x) a')
		const [args, names] = JSON.parse(
			Buffer.from(await renderer('kustomize').render(path)).toString(),
		) as string[][]
		expect(args).toEqual(['build', path])
		expect(names).not.toContain('SECRET_TOKEN')
		expect(names).not.toContain('HOME')
	})

	it('says why the tool failed', async () => {
		install('kustomize', 'console.error("no matches for x"); process.exit(1)')
		write('a/kustomization.yaml', '')
		await expect(renderer('kustomize').render(join(directory, 'a'))).rejects.toMatchObject({
			code: 'TOOL_FAILED',
			message: 'kustomize failed: no matches for x',
		})
	})

	it('ends a tool that does not end, prints without end, or is not wanted any more', async () => {
		install(
			'kustomize',
			'if (process.argv[3].endsWith("loud")) for (;;) require("fs").writeSync(1, Buffer.alloc(1 << 20)); setInterval(() => {}, 1000)',
		)
		write('a/kustomization.yaml', '')
		write('loud/kustomization.yaml', '')
		const kustomize = renderer('kustomize')
		await expect(kustomize.render(join(directory, 'a'), { timeout: 300 })).rejects.toMatchObject({
			code: 'TIMED_OUT',
		})
		await expect(kustomize.render(join(directory, 'loud'))).rejects.toMatchObject({ code: 'TOOL_FAILED' })
		await expect(
			kustomize.render(join(directory, 'a'), { signal: AbortSignal.timeout(300) }),
		).rejects.toMatchObject({
			code: 'INTERRUPTED',
		})
	})

	it.each([
		['a remote base', 'resources: [https://example.com/base.yaml]'],
		['a git base', 'resources: ["github.com/acme/base?ref=v1"]'],
		['a base outside', 'resources: [../other]'],
		['a remote patch', 'patches: [{path: "https://example.com/p.yaml"}]'],
		['a remote file', 'configMapGenerator: [{name: a, files: ["a=https://example.com/x"]}]'],
		['a plugin', 'generators: [plugin.yaml]'],
		['a chart', 'helmCharts: [{name: x, repo: "https://example.com"}]'],
	])('refuses %s before anything runs', async (_, kustomization) => {
		install('kustomize', 'require("fs").writeFileSync(process.argv[3] + "/ran", "")')
		write('a/kustomization.yaml', 'resources: [base]')
		write('a/base/kustomization.yaml', kustomization)
		write('other/kustomization.yaml', '')
		await expect(renderer('kustomize').render(join(directory, 'a'))).rejects.toMatchObject({
			code: 'FILE_UNSUPPORTED',
			message: expect.stringContaining(join('a', 'base', 'kustomization.yaml')),
		})
	})

	it('takes a base beside the directory, inside the root that is given', async () => {
		install('kustomize', 'console.log("kind: List")')
		write('a/overlay/kustomization.yaml', 'resources: [../base]')
		write('a/base/kustomization.yaml', '')
		const overlay = join(directory, 'a', 'overlay')
		const render = async (root?: string): Promise<Uint8Array> =>
			await renderer('kustomize').render(overlay, { root })
		expect(Buffer.from(await render(join(directory, 'a'))).toString()).toBe('kind: List\n')
		await expect(render()).rejects.toMatchObject({ code: 'FILE_UNSUPPORTED' })
		write('a/base/kustomization.yaml', 'resources: [../../other]')
		write('other/kustomization.yaml', '')
		await expect(render(join(directory, 'a'))).rejects.toMatchObject({ code: 'FILE_UNSUPPORTED' })
	})

	it('refuses charts whose dependencies would have to be fetched', async () => {
		install('helm', 'console.log("kind: List")')
		write('a/Chart.yaml', 'name: a\ndependencies: [{name: redis, repository: "https://example.com"}]')
		const helm = renderer('helm')
		await expect(helm.render(join(directory, 'a'))).rejects.toMatchObject({ code: 'FILE_UNSUPPORTED' })
		write('a/charts/redis-1.0.0.tgz', '')
		expect(Buffer.from(await helm.render(join(directory, 'a'))).toString()).toBe('kind: List\n')
	})
})
