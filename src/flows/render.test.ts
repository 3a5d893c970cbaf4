import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Tree, TreeEntry } from '../artifact/index.ts'
import { digestOf, MediaType, parseManifest } from '../oci/index.ts'
import { silentProgress } from './progress.ts'
import { renderSubject } from './render.ts'
import type { Session } from './session.ts'
import { openWorkspace } from './workspace.ts'

let directory = ''
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => {
	rmSync(directory, { recursive: true, force: true })
})

/** A tool that writes down what it finds in the directory that is its argument number `at`. */
function install(name: 'kustomize' | 'helm', at: number): void {
	mkdirSync(join(directory, 'bin'))
	const program = join(directory, 'bin', name)
	const list = `require('node:fs').readdirSync(process.argv[${at}], { recursive: true }).sort()`
	const log = `require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'found'))}, ${list}.join(' '))`
	writeFileSync(program, `#!${process.execPath}\n${log}\n`)
	chmodSync(program, 0o755)
}

const file = (path: string): TreeEntry => ({ path, type: 'file', size: 0 })
const link = (path: string, linkTarget: string): TreeEntry => ({ path, type: 'symlink', size: 0, linkTarget })

const session = (): Session => ({
	workspace: openWorkspace(directory),
	env: { PATH: join(directory, 'bin') },
	progress: silentProgress,
})

/** What the tool finds of these entries. */
async function found(...entries: readonly TreeEntry[]): Promise<string> {
	install('kustomize', 3)
	const tree: Tree = { entries, read: () => Buffer.from('resources: []') }
	await renderSubject(session(), { kind: 'tar', facts: { tree } }, { sourceType: 'Kustomize' })
	return readFileSync(join(directory, 'found'), 'utf8')
}

describe.runIf(process.platform !== 'win32')('what a tool is given to render', () => {
	it('is the files and the links inside', async () => {
		const entries = [file('./kustomization.yaml'), file('a//b.yaml'), link('c', 'a/b.yaml')]
		expect(await found(...entries)).toBe('a a/b.yaml c kustomization.yaml')
	})

	it('has nothing that would be written outside, however links are put together', async () => {
		const outside = join(directory, 'outside')
		const up = `${'../'.repeat(12)}${outside.slice(1)}`
		const deep = 'n/'.repeat(12)
		const padded = `p/${'./'.repeat(12)}`
		const listed = await found(
			file('kustomization.yaml'),
			// Behind a link a name of many steps lies in a place of few.
			link(`${deep}here`, '../'.repeat(12)),
			link(`${deep}here/out`, up),
			file('out/evil.yaml'),
			// So does a name that is long only in writing.
			link(`${padded}far`, up),
			file('p/far/evil.yaml'),
			file('../evil.yaml'),
			file('/evil.yaml'),
		)
		expect(existsSync(outside)).toBe(false)
		expect(listed).not.toContain('far')
		expect(listed.split(' ')).toContain('out/evil.yaml')
	})

	it('is what lies in the one directory of a chart that was pushed', async () => {
		install('helm', 4)
		const entries = [file('web/Chart.yaml'), file('web/templates/one.yaml')]
		const layer = { mediaType: MediaType.helmChart, digest: digestOf('layer'), size: 5 }
		const bytes = Buffer.from(
			JSON.stringify({
				schemaVersion: 2,
				mediaType: MediaType.imageManifest,
				config: { ...layer, mediaType: MediaType.helmConfig },
				layers: [layer],
			}),
		)
		const mediaType = MediaType.imageManifest
		const parsed = parseManifest(bytes, mediaType)
		const facts = {
			manifest: { mediaType, size: bytes.length, parsed },
			tree: { entries, read: () => Buffer.from('name: web') },
		}
		await renderSubject(session(), { kind: 'tar', facts }, { sourceType: 'Helm' })
		expect(readFileSync(join(directory, 'found'), 'utf8')).toBe('Chart.yaml templates templates/one.yaml')
	})
})
