import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toJsonSchema } from '@valibot/to-json-schema'
import { expect, it } from 'vitest'
import { configSchema } from '../../src/config/index.ts'

const ROOT = join(import.meta.dirname, '../..')

// `npx vitest run --project unit -u test/unit/config-schema.test.ts` writes it anew.
it('the published JSON Schema is that of lading.yaml', async () => {
	const schema = {
		$schema: 'http://json-schema.org/draft-07/schema#',
		title: 'lading.yaml',
		...toJsonSchema(configSchema, { errorMode: 'ignore' }),
	}
	await expect(`${JSON.stringify(schema, undefined, '\t')}\n`).toMatchFileSnapshot(
		join(ROOT, 'schema/lading.schema.json'),
	)
})

it('the schema is part of the package', () => {
	const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
	expect(files).toContain('schema')
})
