import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, type Project } from './program.ts'

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

/** The commands of the block that is marked `<!-- tested: first-day -->`. */
function firstDay(): readonly string[] {
	const block = /<!-- tested: first-day -->\s+```sh\n([\s\S]*?)```/.exec(README)?.[1] ?? ''
	return block
		.split('\n')
		.map((line) => line.replace(/\s+#.*$/, '').trim())
		.filter((line) => line !== '')
}

/** The difference between two versions that are the same is none; the block is run without the edit it speaks of. */
describe.sequential('the first day of README.md', () => {
	let project: Project

	beforeAll(async () => {
		project = createProject()
		await project.ok('up', '--cluster', 'sandbox')
	})
	afterAll(async () => {
		await project.remove()
	})

	it('has commands', () => {
		expect(firstDay().length).toBeGreaterThan(6)
	})

	it.each(firstDay().filter((line) => line.startsWith('npx lading ')))('%s', async (line) => {
		const [, , ...args] = line.split(/\s+/)
		const ended = await project.run(...args)
		expect(ended.code, ended.stdout + ended.stderr).toBe(0)
	})

	it('names only files that are there', () => {
		for (const line of firstDay().filter((each) => each.startsWith('kubectl ')))
			expect(line).toMatch(/^kubectl --kubeconfig \.lading\/kubeconfig get \S+ -n \S+$/)
	})
})
