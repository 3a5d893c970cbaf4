import { expect, it, vi } from 'vitest'
import type { UnnamedContent } from '../content/index.ts'
import { type Descriptor, digestOf, MediaType } from '../oci/index.ts'
import type { RemoteRepository, UploadAhead } from '../registry/client/index.ts'
import { SendingAhead } from './sending-ahead.ts'

const bytes = Buffer.from('x')
const digest = digestOf(bytes)
const there: Descriptor = { mediaType: MediaType.imageManifest, digest, size: 1 }
const content: UnnamedContent = {
	size: 1,
	async *open() {
		yield bytes
	},
}

function parts(): { readonly sending: SendingAhead; readonly done: string[] } {
	const done: string[] = []
	const ahead: UploadAhead = {
		name: (named) => void done.push(`name ${named}`),
		cancel: () => Promise.resolve(void done.push('cancel')),
	}
	const sendAhead = (): UploadAhead => {
		done.push('send')
		return ahead
	}
	const repository = { sendAhead } as unknown as RemoteRepository
	return { done, sending: new SendingAhead(repository, undefined) }
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

it.each([
	['a tag is new', [undefined], ['send', `name ${digest}`, 'cancel']],
	['one of several is', [there, undefined], ['send', `name ${digest}`, 'cancel']],
	['all are there', [there, there], []],
])('where %s', async (_, named, expected) => {
	const { sending, done } = parts()
	sending.start(content, Promise.resolve(named))
	await settled()
	sending.name(digest)
	await sending.end()
	expect(done).toEqual(expected)
})

it('does not begin any more when the digest is known, or the push has ended', async () => {
	for (const end of ['name', 'end'] as const) {
		const { sending, done } = parts()
		let answer = vi.fn<(named: undefined[]) => void>()
		sending.start(content, new Promise((resolve) => (answer = vi.fn<(named: undefined[]) => void>(resolve))))
		if (end === 'name') sending.name(digest)
		else await sending.end()
		answer([undefined])
		await settled()
		expect(done).toEqual([])
	}
})

it('leaves it to others to tell why it is not known what the tags name', async () => {
	const { sending, done } = parts()
	sending.start(content, Promise.reject(new Error('unauthorized')))
	await settled()
	expect(done).toEqual([])
})
