import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildApplication } from '../../src/argocd/index.ts'
import { type ArgocdClient, createArgocdClient } from '../../src/argocd-api/index.ts'
import { readUnhealthyTree } from '../../src/observe/index.ts'
import { type Argocd, createServerArgocd, moveRevision, waitForSync } from '../../src/sync/index.ts'
import { type FakeArgocdServer, startFakeArgocdServer, TOKEN } from '../contract/fake-argocd-server.ts'

const DIGEST = `sha256:${'1'.repeat(64)}`
const repoURL = 'oci://registry.example.com/shop'
const ref = { name: 'shop', namespace: 'argocd' }
const built = buildApplication({
	name: 'shop',
	repoURL,
	targetRevision: 'v1',
	destination: { namespace: 'shop' },
})
const denied = (match: RegExp, message = 'permission denied') => ({ match, status: 403, code: 7, message })
const settled = {
	metadata: { annotations: { 'argocd.argoproj.io/refresh': null } },
	status: { sync: { status: 'Synced', revision: DIGEST }, health: { status: 'Healthy' } },
}

describe('Argo CD by its own API', () => {
	let server: FakeArgocdServer
	let client: ArgocdClient
	let argocd: Argocd

	beforeEach(async () => {
		server = await startFakeArgocdServer()
		client = createArgocdClient({ server: server.url, token: TOKEN, sleep: () => Promise.resolve() })
		argocd = createServerArgocd(client, { sleep: () => Promise.resolve() })
	})
	afterEach(async () => {
		await server.close()
	})

	it('waits by the stream, over one that breaks', async () => {
		await argocd.applications.apply(built)
		let told = 0
		const waited = waitForSync(argocd.applications, {
			...ref,
			digest: DIGEST,
			onChange: () => {
				if (told++ > 0) return
				server.dropStreams()
				server.change('shop', settled)
			},
		})
		expect(await waited).toMatchObject({ sync: 'Synced', health: 'Healthy', revision: DIGEST })
	})

	it('does not take the empty status of a new Application for one', async () => {
		expect((await argocd.applications.apply(built)).status?.sync).toBeUndefined()
	})

	it('keeps what others have written into an Application', async () => {
		await argocd.applications.apply(built)
		server.change('shop', {
			metadata: { labels: { team: 'blue' }, finalizers: ['theirs'] },
			spec: { ignoreDifferences: [{ kind: 'Service' }], syncPolicy: { retry: { limit: 2 } } },
		})
		await argocd.applications.apply(built)
		expect(server.applications.get('shop')).toMatchObject({
			metadata: {
				labels: { team: 'blue', 'app.kubernetes.io/managed-by': 'lading' },
				finalizers: ['theirs', ...(built.metadata.finalizers ?? [])],
			},
			spec: { ignoreDifferences: [{ kind: 'Service' }], syncPolicy: { retry: { limit: 2 }, automated: {} } },
		})
	})

	it('says that a token may not, and what would let it', async () => {
		await argocd.applications.apply(built)
		server.refuse.push(
			denied(/^PATCH/, 'permission denied: applications, update, default/shop, sub: ci, iat: x'),
		)
		await expect(moveRevision(argocd.applications, ref, { revision: 'v2' })).rejects.toMatchObject({
			code: 'FORBIDDEN',
			hint: expect.stringContaining('p, ci, applications, update, default/shop, allow'),
		})
		await expect(
			moveRevision(argocd.applications, { ...ref, name: 'other' }, { revision: 'v2' }),
		).rejects.toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('may not see') })
	})

	it('explains why Argo CD does not take a revision', async () => {
		await argocd.applications.apply(built)
		const message =
			'application spec for shop is invalid: InvalidSpecError: Unable to generate manifests in .: rpc error: code = Unknown desc = failed to resolve revision "v9": cannot get digest for revision v9: registry.example.com/shop:v9: not found'
		server.refuse.push({ match: /^PATCH/, status: 400, code: 3, message })
		await expect(moveRevision(argocd.applications, ref, { revision: 'v9' })).rejects.toMatchObject({
			code: 'SYNC_FAILED',
			message: expect.stringContaining('stays as it is'),
			details: [message],
		})
	})

	it('ends a wait when the token is over', async () => {
		await argocd.applications.apply(built)
		server.refuse.push({ match: /^GET .*stream/, status: 401, code: 16, message: 'token is expired' })
		await expect(waitForSync(argocd.applications, { ...ref, timeoutMs: 5000 })).rejects.toMatchObject({
			code: 'UNAUTHENTICATED',
		})
	})

	it('waits for the sync that runs, when another has begun one', async () => {
		await argocd.applications.apply(built)
		server.refuse.push({
			match: /sync$/,
			status: 400,
			code: 9,
			message: 'another operation is already in progress',
		})
		expect((await argocd.applications.requestSync(ref))?.metadata.name).toBe('shop')
	})

	it('makes the repository one of the project, where only that is allowed', async () => {
		server.refuse.push(denied(/^POST .*repositories/))
		const applied = await argocd.repositories.apply({ repoURL, applicationProject: 'blue' })
		expect(applied.outcome).toBe('applied')
		expect(server.repositories.get(repoURL)).toMatchObject({ project: 'blue', type: 'oci' })
	})

	it('goes on without a repository of its own, but not with credentials that it could not give', async () => {
		const no = (): void =>
			void server.refuse.push(denied(/^POST .*repositories/), denied(/^POST .*repositories/))
		no()
		expect(await argocd.repositories.apply({ repoURL, applicationProject: 'blue' })).toMatchObject({
			outcome: 'forbidden',
		})
		no()
		const credentials = { username: 'u', password: 'p' }
		await expect(
			argocd.repositories.apply({ repoURL, applicationProject: 'blue', ...credentials }),
		).rejects.toMatchObject({ code: 'FORBIDDEN' })
	})

	it('waits for a CA that was given and is not there yet, and for no other', async () => {
		const message = `error testing repository connectivity: Get "https://registry.example.com/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`
		const unknown = { match: /^POST .*repositories/, status: 500, code: 2, message }
		server.refuse.push(unknown)
		await expect(argocd.repositories.apply({ repoURL })).rejects.toMatchObject({
			code: 'SYNC_FAILED',
			hint: expect.stringContaining('lading trust'),
		})
		server.certificates.set('registry.example.com', 'ca')
		server.refuse.push(unknown, unknown)
		expect((await argocd.repositories.apply({ repoURL })).outcome).toBe('applied')
	})

	it('leaves the repository that someone else made, and the credentials in its own', async () => {
		await argocd.repositories.apply({ repoURL, username: 'u', password: 'p' })
		await argocd.repositories.apply({ repoURL })
		expect(server.repositories.get(repoURL)).toMatchObject({ password: 'p' })
		server.repositories.set(repoURL, { repo: repoURL, type: 'git' })
		expect(await argocd.repositories.apply({ repoURL })).toEqual({
			outcome: 'kept',
			name: repoURL,
			type: 'git',
		})
		expect(await argocd.repositories.remove(repoURL)).toBe(false)
	})

	it('loses no certificate of a host that has others', async () => {
		const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
		server.certificates.set('registry', 'theirs')
		await expect(argocd.certificates.trust({ host: 'registry:5000', pem })).rejects.toMatchObject({
			code: 'ARGOCD_FAILED',
			hint: expect.stringContaining('argocd cert rm registry'),
		})
		expect(server.certificates.get('registry')).toBe('theirs')
	})

	it('reads from the tree why an Application is not Healthy', async () => {
		const tree = {
			nodes: [
				{
					uid: 'd',
					kind: 'Deployment',
					name: 'web',
					namespace: 'shop',
					health: { status: 'Degraded', message: 'exceeded its progress deadline' },
				},
				{
					uid: 'r',
					kind: 'ReplicaSet',
					name: 'web-1',
					parentRefs: [{ uid: 'd' }],
					health: { status: 'Progressing' },
				},
				{
					uid: 'p',
					kind: 'Pod',
					name: 'web-1-x',
					parentRefs: [{ uid: 'r' }],
					health: { status: 'Degraded', message: 'Back-off pulling image "nope"' },
					info: [{ name: 'Status Reason', value: 'ImagePullBackOff' }],
				},
				{ uid: 's', kind: 'Service', name: 'web', health: { status: 'Healthy' } },
			],
		}
		const seen = await readUnhealthyTree(
			{ ...client, json: () => Promise.resolve(tree) },
			{ ...built, status: { health: { status: 'Degraded' } } },
		)
		expect(seen).toEqual([
			{
				kind: 'Deployment',
				name: 'web',
				namespace: 'shop',
				message: 'Pod web-1-x: ImagePullBackOff: Back-off pulling image "nope"',
			},
		])
	})
})
