import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'

const directory = mkdtempSync(join(tmpdir(), 'lading-'))

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function read(text: string): ReturnType<typeof readConfig> {
	writeFileSync(join(directory, 'lading.yaml'), text)
	return readConfig(directory)
}

describe('lading.yaml', () => {
	it('is read', async () => {
		expect(
			await read('name: shop\nmanifests: k8s\nrepository: localhost:5000/team/shop\nrecurse: true'),
		).toEqual({
			name: 'shop',
			manifests: 'k8s',
			repository: 'localhost:5000/team/shop',
			recurse: true,
		})
	})

	it('is a file', async () => {
		const project = join(directory, 'other')
		mkdirSync(join(project, 'lading.yaml'), { recursive: true })
		await expect(readConfig(project)).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: expect.stringMatching(/lading\.yaml: it is a directory$/),
			hint: expect.stringContaining('lading init'),
		})
		rmSync(join(project, 'lading.yaml'), { recursive: true })
		execFileSync('mkfifo', [join(project, 'lading.yaml')])
		await expect(readConfig(project)).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: expect.stringMatching(/: it is no file$/),
		})
	})

	it('may be missing', async () => {
		expect(await readConfig(join(directory, 'nowhere'))).toEqual({})
	})

	it.each(['', '\n', '# later\n', '---\n# nothing yet\n', '{}'])('may say nothing: %j', async (text) => {
		expect(await read(text)).toEqual({})
	})

	it.each([
		['nme: x', 'nme: there is no such field'],
		['name: 5', 'name: text is wanted, and 5 is none; put it in quotes'],
		['tag: 1.0', 'tag: text is wanted'],
		['name: Shop', 'name: a name has a-z'],
		['tag: "a b"', 'tag: not a tag'],
		['cluster: prod', 'cluster: a cluster is sandbox, kind'],
		['repository: shop:v1', 'repository: a repository is'],
		['manifests: ""', 'manifests: a directory has a name'],
		['namespace: a.b', 'namespace: a namespace has'],
		['recurse: "yes"', 'recurse: true or false is wanted, not "yes"'],
		['annotations: x', 'annotations: it has to be fields'],
		['annotations: {a: 1}', 'annotations.a: text is wanted'],
		['- a', 'it has to be fields'],
		['hello', 'it has to be fields'],
	])('says what is wrong with %j', async (text, detail) => {
		const refused = read(text)
		await expect(refused).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: 'lading.yaml is not valid',
			details: [expect.stringContaining(detail)],
		})
	})

	it.each(['name: [', 'name: a\nname: b', 'a: *b'])('says where %j does not parse', async (text) => {
		await expect(read(`# first\n${text}`)).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: expect.stringContaining('does not parse'),
		})
	})

	it('names every fault at once', async () => {
		await expect(read('nme: x\ntag: 5')).rejects.toMatchObject({
			details: [expect.stringContaining('tag'), expect.stringContaining('nme')],
		})
	})
})
