import { join } from 'node:path'
import { expect, it } from 'vitest'
import { copyBuilt } from '../real/stack/built.ts'
import { createProject, lading, program } from './program.ts'

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
