import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chosenCluster, isLocalCluster } from './chosen-cluster.ts'
import { silentProgress } from './progress.ts'
import type { Session } from './session.ts'
import { type ClusterState, readState } from './state.ts'
import { openWorkspace } from './workspace.ts'

describe('the chosen cluster', () => {
	let root: string
	beforeEach(() => {
		root = mkdtempSync(join(tmpdir(), 'lading-chosen-'))
	})
	afterEach(() => rmSync(root, { recursive: true }))

	function sessionWith(cluster?: ClusterState): Session {
		const workspace = openWorkspace(root)
		if (cluster) workspace.update((state) => ({ ...state, cluster }))
		return { workspace, env: {}, progress: silentProgress }
	}
	const kind: ClusterState = {
		kind: 'kind',
		name: 'shop',
		ours: true,
		created: true,
		network: 'kind',
		argocd: { version: '3.6.1', digest: 'abc' },
	}

	it('is the one that this project has, unless another is named', () => {
		expect(chosenCluster(sessionWith(), {})).toBeUndefined()
		expect(chosenCluster(sessionWith(), { cluster: 'kind' })).toBe('kind:lading')
		const session = sessionWith(kind)
		expect(chosenCluster(session, {})).toBe('kind:shop')
		expect(chosenCluster(session, { cluster: 'kind' })).toBe('kind:shop')
		expect(chosenCluster(session, { cluster: 'kind:other' })).toBe('kind:other')
		expect(chosenCluster(session, { cluster: 'context:prod' })).toBe('context:prod')
		expect(isLocalCluster(session, 'kind:shop')).toBe(true)
		expect(isLocalCluster(session, 'sandbox')).toBe(false)
		expect(readState(join(root, '.lading')).cluster).toEqual(kind)
	})

	it.each(['kid', 'kind:', 'kind:Shop', 'kind:a b', 'context:', ''])('refuses %j', (cluster) => {
		expect(() => chosenCluster(sessionWith(), { cluster })).toThrow(
			expect.objectContaining({ code: 'USAGE' }),
		)
	})
})
