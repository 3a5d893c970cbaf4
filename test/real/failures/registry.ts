import {
	ensureCertificates,
	type Handler,
	listen,
	type Listener,
	type ServerRequest,
	type ServerResponse,
} from '../../../src/http/server/index.ts'
import { type Artifact, contentOf, type Stored } from '../acceptance/artifact.ts'

/** Answers in the place of the registry, or leaves it to it. */
export type Fault = (request: ServerRequest) => ServerResponse | Promise<ServerResponse> | undefined

/** A registry whose repositories misbehave, each in its own way. */
export interface FaultyRegistry {
	/** `127.0.0.1:PORT`. */
	readonly host: string
	readonly caPath: string
	/** Puts artifacts into a repository, by tag; what was there is gone. */
	put(repository: string, tags: Readonly<Record<string, Artifact>>, fault?: Fault): void
	close(): Promise<void>
}

interface Repository {
	readonly tags: ReadonlyMap<string, Stored>
	readonly manifests: ReadonlyMap<string, Stored>
	readonly blobs: ReadonlyMap<string, Stored>
	readonly fault: Fault | undefined
}

/** Serves TLS with a certificate of the authority in `pki`, issued as if it were `now`. */
export async function startFaultyRegistry(options: {
	readonly pki: string
	readonly now?: Date
}): Promise<FaultyRegistry> {
	const repositories = new Map<string, Repository>()
	const certificates = await ensureCertificates(options.pki, {
		names: ['127.0.0.1', 'localhost'],
		caName: 'CA of a faulty registry',
		...(options.now && { now: options.now }),
	})
	const listener: Listener = await listen(handlerOf(repositories), {
		// 127.0.0.2 reaches it too: a name that the certificate does not carry.
		host: '0.0.0.0',
		port: 0,
		tls: { cert: certificates.certPem, key: certificates.keyPem },
	})
	return {
		host: `127.0.0.1:${listener.port}`,
		caPath: certificates.caPath,
		put(repository, tags, fault) {
			const contents = Object.entries(tags).map(([tag, artifact]) => [tag, contentOf(artifact)] as const)
			const all = (kind: 'manifests' | 'blobs'): ReadonlyMap<string, Stored> =>
				new Map(contents.flatMap(([, content]) => content[kind].map((each) => [each.digest, each] as const)))
			repositories.set(repository, {
				tags: new Map(contents.map(([tag, { root }]) => [tag, root])),
				manifests: all('manifests'),
				blobs: all('blobs'),
				fault,
			})
		},
		close: () => listener.close(),
	}
}

const ROUTE = /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs|tags)\/(?<reference>[^/]+)$/

function handlerOf(repositories: ReadonlyMap<string, Repository>): Handler {
	return (request) => {
		const { method, path } = request
		if (path === '/v2/') return { status: 200, body: '{}' }
		const { name = '', kind, reference = '' } = ROUTE.exec(path)?.groups ?? {}
		const repository = repositories.get(name)
		if (!repository || (method !== 'GET' && method !== 'HEAD')) return NOT_FOUND
		const answer = repository.fault?.(request)
		if (answer) return answer
		if (kind === 'tags')
			return { status: 200, body: JSON.stringify({ name, tags: [...repository.tags.keys()] }) }
		if (kind === 'manifests')
			return send(repository.tags.get(reference) ?? repository.manifests.get(reference))
		const blob = repository.blobs.get(reference)
		return send(blob && { ...blob, mediaType: 'application/octet-stream' })
	}
}

const NOT_FOUND: ServerResponse = {
	status: 404,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'not here' }] }),
}

function send(stored: Stored | undefined): ServerResponse {
	if (!stored) return NOT_FOUND
	const { mediaType, digest, bytes } = stored
	return {
		status: 200,
		headers: {
			'content-type': mediaType,
			'content-length': bytes.length,
			'docker-content-digest': digest,
		},
		body: bytes,
	}
}
