import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toJsonSchema } from '@valibot/to-json-schema'
import { expect, it } from 'vitest'
import { configSchema, registrySettingsSchema } from '../../src/config/index.ts'

const ROOT = join(import.meta.dirname, '../..')

const published = [
	['lading.yaml', configSchema, 'schema/lading.schema.json'],
	['settings of lading registry serve', registrySettingsSchema, 'schema/registry.schema.json'],
] as const

// `npx vitest run --project unit -u test/unit/config-schema.test.ts` writes them anew.
it.each(published)('the published JSON Schema is that of %s', async (title, schema, file) => {
	const json = {
		$schema: 'http://json-schema.org/draft-07/schema#',
		title,
		...toJsonSchema(schema, { errorMode: 'ignore', typeMode: 'input' }),
	}
	await expect(`${JSON.stringify(json, undefined, '\t')}\n`).toMatchFileSnapshot(join(ROOT, file))
})

it('the schema is part of the package', () => {
	const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
	expect(files).toContain('schema')
})
