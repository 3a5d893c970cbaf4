import { expect, it } from 'vitest'
import { byVersion } from './tags.ts'

it('orders versions newest first, then the other tags by name', () => {
	const tags = [
		'latest',
		'v1.2.0',
		'v1.10.0',
		'1.9.9',
		'v2.0.0-rc.1',
		'v2.0.0',
		'v2.0.0-rc.10',
		'v2.0.0-beta',
		'main',
		'v2.0.0-rc.2',
	]
	expect([...tags].sort(byVersion)).toEqual([
		'v2.0.0',
		'v2.0.0-rc.10',
		'v2.0.0-rc.2',
		'v2.0.0-rc.1',
		'v2.0.0-beta',
		'v1.10.0',
		'1.9.9',
		'v1.2.0',
		'latest',
		'main',
	])
})
