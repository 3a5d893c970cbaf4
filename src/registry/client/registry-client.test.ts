import { randomBytes } from 'node:crypto'
import { assert, asyncProperty, constantFrom, dictionary } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
	bytesSource,
	type ContentSource,
	copy,
	createMemoryStore,
	createSourceStore,
	readVerified,
} from '../../content/index.ts'
import { LadingError, RemoteError } from '../../errors/index.ts'
import { createHttpClient, type HttpClient } from '../../http/client/index.ts'
import { MediaType } from '../../oci/index.ts'
import { type Fault, type FakeRegistry, startFakeRegistry } from './fake-registry.fixture.ts'
import { createRegistryClient, type Credential, type RegistryClient, type RemoteRepository } from './index.ts'

let registry: FakeRegistry
let http: HttpClient
beforeEach(async () => {
	registry = await startFakeRegistry()
	http = createHttpClient({ sleep: async () => undefined, timeouts: { headers: 500 } })
})
afterEach(() => {
	http.close()
	registry.close()
})

const ann: Credential = { kind: 'password', username: 'ann', password: 's3cret' }

function client(credential?: Credential, plainHttp = true): RegistryClient {
	return createRegistryClient({ http, keychain: { resolve: async () => credential }, plainHttp })
}

function repository(options: { chunkSize?: number } = {}): RemoteRepository {
	return client().repository(registry.host, 'team/app', options)
}

const layer = randomBytes(100_000)

function artifact(extra: object = {}): { sources: ContentSource[]; manifest: ContentSource } {
	const config = bytesSource(MediaType.empty, Buffer.from('{}'))
	const content = bytesSource(MediaType.layerTar, layer)
	const json = {
		schemaVersion: 2,
		mediaType: MediaType.imageManifest,
		config: config.descriptor,
		layers: [content.descriptor],
		...extra,
	}
	const manifest = bytesSource(MediaType.imageManifest, Buffer.from(JSON.stringify(json)))
	return { sources: [config, content, manifest], manifest }
}

async function push(destination = repository()): Promise<ContentSource> {
	const { sources, manifest } = artifact()
	await copy({ source: createSourceStore(sources), destination, root: manifest.descriptor, tags: ['v1'] })
	return manifest
}

const answer =
	(status: number, body = '', headers: Record<string, string> = {}): Fault =>
	(_, response) => {
		response.writeHead(status, headers).end(body)
		return true
	}

describe('pushing', () => {
	it('asks for little: one question per tag and blob that is not small, two requests per upload, one for the manifest', async () => {
		await push()
		const asked = registry.log.map((line) => line.replace(/\?.*/, '').replace(/sha256:.*/, 'DIGEST'))
		expect(asked.sort((a, b) => (a < b ? -1 : 1))).toEqual([
			'HEAD /v2/team/app/blobs/DIGEST',
			'HEAD /v2/team/app/manifests/DIGEST',
			'HEAD /v2/team/app/manifests/v1',
			'POST /v2/team/app/blobs/uploads/',
			'POST /v2/team/app/blobs/uploads/',
			'PUT /v2/team/app/blobs/uploads/1',
			'PUT /v2/team/app/blobs/uploads/2',
			'PUT /v2/team/app/manifests/v1',
		])
		registry.log.length = 0
		await push()
		expect(registry.log).toEqual(['HEAD /v2/team/app/manifests/v1'])
	})

	it('sends what is small with the first request, where the registry takes it', async () => {
		const small = bytesSource(MediaType.layerTar, Buffer.from('small'))
		registry.takesWhole = true
		await repository().push(small)
		expect(registry.log).toEqual([
			`POST /v2/team/app/blobs/uploads/?digest=${encodeURIComponent(small.descriptor.digest)}`,
		])
		expect(registry.blobs.get(small.descriptor.digest)).toEqual(small.bytes)
		await repository().push(bytesSource(MediaType.layerTar, layer))
		expect(registry.log.slice(1).map((line) => line.replace(/\?.*/, ''))).toEqual([
			'POST /v2/team/app/blobs/uploads/',
			'PUT /v2/team/app/blobs/uploads/1',
		])
	})

	it.each([202, 400, 405, 411, 413, 415, 501])(
		'sends what is small once more to a registry that answers %s to the first request',
		async (status) => {
			const small = bytesSource(MediaType.layerTar, Buffer.from('small'))
			if (status !== 202) {
				registry.fault = (request, response) =>
					request.method === 'POST' && request.url?.includes('digest=') === true
						? answer(status)(request, response)
						: false
			}
			await repository().push(small)
			expect(registry.blobs.get(small.descriptor.digest)).toEqual(small.bytes)
			expect(registry.log.at(-1)).toMatch(/^PUT .*uploads/)
			expect(registry.log).toHaveLength(status === 202 ? 2 : 3)
		},
	)

	it('tells a refusal of the single request, and does not insist', async () => {
		registry.fault = answer(403, '{"errors":[{"code":"DENIED","message":"read only"}]}')
		const small = bytesSource(MediaType.layerTar, Buffer.from('small'))
		await expect(repository().push(small)).rejects.toMatchObject({
			message: expect.stringMatching(/read only/),
		})
		expect(registry.log).toHaveLength(1)
	})

	it('notices a registry that stored something else of a single request', async () => {
		registry.fault = answer(201, '', { 'docker-content-digest': `sha256:${'0'.repeat(64)}` })
		const small = bytesSource(MediaType.layerTar, Buffer.from('small'))
		await expect(repository().push(small)).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
	})

	it.each(['503', '429', 'reset', 'cut'])('survives %s once in every kind of request', async (kind) => {
		const failed = new Set<string>()
		registry.fault = (request, response) => {
			const key = `${request.method} ${(request.url ?? '').replace(/sha256.*|\d+\?.*/, '')}`
			if (failed.has(key)) return false
			failed.add(key)
			if (kind === 'reset') request.socket.resetAndDestroy()
			else if (kind === 'cut') request.socket.destroy()
			else response.writeHead(Number(kind), { 'retry-after': '1' }).end()
			return true
		}
		const manifest = await push()
		expect(failed.size).toBeGreaterThanOrEqual(6)
		const pulled = createMemoryStore()
		await copy({ source: repository(), destination: pulled, root: manifest.descriptor })
		expect(registry.manifests.get('team/app:v1')?.bytes).toEqual(manifest.bytes)
	})

	it('arrives whole or fails with an error of its own, whatever breaks', async () => {
		const methods = constantFrom('HEAD', 'POST', 'PUT', 'GET', 'PATCH')
		const faults = constantFrom('503', '500', '404', '401', 'reset', 'after', 'html')
		await assert(
			asyncProperty(dictionary(methods, faults), async (broken) => {
				registry.blobs.clear()
				registry.manifests.clear()
				const left = new Map(Object.entries(broken))
				registry.fault = (request, response) => {
					const kind = left.get(request.method ?? '')
					left.delete(request.method ?? '')
					if (kind === undefined) return false
					if (kind === 'reset') request.socket.resetAndDestroy()
					else if (kind === 'after') {
						// Taken, and then no answer.
						request.on('data', () => request.socket.resetAndDestroy())
						request.resume().once('end', () => request.socket.resetAndDestroy())
					} else if (kind === 'html') response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')
					else response.writeHead(Number(kind)).end()
					return true
				}
				const failure: unknown = await push().then(
					() => undefined,
					(error: unknown) => error,
				)
				expect(failure === undefined || failure instanceof LadingError).toBe(true)
				const tagged = registry.manifests.has('team/app:v1')
				// Nothing half-written has a tag, unless the registry lied about what it has.
				const lied = Object.values(broken).includes('html')
				expect(tagged && !lied ? registry.blobs.size : 2).toBe(2)
			}),
			{ numRuns: 60 },
		)
	})

	it('goes on where the registry says a broken upload stands', async () => {
		let broken = 0
		registry.fault = (request) => {
			if (request.method !== 'PATCH' || broken++ !== 1) return false
			request.socket.resetAndDestroy()
			return true
		}
		const destination = repository({ chunkSize: 30_000 })
		const source = bytesSource(MediaType.layerTar, layer)
		await destination.push(source)
		expect(registry.blobs.get(source.descriptor.digest)).toEqual(layer)
		const patches = registry.requests.filter(({ method }) => method === 'PATCH')
		expect(patches.map(({ headers }) => headers['content-range'])).toEqual([
			'0-29999',
			'30000-59999',
			'30000-59999',
			'60000-89999',
			'90000-99999',
		])
		expect(registry.log.filter((line) => line.startsWith('POST'))).toHaveLength(1)
	})

	it('starts over when the session is gone', async () => {
		let broken = 0
		registry.fault = (request, response) => {
			if (request.method === 'PATCH' && broken++ === 1) request.socket.resetAndDestroy()
			else if (request.method === 'GET') response.writeHead(404).end()
			else return false
			return true
		}
		const source = bytesSource(MediaType.layerTar, layer)
		await repository({ chunkSize: 30_000 }).push(source)
		expect(registry.blobs.get(source.descriptor.digest)).toEqual(layer)
	})

	describe('ahead of its digest', () => {
		// More than what is sent anew sooner than resumed.
		const content = randomBytes(1_200_000)
		const source = bytesSource(MediaType.layerTar, content)
		const { digest } = source.descriptor
		const uploads = (): string[] =>
			registry.log.filter((line) => line.includes('/uploads/')).map((line) => line.split(' ')[0] ?? '')

		async function* other(): AsyncGenerator<Uint8Array, void, undefined> {
			yield Buffer.alloc(content.byteLength)
		}

		/** Sends `open` ahead, and pushes the layer. */
		async function pushAhead(open: () => AsyncIterable<Uint8Array> = () => source.open()): Promise<void> {
			const destination = repository()
			const ahead = destination.sendAhead?.({ size: content.byteLength, open })
			ahead?.name(digest)
			await destination.push(source)
			await ahead?.cancel()
		}

		it('sends content once, and says at the end what it is', async () => {
			await pushAhead()
			expect(uploads()).toEqual(['POST', 'PATCH', 'PUT'])
			expect(registry.blobs.get(digest)).toEqual(content)
		})

		it('is not done in pieces', () => {
			expect(repository({ chunkSize: 30_000 })).not.toHaveProperty('sendAhead')
		})

		it.each([404, 405, 411, 413, 501])('sends it as ever where a registry answers %i', async (status) => {
			registry.fault = (request, response) => request.method === 'PATCH' && answer(status)(request, response)
			await pushAhead()
			await expect.poll(() => uploads().toSorted()).toEqual(['DELETE', 'PATCH', 'POST', 'POST', 'PUT'])
			expect(registry.blobs.get(digest)).toEqual(content)
		})

		it('tells a refusal once, in the words that a push has for it', async () => {
			registry.fault = (request, response) => request.method === 'POST' && answer(403)(request, response)
			await expect(pushAhead()).rejects.toMatchObject({
				code: 'FORBIDDEN',
				wire: { method: 'POST', status: 403 },
			})
		})

		it('sends it as ever where the registry found something else', async () => {
			await pushAhead(other)
			expect(uploads()).toEqual(['POST', 'PATCH', 'PUT', 'POST', 'PUT'])
			expect([...registry.blobs.keys()]).toEqual([digest])
		})

		it('goes on in the same session where the registry could not just then', async () => {
			registry.fault = (request, response) => {
				if (request.method !== 'PATCH') return false
				registry.fault = () => false
				return answer(503)(request, response)
			}
			await pushAhead()
			// Nothing had come.
			expect(uploads()).toEqual(['POST', 'PATCH', 'GET', 'POST', 'PUT'])
			expect(registry.blobs.get(digest)).toEqual(content)
		})

		it('does not take a registry that says nothing of how much came for one that has nothing', async () => {
			registry.fault = (request, response) => {
				if (request.method !== 'PATCH') return false
				registry.fault = () => false
				const writeHead = response.writeHead.bind(response) as (status: number, headers: object) => object
				Object.assign(response, {
					writeHead: (status: number, headers: object) => writeHead(status, { ...headers, range: '0-0' }),
				})
				return false
			}
			await pushAhead()
			expect(uploads()).toEqual(['POST', 'PATCH', 'GET', 'PUT'])
			expect(registry.blobs.get(digest)).toEqual(content)
		})

		it('does not wait long for a registry that does not forget', async () => {
			registry.fault = ({ method }) => method === 'PATCH' || method === 'DELETE'
			const ahead = repository().sendAhead?.({ size: content.byteLength, open: () => source.open() })
			await expect.poll(uploads).toEqual(['POST', 'PATCH'])
			// Its own patience is half a second here, and a minute elsewhere.
			const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
			try {
				await ahead?.cancel()
				expect(timeout).toHaveBeenCalledWith(2000)
			} finally {
				timeout.mockRestore()
			}
			expect(uploads()).toEqual(['POST', 'PATCH'])
		})

		it('ends what nobody wants, and has the registry forget it', async () => {
			let cut = false
			const seen = new Promise<void>((resolve) => {
				registry.fault = (request) => {
					if (request.method !== 'PATCH') return false
					request.resume().once('close', () => (cut = !request.complete))
					resolve()
					return true
				}
			})
			async function* slow(): AsyncGenerator<Uint8Array, void, undefined> {
				yield content.subarray(0, 50_000)
				await new Promise(() => undefined)
			}
			const ahead = repository().sendAhead?.({ size: content.byteLength, open: slow })
			await seen
			await ahead?.cancel()
			await expect.poll(() => cut).toBe(true)
			expect(uploads()).toEqual(['POST', 'PATCH', 'DELETE'])
			expect(registry.blobs.size).toBe(0)
		})

		it('ends by the signal, and asks nothing more', async () => {
			const stop = new AbortController()
			registry.fault = ({ method }) => {
				if (method !== 'PATCH') return false
				stop.abort()
				return true
			}
			const destination = repository()
			const ahead = destination.sendAhead?.(
				{ size: content.byteLength, open: () => source.open() },
				{ signal: stop.signal },
			)
			ahead?.name(digest)
			await expect(destination.push(source, { signal: stop.signal })).rejects.toMatchObject({
				name: 'AbortError',
			})
			await ahead?.cancel()
			expect(uploads()).toEqual(['POST', 'PATCH'])
		})
	})

	it('does not finish an upload of content that is not what it should be', async () => {
		const { descriptor } = bytesSource(MediaType.layerTar, layer)
		async function* open(): AsyncGenerator<Uint8Array, void, undefined> {
			yield layer.subarray(0, 50_000)
			yield Buffer.alloc(50_000)
		}
		await expect(repository().push({ descriptor, open })).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
		expect(registry.blobs.size).toBe(0)
	})

	it('shows the words of a registry that does not let a tag move', async () => {
		registry.fault = (request, response) =>
			request.method === 'PUT' && request.url?.includes('manifests') === true
				? answer(412, '{"errors":[{"code":"PRECONDITION","message":"tag v1 is immutable\\u001b[31m"}]}')(
						request,
						response,
					)
				: false
		await expect(push()).rejects.toMatchObject({
			code: 'TAG_EXISTS',
			message: expect.stringMatching(/tag v1 is immutable \[31m \(status 412\)$/),
			wire: { status: 412, errors: [{ code: 'PRECONDITION' }] },
		})
	})

	it('notices a registry that stored something else', async () => {
		registry.fault = (request, response) => {
			if (request.method !== 'PUT') return false
			return answer(201, '', { 'docker-content-digest': `sha256:${'0'.repeat(64)}` })(request, response)
		}
		await expect(push()).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
	})

	it('uses the session of a mount that was not possible', async () => {
		const source = bytesSource(MediaType.layerTar, layer)
		const destination = repository()
		expect(await destination.mount(source.descriptor, 'team/other')).toBe(false)
		await destination.push(source)
		expect(registry.log.filter((line) => line.startsWith('POST'))).toHaveLength(1)
		expect(await destination.mount(source.descriptor, 'team/other')).toBe(true)
	})

	it('keeps the index of referrers for a registry that does not, and not for one that does', async () => {
		const subject = artifact().manifest.descriptor
		const { manifest } = artifact({ subject, artifactType: 'application/vnd.example.sig' })
		const destination = repository()
		await destination.push(manifest)
		expect((await destination.referrers(subject)).map(({ digest }) => digest)).toEqual([
			manifest.descriptor.digest,
		])
		registry.manifests.clear()
		registry.referrers = true
		await destination.push(manifest)
		expect([...registry.manifests.keys()]).toEqual([`team/app:${manifest.descriptor.digest}`])
	})
})

describe('referrers', () => {
	const subject = artifact().manifest.descriptor
	const page = (next: (page: number) => number): Fault => {
		const type = { 'content-type': MediaType.imageIndex }
		return (request, response) => {
			const at = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 0)
			const link = { link: `</v2/team/app/referrers/${subject.digest}?page=${next(at)}>; rel="next"` }
			return answer(200, '{"manifests":[]}', { ...type, ...link })(request, response)
		}
	}

	it('are all of them, or an error: a part must not pass for the whole', async () => {
		registry.fault = page((at) => at + 1)
		await expect(repository().referrers(subject)).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
		expect(registry.log.length).toBeLessThan(200)
	})

	it('end where a page leads back to itself', async () => {
		registry.fault = page(() => 1)
		expect(await repository().referrers(subject)).toEqual([])
	})
})

describe('pulling', () => {
	it('goes on where a download broke off', async () => {
		const manifest = await push()
		let cuts = 0
		registry.fault = (request, response) => {
			if (request.method !== 'GET' || request.url?.includes('blobs') !== true) return false
			const [, from = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? []
			const blob = registry.blobs.get(request.url.split('/').at(-1) ?? '')
			if (!blob || blob.length < 1000) return false
			const start = Number(from)
			const range = { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }
			const headers = { 'content-length': blob.length - start, ...(start > 0 && range) }
			response.writeHead(start > 0 ? 206 : 200, headers)
			if (cuts++ < 2) response.write(blob.subarray(start, start + 20_000), () => response.destroy())
			else response.end(blob.subarray(start))
			return true
		}
		const pulled = createMemoryStore()
		await copy({ source: repository(), destination: pulled, root: manifest.descriptor })
		const descriptor = bytesSource(MediaType.layerTar, layer).descriptor
		expect(await readVerified(pulled, descriptor)).toEqual(layer)
		expect(cuts).toBe(3)
	})

	it('asks on when less came than should, though the answer looked whole', async () => {
		const { descriptor } = await push()
		const asked: (string | undefined)[] = []
		registry.fault = (request, response) => {
			if (request.method !== 'GET' || request.url?.includes('/blobs/') !== true) return false
			const blob = registry.blobs.get(request.url.split('/').at(-1) ?? '')
			if (!blob || blob.byteLength < 1000) return false
			asked.push(request.headers.range)
			const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
			const end = Math.min(start + 40_000, blob.byteLength)
			const range = { 'content-range': `bytes ${start}-${end - 1}/${blob.byteLength}` }
			response.writeHead(start === 0 ? 200 : 206, { ...range, 'content-length': end - start })
			response.end(blob.subarray(start, end))
			return true
		}
		await copy({ source: repository(), destination: createMemoryStore(), root: descriptor })
		expect(asked).toEqual([undefined, 'bytes=40000-', 'bytes=80000-'])
	})

	it('finds that a tag has been deleted when the answer was lost', async () => {
		await push()
		let lost = false
		registry.fault = (request) => {
			if (request.method !== 'DELETE' || lost) return false
			lost = true
			registry.manifests.delete('team/app:v1')
			request.socket.resetAndDestroy()
			return true
		}
		expect(await repository().delete('v1')).toBe(true)
		expect(await repository().delete('v1')).toBe(false)
	})

	it('takes a tag that may not move for set when it names what it shall', async () => {
		let lost = false
		registry.fault = (request, response) => {
			if (request.method !== 'PUT' || request.url?.includes('/manifests/v1') !== true) return false
			if (lost) {
				response.writeHead(409).end()
				return true
			}
			lost = true
			// It is stored, and nobody hears of it.
			Object.assign(response, { writeHead: () => response, end: () => request.socket.resetAndDestroy() })
			return false
		}
		const { descriptor } = await push()
		expect((await repository().resolve('v1'))?.digest).toBe(descriptor.digest)
	})

	it('says on which side corrupt content was found', async () => {
		const manifest = await push()
		const { digest } = bytesSource(MediaType.layerTar, layer).descriptor
		registry.blobs.set(digest, randomBytes(layer.length))
		const copying = copy({
			source: repository(),
			destination: createMemoryStore(),
			root: manifest.descriptor,
		})
		await expect(copying).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
		registry.blobs.delete(digest)
		const missing = copy({
			source: repository(),
			destination: createMemoryStore(),
			root: manifest.descriptor,
		})
		await expect(missing).rejects.toMatchObject({
			code: 'NOT_FOUND',
			details: ['while working on the source'],
		})
	})

	it('resolves with GET where HEAD tells no digest', async () => {
		const manifest = await push()
		const plain: Fault = (request, response) => {
			if (request.method !== 'HEAD') return false
			return answer(405)(request, response)
		}
		registry.fault = plain
		expect(await repository().resolve('v1')).toEqual(manifest.descriptor)
		expect(await repository().resolve('v2')).toBeUndefined()
	})

	it('does not take a web page for a registry', async () => {
		registry.fault = answer(200, '<html>', { 'content-type': 'text/html' })
		await expect(repository().resolve('v1')).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
		await expect(repository().tags()).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
		await expect(client().ping(registry.host)).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
	})

	it('does not read a manifest without end', async () => {
		registry.fault = (request, response) => {
			if (request.method === 'HEAD') return answer(405)(request, response)
			response.writeHead(200, { 'content-type': MediaType.imageManifest })
			const more = (): void => {
				while (!response.destroyed && response.write(Buffer.alloc(65_536)));
			}
			response.on('drain', more)
			more()
			return true
		}
		await expect(repository().resolve('v1')).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
	})

	it('reads tags page by page, and leaves out what is no tag', async () => {
		registry.fault = (request, response) => {
			const last = new URL(request.url ?? '', 'http://x').searchParams.get('last')
			const page = last === null ? ['b', 'a'] : ['c', '../x', 'a']
			const link = { link: '</v2/team/app/tags/list?n=2&last=b>; rel="next"' }
			return answer(200, JSON.stringify({ tags: page }), last === null ? link : {})(request, response)
		}
		expect(await repository().tags()).toEqual(['a', 'b', 'c'])
	})

	it('reads a page of very many', async () => {
		const tags = Array.from({ length: 200_000 }, (_, index) => `t${index}`)
		registry.fault = answer(200, JSON.stringify({ tags }))
		expect(await repository().tags()).toHaveLength(200_000)
	})

	it('does not list tags without end', async () => {
		registry.fault = (request, response) => {
			const last = Number(new URL(request.url ?? '', 'http://x').searchParams.get('last') ?? 0)
			const tags = Array.from({ length: 50_000 }, (_, index) => `t${last + index}`)
			const link = { link: `</v2/team/app/tags/list?last=${last + tags.length}>; rel="next"` }
			return answer(200, JSON.stringify({ tags }), link)(request, response)
		}
		await expect(repository().tags()).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
		expect(registry.log.length).toBeLessThan(20)
	})

	it('keeps of a refusal what can be written down again', async () => {
		const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
		const errors = `[{"code":"DENIED","message":"\\u001b[2Jno","detail":${deep}},{"code":"DENIED","detail":{"a":1}}]`
		registry.fault = answer(403, `{"errors":${errors}}`)
		const error: unknown = await repository()
			.resolve('v1')
			.catch((caught: unknown) => caught)
		expect(error).toMatchObject({ code: 'FORBIDDEN' })
		const wire = error instanceof RemoteError ? error.wire : undefined
		expect(JSON.stringify(wire?.errors)).toBe(
			'[{"code":"DENIED","message":"[2Jno"},{"code":"DENIED","message":"","detail":{"a":1}}]',
		)
	})

	it('asks for nothing but tags and digests', async () => {
		await expect(repository().resolve('../../x')).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
		expect(registry.log).toEqual([])
	})
})

describe('authentication', () => {
	const basic = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`

	/** A token service beside the registry; `valid` decides which tokens the registry takes. */
	async function tokens(): Promise<{ issued: string[]; service: FakeRegistry; revoke: () => void }> {
		const service = await startFakeRegistry()
		const issued: string[] = []
		let valid = ''
		service.fault = (request, response) => {
			if (request.method === 'GET' && request.headers.authorization !== basic)
				return answer(401)(request, response)
			valid = `token-${issued.push(valid) + 1}`
			return answer(200, JSON.stringify({ token: valid, expires_in: 300 }))(request, response)
		}
		registry.fault = (request, response) => {
			if (request.headers.authorization === `Bearer ${valid}` && valid !== '') return false
			const challenge = `Bearer realm="http://${service.host}/token?x=1",service="reg,istry"`
			return answer(401, '', { 'www-authenticate': challenge })(request, response)
		}
		return { issued, service, revoke: () => (valid = '') }
	}

	it('is not tried where nobody asks', async () => {
		await push(client(ann).repository(registry.host, 'team/app'))
		expect(registry.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true)
	})

	it('speaks Basic, and does not insist', async () => {
		registry.fault = (request, response) =>
			request.headers.authorization === basic
				? false
				: answer(401, '', { 'www-authenticate': 'Basic realm="x"' })(request, response)
		await push(client(ann).repository(registry.host, 'team/app'))
		expect(registry.log.filter((line) => line.startsWith('HEAD /v2/team/app/manifests/v1'))).toHaveLength(2)
		registry.log.length = 0
		const wrong = client({ ...ann, password: 'wrong' })
		const failure = await wrong.ping(registry.host).catch((error: unknown) => error)
		expect(failure).toMatchObject({ code: 'UNAUTHENTICATED', hint: expect.stringContaining('lading login') })
		expect(JSON.stringify(failure)).not.toContain('wrong')
		expect(registry.log).toHaveLength(2)
	})

	it('fetches one token for a whole push', async () => {
		const { issued, service } = await tokens()
		await push(client(ann).repository(registry.host, 'team/app', { writes: true }))
		expect(issued).toHaveLength(1)
		const query = new URL(service.requests[0]?.url ?? '', 'http://x').searchParams
		expect(Object.fromEntries(query)).toEqual({
			x: '1',
			service: 'reg,istry',
			scope: 'repository:team/app:pull,push',
			account: 'ann',
		})
		service.close()
	})

	it('fetches a new token when one ends on the way', async () => {
		const { issued, service, revoke } = await tokens()
		const destination = client(ann).repository(registry.host, 'team/app')
		await destination.push(bytesSource(MediaType.layerTar, layer))
		revoke()
		await push(destination)
		expect(issued).toHaveLength(2)
		service.close()
	})

	describe('with tokens that end as soon as they are used', () => {
		const ended = new Set(['Bearer token-2', 'Bearer token-3'])

		async function endingTokens(): Promise<Awaited<ReturnType<typeof tokens>>> {
			const made = await tokens()
			const { fault } = registry
			registry.fault = (request, response) => {
				if (!ended.has(request.headers.authorization ?? '')) return fault(request, response)
				const challenge = `Bearer realm="http://${made.service.host}/token?x=1",service="reg,istry"`
				return answer(401, '', { 'www-authenticate': challenge })(request, response)
			}
			return made
		}

		it('does not insist alone', async () => {
			const { issued, service } = await endingTokens()
			const resolved = client(ann).repository(registry.host, 'team/app').resolve('v1')
			await expect(resolved).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
			expect(issued).toHaveLength(2)
			service.close()
		})

		it('goes on where that happens to several requests at once', async () => {
			await push()
			const { service } = await endingTokens()
			const destination = client(ann).repository(registry.host, 'team/app')
			const resolved = await Promise.all(['v1', 'v1'].map(async (tag) => await destination.resolve(tag)))
			expect(resolved.every((descriptor) => descriptor !== undefined)).toBe(true)
			service.close()
		})
	})

	it('exchanges an identity token', async () => {
		const { service } = await tokens()
		const bodies: string[] = []
		const fault = service.fault
		service.fault = (request, response) => {
			request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()))
			return fault(request, response)
		}
		await client({ kind: 'identity-token', token: 'refresh' })
			.repository(registry.host, 'team/app')
			.resolve('v1')
		expect(bodies.join('')).toContain('grant_type=refresh_token')
		expect(bodies.join('')).toContain('refresh_token=refresh')
		service.close()
	})

	it('says what is wrong when the token service refuses', async () => {
		const { service } = await tokens()
		await expect(client().repository(registry.host, 'team/app').resolve('v1')).rejects.toMatchObject({
			code: 'UNAUTHENTICATED',
			hint: expect.stringContaining('Sign in first'),
		})
		service.close()
	})

	it('sends no credential to a realm without TLS', async () => {
		const challenge = 'Bearer realm="http://evil.test/token"'
		registry.fault = answer(401, '', { 'www-authenticate': challenge })
		const asked: string[] = []
		const spy = createRegistryClient({
			http: {
				...http,
				request: async (request) => {
					asked.push(request.url)
					const plain = request.url.replace('https:', 'http:')
					return { ...(await http.request({ ...request, url: plain })), url: request.url }
				},
			},
			keychain: { resolve: async () => ann },
		})
		await expect(spy.repository(registry.host, 'a').resolve('v1')).rejects.toMatchObject({
			code: 'TLS_PROTOCOL',
		})
		expect(asked).toHaveLength(1)
	})

	it('stays behind when a blob is served by another host', async () => {
		const other = await startFakeRegistry()
		const blob = bytesSource(MediaType.layerTar, layer)
		other.fault = (_, response) => {
			response.writeHead(200, { 'content-length': layer.length }).end(layer)
			return true
		}
		registry.fault = (request, response) => {
			if (request.headers.authorization !== basic)
				return answer(401, '', { 'www-authenticate': 'Basic realm="x"' })(request, response)
			return answer(307, '', { location: `http://${other.host}/blob?sig=1` })(request, response)
		}
		const stream = await client(ann).repository(registry.host, 'team/app').fetch(blob.descriptor)
		let size = 0
		for await (const chunk of stream ?? []) size += chunk.byteLength
		expect(size).toBe(layer.length)
		expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
		other.close()
	})

	it('stays behind when an upload is sent to another host', async () => {
		const other = await startFakeRegistry()
		other.fault = answer(201)
		registry.fault = (request, response) => {
			if (request.headers.authorization !== basic)
				return answer(401, '', { 'www-authenticate': 'Basic realm="x"' })(request, response)
			return answer(202, '', { location: `http://${other.host}/upload?sig=1` })(request, response)
		}
		await client(ann).repository(registry.host, 'team/app').push(bytesSource(MediaType.layerTar, layer))
		expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
		other.close()
	})
})
