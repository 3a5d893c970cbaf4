import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificates, type Handler, listen, type Listener } from '../http/server/index.ts'
import { currentTags } from './current-tags.ts'
import { silentProgress } from './progress.ts'
import type { Session } from './session.ts'
import { openWorkspace } from './workspace.ts'

const DIGEST = `sha256:${'1'.repeat(64)}`
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

let root = ''
let listener: Listener
let session: Session
let answer: Handler
const asked: string[] = []

beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), 'lading-'))
	const { certPem, keyPem, caPath } = await ensureCertificates(root, { names: ['localhost'], caName: 'test' })
	const handler: Handler = (request) => {
		asked.push(request.path)
		return answer(request)
	}
	listener = await listen(handler, {
		host: '127.0.0.1',
		port: 0,
		tls: { cert: certPem, key: keyPem },
	})
	session = {
		workspace: openWorkspace(root),
		env: { SSL_CERT_FILE: caPath },
		progress: silentProgress,
	}
})
afterAll(async () => {
	await listener.close()
	rmSync(root, { recursive: true, force: true })
})

const registry = (): string => `localhost:${listener.port}`

describe('currentTags', () => {
	it('asks for each tag once, by the name that this machine has for the registry', async () => {
		asked.length = 0
		const headers = { 'content-type': MANIFEST, 'content-length': 2, 'docker-content-digest': DIGEST }
		answer = () => ({ status: 200, headers })
		const tags = currentTags(session, { push: registry(), cluster: 'kind-registry:5000' })
		const place = { registry: 'kind-registry:5000', repository: 'app', tag: 'latest' }
		const found = await Promise.all([place, place, { ...place, tag: 'v1' }].map((each) => tags.resolve(each)))
		tags.close()
		expect(found).toEqual([DIGEST, DIGEST, DIGEST])
		expect(asked.toSorted()).toEqual(['/v2/app/manifests/latest', '/v2/app/manifests/v1'])
	})

	it('does not ask a registry again that has failed, other than by saying no to one repository', async () => {
		const place = { registry: registry(), repository: 'app', tag: 'latest' }
		const distrusting = currentTags({ ...session, env: {} }, undefined)
		await expect(distrusting.resolve(place)).rejects.toMatchObject({ code: 'TLS_UNKNOWN_CA' })
		expect(await distrusting.resolve({ ...place, tag: 'v1' })).toBeUndefined()
		distrusting.close()

		answer = () => ({ status: 403 })
		const denied = currentTags(session, undefined)
		await expect(denied.resolve(place)).rejects.toMatchObject({ code: 'FORBIDDEN' })
		await expect(denied.resolve({ ...place, tag: 'v1' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
		denied.close()
	})

	it('says once what to do where a registry wants the password that it was not given', async () => {
		answer = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } })
		const warnings: string[] = []
		const tags = currentTags(
			{
				...session,
				env: { ...session.env, LADING_USERNAME: 'ann', LADING_PASSWORD: 'secret' },
				progress: { ...silentProgress, warn: (text, hint) => void warnings.push(`${text}. ${hint}`) },
			},
			undefined,
		)
		for (const tag of ['latest', 'v1']) {
			const asking = tags.resolve({ registry: registry(), repository: 'app', tag })
			await expect(asking).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
		}
		tags.close()
		expect(warnings).toEqual([expect.stringContaining(`set LADING_REGISTRY=${registry()}`)])
	})

	it('does not advise to give the password to a registry that only the cluster names', async () => {
		answer = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } })
		const warnings: unknown[] = []
		const tags = currentTags(
			{
				...session,
				env: { ...session.env, LADING_USERNAME: 'ann', LADING_PASSWORD: 'secret' },
				progress: { ...silentProgress, warn: (...said) => void warnings.push(said) },
			},
			{ push: registry(), cluster: 'registry.example.com' },
		)
		const asking = tags.resolve({ registry: 'registry.example.com', repository: 'app', tag: 'latest' })
		await expect(asking).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
		tags.close()
		expect(warnings).toEqual([
			[expect.stringContaining('only the ConfigMap local-registry-hosting'), undefined],
		])
	})

	it('gives the password of the environment to no registry that only an Application names', async () => {
		const env = { ...session.env, LADING_USERNAME: 'ann', LADING_PASSWORD: 'secret' }
		const place = { registry: registry(), repository: 'app', tag: 'latest' }
		const seen = async (
			of: Partial<Session>,
			endpoint?: Parameters<typeof currentTags>[1],
		): Promise<readonly string[]> => {
			const said: string[] = []
			answer = ({ headers }) => {
				said.push(headers.authorization ?? 'nobody')
				return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
			}
			const tags = currentTags({ ...session, env, ...of }, endpoint)
			await expect(tags.resolve(place)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
			tags.close()
			return said
		}
		const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`
		expect(await seen({})).not.toContain(basic)
		// A cluster names it: whoever writes its ConfigMap would have the password.
		expect(await seen({}, { push: registry(), cluster: registry() })).not.toContain(basic)
		expect(await seen({ env: { ...env, LADING_REGISTRY: registry() } })).toContain(basic)
		const workspace = openWorkspace(mkdtempSync(join(root, 'project-')))
		workspace.update((state) => ({
			...state,
			applications: [
				{
					name: 'app',
					namespace: 'argocd',
					cluster: 'context:x',
					repository: `${registry()}/app`,
					revision: 'latest',
					setBy: 'deploy',
				},
			],
		}))
		expect(await seen({ workspace })).toContain(basic)
	})
})
