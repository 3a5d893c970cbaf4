import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
	type DeployedApplication,
	emptyState,
	readState,
	type State,
	withApplication,
	withoutApplication,
	writeState,
} from './state.ts'

let directory = ''
const path = (): string => join(directory, 'state.json')

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const shop: DeployedApplication = {
	name: 'shop',
	namespace: 'argocd',
	cluster: 'sandbox',
	repository: 'localhost:5000/shop',
	revision: 'v1.0.0',
	setBy: 'up',
}
const full: State = {
	version: 1,
	registry: { kind: 'embedded', endpoint: { push: 'localhost:5000', cluster: 'kind-registry:5000' } },
	cluster: { kind: 'sandbox', port: 6443 },
	applications: [shop],
}

describe('the state file', () => {
	it('comes back as it was written, for its owner only', () => {
		writeState(directory, full)
		expect(readState(directory)).toEqual(full)
		expect(statSync(path()).mode & 0o777).toBe(0o600)
		expect(readdirSync(directory)).toEqual(['state.json'])
	})

	it('is empty where there is none', () => {
		expect(readState(join(directory, 'nowhere'))).toEqual(emptyState)
	})

	it('goes away when nothing is left in it', () => {
		writeState(directory, full)
		writeState(directory, emptyState)
		expect(readdirSync(directory)).toEqual([])
	})

	it.each(['', '{', '[]', 'null', '{"version":2,"applications":[]}', '{"version":1}', '\0\0\0'])(
		'is refused when it is %j, and not overwritten',
		(text) => {
			writeFileSync(path(), text)
			expect(() => readState(directory)).toThrow(
				expect.objectContaining({ code: 'STATE_INVALID', hint: expect.stringContaining('down --force') }),
			)
			expect(readFileSync(path(), 'utf8')).toBe(text)
		},
	)
})

describe('the applications in it', () => {
	it('are replaced by name, namespace and cluster', () => {
		const moved = { ...shop, revision: 'v2.0.0' }
		const elsewhere = { ...shop, cluster: 'context:prod' }
		const state = withApplication(withApplication(full, elsewhere), moved)
		expect(state.applications).toEqual([elsewhere, moved])
	})

	it('are removed without touching those of the same name elsewhere', () => {
		const elsewhere = { ...shop, cluster: 'context:prod' }
		const state = withoutApplication(withApplication(full, elsewhere), shop)
		expect(state.applications).toEqual([elsewhere])
		expect(state.registry).toEqual(full.registry)
	})
})
