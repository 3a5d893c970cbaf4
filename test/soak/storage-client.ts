import { type Digest, digestOf, MediaType } from '../../src/oci/index.ts'
import type { RegistryStorage } from '../../src/registry/server/index.ts'
import type { Expectations, Key, Value } from './expectations.ts'
import { WrongAnswer } from './image.ts'
import type { Random } from './random.ts'

export interface Client {
	readonly storage: RegistryStorage
	readonly expected: Expectations
	readonly random: Random
}

const REPOSITORIES = ['app', 'other', 'third'] as const

/** When nothing is under way. */
export function checkAll({ storage, expected }: Client): void {
	for (const key of expected.keys()) expected.check(key, valueIn(storage, key))
}

function valueIn(storage: RegistryStorage, { repository, kind, name }: Key): Value {
	const digest = kind === 'tag' ? storage.resolveTag(repository, name) : (name as Digest)
	if (digest === undefined) return 'absent'
	const bytes =
		kind === 'blob'
			? (storage.openBlob(repository, digest)?.read() as Uint8Array | undefined)
			: storage.readManifest(repository, digest)
	if (bytes && digestOf(bytes) !== digest) throw new WrongAnswer(`${kind} ${name} has other content`)
	if (kind !== 'tag') return bytes ? 'present' : 'absent'
	if (!bytes) throw new WrongAnswer(`tag ${name} names nothing`)
	return digest
}

/** Some at the same time, each for something else. */
export async function requests(client: Client): Promise<void> {
	const { storage, random } = client
	const busy = new Set<string>()
	const request = async (): Promise<void> => {
		const dice = random()
		const repository = random.of(REPOSITORIES)
		const index = random.below(40)
		const isTag = dice < 0.25
		const name = isTag ? `v${index % 3}` : digestOf(contentOf(index))
		if (busy.has(`${repository} ${name}`)) return
		busy.add(`${repository} ${name}`)
		const key: Key = { repository, kind: isTag ? 'tag' : 'blob', name }
		if (dice < 0.2) await putManifest(client, key)
		else if (isTag) await deleteManifest(client, key)
		else if (dice < 0.65) await push(client, key, contentOf(index))
		else if (dice < 0.75) await mount(client, key)
		else await deleteBlob(client, key)
	}
	const under = Array.from({ length: 1 + random.below(6) }, request)
	if (random() < 0.05) under.push(storage.scrub().then(() => undefined))
	await Promise.all(under)
}

/** Most of it for the journal, over some of its pages, and some for a file of its own. */
function contentOf(index: number): Buffer {
	const sizes = [250, 1000, 2500, 4500, 18_000, 250, 1000, 2500, 4500, 40_000]
	return Buffer.alloc(sizes[index % sizes.length] ?? 0, `content ${index} `)
}

async function change<T>(
	{ expected }: Client,
	values: readonly (readonly [Key, Value])[],
	request: () => Promise<T>,
): Promise<T> {
	for (const [key, value] of values) expected.attempt(key, value)
	const answer = await request()
	for (const [key, value] of values) expected.settle(key, value)
	return answer
}

async function push(client: Client, key: Key, bytes: Buffer): Promise<void> {
	const { storage } = client
	const body = (async function* () {
		yield bytes
	})()
	const { kind } = await change(client, [[key, 'present']], () => {
		const { id } = storage.startUpload(key.repository) ?? { id: '' }
		return storage.finishUpload(key.repository, { id, digest: key.name as Digest, body })
	})
	if (kind !== 'stored') throw new WrongAnswer(`a push ends with ${kind}`)
}

async function mount({ storage, expected }: Client, key: Key): Promise<void> {
	expected.attempt(key, 'present')
	const isMounted = await storage.mountBlob(key.repository, { digest: key.name as Digest })
	expected.settle(key, isMounted ? 'present' : 'absent')
}

async function deleteBlob(client: Client, key: Key): Promise<void> {
	if (client.expected.value(key) !== 'present') return
	const remove = () => client.storage.deleteBlob(key.repository, key.name as Digest)
	await change(client, [[key, 'absent']], remove)
}

/** With a name in it, so that no other tag has it, and it can be deleted with this one. */
async function putManifest(client: Client, tag: Key): Promise<void> {
	const { repository, name } = tag
	const text = 'x'.repeat(client.random.below(25) * 260)
	const bytes = Buffer.from(JSON.stringify({ name, text }))
	const digest = digestOf(bytes)
	const manifest = { digest, mediaType: MediaType.imageManifest, size: bytes.byteLength, references: [] }
	const values = [
		[{ repository, kind: 'manifest', name: digest }, 'present'] as const,
		[tag, digest] as const,
	]
	const content = { manifest, bytes, tags: [name] }
	await change(client, values, () => client.storage.putManifest(repository, content))
}

async function deleteManifest(client: Client, tag: Key): Promise<void> {
	const { repository, name } = tag
	const digest = client.storage.resolveTag(repository, name)
	if (!digest) return
	const values = [
		[{ repository, kind: 'manifest', name: digest }, 'absent'] as const,
		[tag, 'absent'] as const,
	]
	await change(client, values, () => client.storage.deleteManifest(repository, digest))
}
