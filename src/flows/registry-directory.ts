import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { RemoteError, UserError } from '../errors/index.ts'
import { createHttpClient, type HttpResponse } from '../http/client/index.ts'
import {
	type ControlDoor,
	createStorage,
	type DirectoryLock,
	findControlDoor,
	lockDirectory,
	lookInto,
	type PruneOrder,
	type PruneReport,
	recordScrub,
	rememberedImmutable,
	type ScrubReport,
} from '../registry/server/index.ts'
import { readCa } from './registries.ts'
import { readContent, type RegistryContent, registryContentSchema } from './registry-content.ts'
import type { Session } from './session.ts'

/** A registry as whoever may read its directory has it, whether a server runs on it or not. */
export interface RegistryDirectory {
	/** Whether a server runs on it. */
	readonly running: boolean
	prune(order: PruneOrder, onProgress?: OnProgress): Promise<PruneReport>
	scrub(onProgress?: OnProgress): Promise<ScrubReport>
	readonly tags: (repository: string) => Promise<readonly string[]>
}

interface ServedDirectory extends RegistryDirectory {
	content(): Promise<RegistryContent>
}

export interface RegistryDirectoryOptions {
	readonly dataDirectory: string
	/** It is only looked at: where no server runs, nothing in it changes. Default: no. */
	readonly readOnly?: boolean | undefined
	/** Told of damage that is found where no server runs. */
	readonly onWarning?: ((message: string) => void) | undefined
}

type OnProgress = (progress: { readonly done: number; readonly of: number }) => void

/** Nothing was heard of the server for so long, in milliseconds: it tells of itself each second. */
const PATIENCE_MS = 60_000

/**
 * Works on a registry: by its server where one runs, else in the directory itself, which is locked meanwhile.
 * @throws UserError `NOT_FOUND` where there is none, `FILE_UNREADABLE`, `ALREADY_RUNNING` where another command works on it
 * @throws RemoteError `CONNECTION_FAILED`, `REGISTRY_FAILED`
 */
export async function withRegistryDirectory<T>(
	{ signal }: Pick<Session, 'signal'>,
	{ dataDirectory, readOnly, onWarning }: RegistryDirectoryOptions,
	use: (directory: RegistryDirectory) => Promise<T>,
): Promise<T> {
	requireRegistry(dataDirectory)
	const found = lockOrDoor(dataDirectory)
	if ('url' in found) return await throughDoor(found, { dataDirectory, signal }, use)
	try {
		const storage = createStorage(dataDirectory, { readOnly, onWarning })
		try {
			return await use({
				running: false,
				prune: (order, onProgress) =>
					storage.prune({ ...order, immutable: rememberedImmutable(dataDirectory), signal, onProgress }),
				async scrub(onProgress) {
					const report = await storage.scrub({ signal, onProgress })
					recordScrub(dataDirectory, Date.now())
					return report
				},
				tags: (repository) => Promise.resolve(storage.listTags(repository, { limit: Infinity })?.tags ?? []),
			})
		} finally {
			await storage.close()
		}
	} finally {
		found.release()
	}
}

/** @throws UserError `NOT_FOUND`, `FILE_UNREADABLE` */
function requireRegistry(dataDirectory: string): void {
	const path = join(dataDirectory, 'journal')
	const found = lookInto(dataDirectory, () => statSync(path, { throwIfNoEntry: false }))
	// To open a pipe would wait for whoever writes into it.
	if (found?.isFile() === true) return
	const what = found ? `${path} is not one of a registry` : `there is no registry in ${dataDirectory}`
	throw new UserError('NOT_FOUND', what, {
		hint: 'Name its directory with --data DIR, the one that registry serve has.',
	})
}

/** A registry by its directory. */
export interface RegistryDirectoryStatus {
	/** Of the server on it; absent where none runs. */
	readonly url?: string | undefined
	/** Path of the CA that the server's certificate is of; absent where it is another's, or none runs. */
	readonly ca?: string | undefined
	readonly content: RegistryContent
}

/**
 * What a registry holds: asked of its server where one runs, else read. Nothing in the directory changes.
 * @throws UserError `NOT_FOUND` where there is none, `FILE_UNREADABLE` where this user may not look
 * @throws RemoteError `CONNECTION_FAILED`, `REGISTRY_FAILED`
 */
export async function registryDirectoryStatus(
	{ signal, progress }: Pick<Session, 'signal' | 'progress'>,
	dataDirectory: string,
): Promise<RegistryDirectoryStatus> {
	requireRegistry(dataDirectory)
	const door = findControlDoor(dataDirectory)
	if (!door)
		return { content: await readContent(dataDirectory, { onWarning: (text) => progress.warn(text) }) }
	const { url } = door
	const content = await throughDoor(
		door,
		{ dataDirectory, signal },
		async (registry) => await registry.content(),
	)
	const ca = hasOwnCa(door) ? join(dataDirectory, 'ca.crt') : undefined
	return { url, ca, content }
}

function lockOrDoor(dataDirectory: string): DirectoryLock | ControlDoor {
	try {
		return lockDirectory(dataDirectory, { hint: 'Wait until that command has ended, and try again.' })
	} catch (error) {
		const isHeld = error instanceof UserError && error.code === 'ALREADY_RUNNING'
		const door = isHeld ? findControlDoor(dataDirectory) : undefined
		if (door) return door
		throw error
	}
}

function hasOwnCa({ url, ownCertificate }: ControlDoor): boolean {
	return url.startsWith('https:') && !ownCertificate
}

async function throughDoor<T>(
	door: ControlDoor,
	{ dataDirectory, signal }: { readonly dataDirectory: string; readonly signal: AbortSignal | undefined },
	use: (directory: ServedDirectory) => Promise<T>,
): Promise<T> {
	const http = createHttpClient({
		// One that a person has brought has the names that others know it by; who holds the directory is known.
		...(door.ownCertificate && { insecure: true }),
		...(hasOwnCa(door) && { ca: readCa(join(dataDirectory, 'ca.crt')) }),
		systemRoots: false,
		retry: { attempts: 1 },
		timeouts: { idle: PATIENCE_MS },
	})
	const order = async (name: string, body: string, onProgress?: OnProgress): Promise<unknown> => {
		const response = await http.request({
			method: 'POST',
			url: `${door.url}/control/${name}`,
			headers: { authorization: `Bearer ${door.secret}`, 'content-type': 'application/json' },
			body: Buffer.from(body),
			signal,
		})
		return await resultOf(response, onProgress)
	}
	try {
		// What the server of this very directory says of itself is believed: its reports have one definition.
		return await use({
			running: true,
			prune: async (body, onProgress) =>
				(await order('prune', JSON.stringify(body), onProgress)) as PruneReport,
			scrub: async (onProgress) => (await order('scrub', '{}', onProgress)) as ScrubReport,
			tags: async (repository) => v.parse(v.array(v.string()), await order('tags', repository)),
			content: async () => v.parse(registryContentSchema, await order('content', '')),
		})
	} finally {
		http.close()
	}
}

const lineSchema = v.variant('type', [
	v.object({ type: v.literal('progress'), done: v.number(), of: v.number() }),
	v.object({ type: v.literal('result'), result: v.unknown() }),
	v.object({
		type: v.literal('error'),
		message: v.string(),
		hint: v.optional(v.string()),
		code: v.optional(v.string()),
	}),
])

async function resultOf(response: HttpResponse, onProgress: OnProgress | undefined): Promise<unknown> {
	if (response.status !== 200) {
		const text = await response.text(4096).catch(() => '')
		throw new RemoteError(
			'REGISTRY_FAILED',
			`the registry refused the order (status ${response.status}): ${text}`,
			{
				hint: 'It may be of another version of lading: start it again.',
			},
		)
	}
	for await (const text of linesOf(response.body)) {
		const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), lineSchema), text)
		if (!parsed.success) break
		const line = parsed.output
		if (line.type === 'progress') onProgress?.(line)
		else if (line.type === 'result') return line.result
		else if (line.code === 'JOURNAL_DAMAGED')
			throw new UserError(line.code, line.message, { hint: line.hint })
		else throw new RemoteError('REGISTRY_FAILED', `the registry failed: ${line.message}`, { hint: line.hint })
	}
	throw new RemoteError('REGISTRY_FAILED', 'the registry ended before it was done', {
		hint: 'Run the same command again: what is done stays done.',
	})
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
	let rest: Buffer[] = []
	for await (const chunk of body) {
		let from = 0
		for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
			yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8')
			rest = []
			from = end + 1
		}
		rest.push(Buffer.from(chunk.subarray(from)))
	}
}
