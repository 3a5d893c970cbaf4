import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** They are committed, so that a checkout builds without Go; this proves that nobody has edited them. */
it.each(['schema', 'lifecycle'])(
	'the table of the %s of Kubernetes is what its generator makes',
	async (name) => {
		const script = join(ROOT, `scripts/generate-${name}.mjs`)
		const { stdout } = await promisify(execFile)(process.execPath, [script, '--print'], {
			maxBuffer: 16 * 1024 * 1024,
		})
		expect(stdout).toBe(await readFile(join(ROOT, `src/schema/kubernetes-${name}.ts`), 'utf8'))
	},
)
