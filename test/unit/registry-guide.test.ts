import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readRegistrySettings } from '../../src/config/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'lading-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const guide = readFileSync(join(import.meta.dirname, '../../docs/guide/registry.md'), 'utf8')
const settings = [...guide.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => text ?? '')

it('the settings in the guide are settings', async () => {
	expect(settings).toHaveLength(3)
	const file = join(directory, 'registry.yaml')
	for (const text of settings) {
		writeFileSync(file, text)
		await expect(readRegistrySettings(file)).resolves.not.toEqual({})
	}
})
