import {
	type Handler,
	listen,
	ensureCertificates,
	type ServerResponse,
} from '../../../src/http/server/index.ts'
import { REGISTRY_NAMES } from '../stack/index.ts'
import { type Artifact, type Content, contentOf, type Stored } from './artifact.ts'

/** A registry that serves whatever a test gives it: what no real one would take, too. */
export interface CaseRegistry {
	/** `127.0.0.1:PORT`. */
	readonly host: string
	readonly caPath: string
	/** Puts artifacts into a repository, by tag. @returns the content of each tag */
	push(repository: string, tags: Readonly<Record<string, Artifact>>): Readonly<Record<string, Content>>
	close(): Promise<void>
}

interface Repository {
	readonly tags: ReadonlyMap<string, Stored>
	readonly manifests: ReadonlyMap<string, Stored>
	readonly blobs: ReadonlyMap<string, Stored>
}

/** Serves TLS with the certificate of the registries of the stack, whose authority is in `directory`. */
export async function startCaseRegistry(directory: string): Promise<CaseRegistry> {
	const repositories = new Map<string, Repository>()
	const { caPath, certPem, keyPem } = await ensureCertificates(directory, {
		names: REGISTRY_NAMES,
	})
	const listener = await listen(handlerOf(repositories), {
		host: '127.0.0.1',
		port: 0,
		tls: { cert: certPem, key: keyPem },
	})
	return {
		host: `127.0.0.1:${listener.port}`,
		caPath,
		push(repository, tags) {
			const contents = Object.entries(tags).map(([tag, artifact]) => [tag, contentOf(artifact)] as const)
			const byDigest = (kind: 'manifests' | 'blobs'): ReadonlyMap<string, Stored> =>
				new Map(contents.flatMap(([, content]) => content[kind].map((each) => [each.digest, each] as const)))
			repositories.set(repository, {
				tags: new Map(contents.map(([tag, { root }]) => [tag, root])),
				manifests: byDigest('manifests'),
				blobs: byDigest('blobs'),
			})
			return Object.fromEntries(contents)
		},
		close: () => listener.close(),
	}
}

const ROUTE = /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs|tags)\/(?<reference>[^/]+)$/

function handlerOf(repositories: ReadonlyMap<string, Repository>): Handler {
	return ({ method, path }) => {
		if (path === '/v2/') return { status: 200, body: '{}' }
		const { name = '', kind, reference = '' } = ROUTE.exec(path)?.groups ?? {}
		const repository = repositories.get(name)
		if (method !== 'GET' && method !== 'HEAD') return { status: 405 }
		if (!repository) return NOT_FOUND
		if (kind === 'manifests')
			return send(repository.tags.get(reference) ?? repository.manifests.get(reference))
		if (kind === 'tags')
			return { status: 200, body: JSON.stringify({ name, tags: [...repository.tags.keys()] }) }
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
