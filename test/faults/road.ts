import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { buildArtifact, packLayer, unpack } from '../../src/artifact/index.ts'
import {
	copy,
	createMemoryStore,
	createSourceStore,
	readVerified,
	verified,
} from '../../src/content/index.ts'
import { LadingError, UserError } from '../../src/errors/index.ts'
import { createHttpClient, type HttpClient, type RetryEvent } from '../../src/http/client/index.ts'
import { readManifestSet } from '../../src/manifests/index.ts'
import { parseManifest } from '../../src/oci/index.ts'
import { createRegistryClient, type RemoteRepository } from '../../src/registry/client/index.ts'

export interface PackedDirectory {
	readonly directory: string
	readonly sources: ReturnType<typeof buildArtifact>
}

/** A directory with a small file and one of `bytes` that does not compress, packed. */
export async function packDirectory(directory: string, bytes: number): Promise<PackedDirectory> {
	mkdirSync(directory, { recursive: true })
	writeFileSync(join(directory, 'map.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\n')
	writeFileSync(join(directory, 'data.bin'), randomBytes(bytes))
	return { directory, sources: buildArtifact(await packLayer(await readManifestSet(directory))) }
}

export interface Visit {
	readonly http: HttpClient
	readonly repository: RemoteRepository
	readonly said: RetryEvent[]
}

export interface VisitOptions {
	readonly chunkSize?: number
	/** Milliseconds until a silent registry is given up. Default: more than a busy machine needs for an answer. */
	readonly patience?: number
}

/** A client that waits only by the clock that it is given. */
export function visit(
	host: string,
	name: string,
	{ patience = 20_000, ...options }: VisitOptions = {},
): Visit {
	const said: RetryEvent[] = []
	let clock = Date.now()
	const http = createHttpClient({
		sleep: async (milliseconds) => void (clock += milliseconds),
		random: () => 0.5,
		now: () => clock,
		timeouts: { headers: patience, idle: patience },
		onRetry: (event) => said.push(event),
	})
	const keychain = { resolve: async () => undefined }
	const client = createRegistryClient({ http, keychain, plainHttp: true })
	return { http, said, repository: client.repository(host, name, { writes: true, ...options }) }
}

/** `isAhead`: the layer is sent before the registry is asked whether it is there. */
export async function pushTo(
	{ repository }: Visit,
	{ sources }: PackedDirectory,
	tags: readonly string[] = ['v1'],
	{ isAhead = false }: { readonly isAhead?: boolean } = {},
): Promise<void> {
	const { layer, config, manifest } = sources
	const { size, digest } = layer.descriptor
	const ahead = isAhead ? repository.sendAhead?.({ size, open: (options) => layer.open(options) }) : undefined
	ahead?.name(digest)
	try {
		await copy({
			source: createSourceStore([layer, config, manifest]),
			destination: repository,
			root: manifest.descriptor,
			tags,
		})
	} finally {
		await ahead?.cancel()
	}
}

/** Pulls a tag into a directory. */
export async function pullFrom({ repository }: Visit, tag: string, directory: string): Promise<void> {
	const descriptor = await repository.resolve(tag)
	if (!descriptor) throw new UserError('NOT_FOUND', `${tag} is not there`)
	const bytes = await readVerified(repository, descriptor)
	const parsed = bytes && parseManifest(bytes, descriptor.mediaType)
	const layer = parsed?.kind === 'image' ? parsed.manifest.layers[0] : undefined
	const content = layer && (await repository.fetch(layer))
	if (!content) throw new UserError('NOT_FOUND', 'the registry has no layer')
	await unpack(verified(layer, content), directory, { mediaType: layer.mediaType })
}

/** A directory that was pulled is the one that was packed, or is not there. */
export function expectWhole(pulled: string, { directory }: PackedDirectory): void {
	for (const name of ['map.yaml', 'data.bin'])
		expect(readFileSync(join(pulled, name)).equals(readFileSync(join(directory, name)))).toBe(true)
}

/** What a tag names at the registry itself is there whole, all the way down. */
export async function expectTagWholeOrAbsent(direct: Visit, tag: string): Promise<boolean> {
	const descriptor = await direct.repository.resolve(tag)
	if (!descriptor) return false
	await copy({ source: direct.repository, destination: createMemoryStore(), root: descriptor })
	return true
}

/** Settles a step that may fail, in a way that a user can be told. */
export async function failureOf(step: Promise<unknown>): Promise<LadingError | undefined> {
	try {
		await step
		return undefined
	} catch (error) {
		if (error instanceof LadingError) return error
		throw error
	}
}
