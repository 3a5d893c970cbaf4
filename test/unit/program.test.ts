import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/errors/index.ts'
import { routesFor } from '../../src/cli/routes.ts'
import { formatError } from '../../src/output/error.ts'
import { asTyped, programOf } from '../../src/output/program.ts'
import { createStyle } from '../../src/output/style.ts'

describe('the program as it is typed', () => {
	it.each([
		[{ npm_command: 'exec' }, 'npx lading'],
		[{ npm_command: 'start', npm_lifecycle_event: 'start' }, 'npx lading'],
		[{ npm_command: 'run-script', npm_lifecycle_event: 'deploy' }, 'lading'],
		[{}, 'lading'],
	])('%j: %s', (env, program) => {
		expect(programOf(env)).toBe(program)
	})

	it('stands in hints, before every command and nowhere else', () => {
		for (const { name } of routesFor().getAllEntries())
			expect(asTyped(`x: lading ${name.original}`, 'npx lading')).toBe(`x: npx lading ${name.original}`)
		const not = 'a bug of lading itself; .lading up; lading-up; lading.yaml; npx lading up; lading upper'
		expect(asTyped(not, 'npx lading')).toBe(not)
		expect(asTyped('lading up, or (lading down)', 'lading')).toBe('lading up, or (lading down)')
		const error = new UserError('USAGE', 'lading up is told as it is', { hint: 'Start it: lading up' })
		expect(formatError(error, { style: createStyle(false), debug: false, program: 'npx lading' })).toBe(
			'error: lading up is told as it is\nnext:  Start it: npx lading up\n',
		)
	})
})
