import { existsSync } from 'node:fs'
import * as v from 'valibot'
import { createHttpClient } from '../http/client/index.ts'
import { createStorage, type Disk, diskOf, MAX_PUSHES } from '../registry/server/index.ts'
import { findRegistry } from './local-registry.ts'
import { connectRegistry, readCa } from './registries.ts'
import type { Session } from './session.ts'

export const registryContentSchema: v.GenericSchema<unknown, RegistryContent> = v.object({
	repositories: v.number(),
	tags: v.number(),
	artifacts: v.number(),
	bytes: v.number(),
	uploads: v.optional(v.number()),
	damage: v.optional(v.string()),
	disk: v.optional(v.object({ free: v.number(), size: v.number() })),
	pushes: v.optional(
		v.array(
			v.object({
				repository: v.string(),
				tag: v.optional(v.string()),
				digest: v.string(),
				size: v.number(),
				user: v.optional(v.string()),
				client: v.optional(v.string()),
				time: v.string(),
			}),
		),
	),
})

const MAX_ANSWER_BYTES = 100_000
const MAX_CATALOG_BYTES = 4 * 1024 * 1024

const catalogSchema = v.object({ repositories: v.optional(v.nullable(v.array(v.string()))) })

/** How much a registry holds. */
export interface RegistryContent {
	readonly repositories: number
	readonly tags: number
	readonly artifacts: number
	/** Only the embedded registry tells. */
	readonly bytes: number | undefined
	/** Begun and not ended; while the embedded registry runs. */
	readonly uploads?: number | undefined
	/** Of the file system that the content is on, in bytes. */
	readonly disk?: Disk | undefined
	/** What of its records is lost, for people; only the embedded registry tells. */
	readonly damage?: string | undefined
	/** The last ones, newest first; only the embedded registry tells. */
	readonly pushes?: readonly PushRecord[] | undefined
}

export interface PushRecord {
	readonly repository: string
	/** Absent for a push by digest alone. */
	readonly tag?: string | undefined
	readonly digest: string
	/** Of the manifest, in bytes. */
	readonly size: number
	/** Absent for whoever showed no credentials. */
	readonly user?: string | undefined
	/** Address it came from; absent for a push of before the registry was started. */
	readonly client?: string | undefined
	/** ISO 8601. */
	readonly time: string
}

/** What the local registry holds, asked of the running server or read from its directory; `undefined` when there is none. */
export async function registryContent(session: Session): Promise<RegistryContent | undefined> {
	const { workspace, signal } = session
	if (workspace.state().registry?.kind === 'docker') return await contentOfContainer(session)
	const running = findRegistry(session)
	if (!running) {
		if (!existsSync(workspace.paths.registry)) return undefined
		return await readContent(workspace.paths.registry)
	}
	const http = createHttpClient({ ca: readCa(running.ca) })
	try {
		const response = await http.request({
			method: 'GET',
			url: `https://${running.endpoint.push}/statistics`,
			signal,
		})
		return v.parse(
			v.pipe(v.string(), v.parseJson(), registryContentSchema),
			await response.text(MAX_ANSWER_BYTES),
		)
	} finally {
		http.close()
	}
}

/** What a directory holds that no server is asked for: nothing in it changes, and who has it is not disturbed. */
export async function readContent(
	dataDirectory: string,
	{ onWarning }: { readonly onWarning?: ((message: string) => void) | undefined } = {},
): Promise<RegistryContent> {
	const storage = createStorage(dataDirectory, { readOnly: true, onWarning })
	try {
		return {
			...storage.statistics(),
			disk: diskOf(dataDirectory),
			damage: storage.damage(),
			pushes: storage
				.lastPushes(MAX_PUSHES)
				.map(({ time, ...push }) => ({ ...push, time: new Date(time).toISOString() })),
		}
	} finally {
		await storage.close()
	}
}

const MAX_TAGS_ASKED = 500

/** What a registry of another make holds, as far as its API tells: no sizes. */
async function contentOfContainer(session: Session): Promise<RegistryContent> {
	const { workspace, signal } = session
	const endpoint = workspace.state().registry?.endpoint
	const http = createHttpClient({ ca: readCa(workspace.paths.ca), retry: { attempts: 1 } })
	try {
		const response = await http.request({
			method: 'GET',
			url: `https://${endpoint?.push}/v2/_catalog?n=${MAX_TAGS_ASKED}`,
			signal,
		})
		const { repositories: named } = v.parse(
			v.pipe(v.string(), v.parseJson(), catalogSchema),
			await response.text(MAX_CATALOG_BYTES),
		)
		const repositories = named ?? []
		const connection = connectRegistry(session, endpoint?.push ?? '')
		try {
			const digests = new Set<string>()
			let tags = 0
			for (const name of repositories) {
				const repository = connection.repository({ registry: endpoint?.push ?? '', repository: name })
				const listed = (await repository.tags({ signal })) ?? []
				tags += listed.length
				for (const tag of listed.slice(0, MAX_TAGS_ASKED)) {
					const found = await repository.resolve(tag, { signal })
					if (found) digests.add(`${name}@${found.digest}`)
				}
			}
			return { repositories: repositories.length, tags, artifacts: digests.size, bytes: undefined }
		} finally {
			connection.close()
		}
	} finally {
		http.close()
	}
}
