import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { copyBuilt } from '../real/stack/built.ts'
import { createProject, lading, MAIN, program } from './program.ts'

it('a copy of the built program needs nothing of the checkout', async () => {
	const project = createProject()
	try {
		const main = copyBuilt(join(project.directory, 'run'))
		const options = { cwd: project.directory }
		for (const args of [['--version'], ['check', 'sample-manifests', '--json']]) {
			const built = await lading(args, options)
			expect(built.code, built.stderr).toBe(0)
			expect(await program(process.execPath, [main, ...args], options)).toEqual(built)
		}
	} finally {
		await project.remove()
	}
})

it('no object that it makes begins with what it copies, as each would have a hidden class of its own', () => {
	const directory = join(MAIN, '../..')
	const programs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
		/\.c?js$/.test(name),
	)
	expect(programs.length).toBeGreaterThan(50)
	const found = programs.flatMap((name) =>
		[
			...readFileSync(join(directory, name), 'utf8').matchAll(
				/[=(,:?&|[]\s*\{\s*\.\.\.(?!null\b)[\w$.]+\s*,.{0,60}/g,
			),
		].map(([text]) => `${name}: ${text}`),
	)
	expect(found).toEqual([])
})
