import { existsSync } from 'node:fs'
import * as v from 'valibot'
import { createHttpClient } from '../http/client/index.ts'
import { createStorage, type StorageStatistics } from '../registry/server/index.ts'
import { findRegistry } from './local-registry.ts'
import { readCa } from './registries.ts'
import type { Session } from './session.ts'

const statisticsSchema: v.GenericSchema<unknown, StorageStatistics> = v.object({
	repositories: v.number(),
	tags: v.number(),
	artifacts: v.number(),
	bytes: v.number(),
})

const MAX_ANSWER_BYTES = 10_000

/** What the local registry holds, asked of the running server or read from its directory; `undefined` when there is none. */
export async function registryContent(session: Session): Promise<StorageStatistics | undefined> {
	const { workspace, signal } = session
	const running = findRegistry(session)
	if (!running) {
		if (!existsSync(workspace.paths.registry)) return undefined
		const storage = createStorage(workspace.paths.registry)
		try {
			return storage.statistics()
		} finally {
			await storage.close()
		}
	}
	const http = createHttpClient({ ca: readCa(running.ca) })
	try {
		const response = await http.request({
			method: 'GET',
			url: `https://${running.endpoint.push}/statistics`,
			signal,
		})
		return v.parse(v.pipe(v.string(), v.parseJson(), statisticsSchema), await response.text(MAX_ANSWER_BYTES))
	} finally {
		http.close()
	}
}
