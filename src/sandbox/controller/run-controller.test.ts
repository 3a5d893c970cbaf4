import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildArtifact, packLayer } from '../../artifact/index.ts'
import { type Application, buildApplication } from '../../argocd/index.ts'
import { createHttpClient } from '../../http/client/index.ts'
import { readManifestSet } from '../../manifests/index.ts'
import { createRegistryClient } from '../../registry/client/index.ts'
import { type RunningRegistry, serveRegistry } from '../../registry/server/index.ts'
import { openSandbox } from '../api/index.ts'
import { runController } from './index.ts'

/** The whole road: a real registry over TLS, the sandbox's own API, and the stand-in between them. */
describe('runController', () => {
	let directory: string
	let registry: RunningRegistry
	let sandbox: Awaited<ReturnType<typeof openSandbox>>
	let running: Promise<void>
	const stop = new AbortController()
	const logged: string[] = []

	beforeAll(async () => {
		directory = await mkdtemp(join(tmpdir(), 'lading-'))
		registry = await serveRegistry({ dataDirectory: join(directory, 'registry'), port: 0 })
		sandbox = await openSandbox({ directory: join(directory, 'sandbox'), token: 'test' })
		running = runController({
			cluster: sandbox.cluster,
			connectTo: (name) => (name === 'kind-registry:5000' ? `127.0.0.1:${registry.port}` : undefined),
			signal: stop.signal,
			log: (line) => logged.push(line),
		})
	})

	afterAll(async () => {
		stop.abort()
		await running
		await sandbox.close()
		await registry.close()
		await rm(directory, { recursive: true, force: true })
	})

	const ref = {
		apiVersion: 'argoproj.io/v1alpha1',
		kind: 'Application',
		name: 'oci-demo-app',
		namespace: 'argocd',
	}

	const sample = resolve(import.meta.dirname, '../../../sample-manifests')

	async function push(tag: string, annotation: string, from = sample): Promise<string> {
		const http = createHttpClient({ ca: registry.caPem })
		const client = createRegistryClient({ http, keychain: { resolve: async () => undefined } })
		const target = client.repository(`127.0.0.1:${registry.port}`, 'oci-demo-app')
		const set = await readManifestSet(from)
		const layer = await packLayer(set)
		const artifact = buildArtifact(layer, { annotations: { note: annotation } })
		await target.push(artifact.config)
		await target.push(layer)
		await target.pushTagged(artifact.manifest, tag)
		http.close()
		return artifact.manifest.descriptor.digest
	}

	async function until(what: (app: Application) => boolean): Promise<Application> {
		for (let turn = 0; turn < 600; turn += 1) {
			const app = (await sandbox.cluster.get(ref)) as unknown as Application | undefined
			if (app !== undefined && what(app)) return app
			await new Promise((done) => {
				setTimeout(done, 10)
			})
		}
		throw new Error(
			`never happened: ${JSON.stringify((await sandbox.cluster.get(ref))?.['status'])} ${logged.join('\n')}`,
		)
	}

	it('brings a pushed directory to Synced and Healthy, follows a moved tag, and heals', async () => {
		const first = await push('v1', 'one')
		const ca = {
			apiVersion: 'v1',
			kind: 'ConfigMap',
			metadata: { name: 'argocd-tls-certs-cm', namespace: 'argocd' },
		}
		await sandbox.cluster.apply(
			{ ...ca, data: { 'kind-registry': registry.caPem } },
			{ fieldManager: 'test', force: true },
		)
		const options = {
			name: 'oci-demo-app',
			repoURL: 'oci://kind-registry:5000/oci-demo-app',
			targetRevision: 'v1',
			destination: { namespace: 'oci-demo-app' },
		}
		await sandbox.cluster.apply(buildApplication(options), { fieldManager: 'test' })
		const app = await until(
			(each) => each.status?.sync?.status === 'Synced' && each.status.health?.status === 'Healthy',
		)
		expect(app.status?.sync?.revision).toBe(first)
		expect(app.status?.operationState?.message).toBe('successfully synced (all tasks run)')
		expect(app.status?.conditions ?? []).toEqual([])
		expect(app.status?.resources?.map((each) => [each.kind, each.status])).toEqual([
			['Namespace', 'Synced'],
			['Service', 'Synced'],
			['Deployment', 'Synced'],
		])
		expect(app.status?.summary).toEqual({ images: ['nginx:1.29-alpine'] })

		const second = await push('v1', 'two')
		const metadata = { annotations: { 'argocd.argoproj.io/refresh': 'normal' } }
		await sandbox.cluster.patch(ref, { metadata }, { type: 'application/merge-patch+json' })
		const moved = await until(
			(each) => each.status?.sync?.revision === second && each.status.sync.status === 'Synced',
		)
		expect(moved.metadata.annotations?.['argocd.argoproj.io/refresh']).toBeUndefined()

		const deployment = {
			apiVersion: 'apps/v1',
			kind: 'Deployment',
			name: 'oci-demo-app',
			namespace: 'oci-demo-app',
		}
		await sandbox.cluster.patch(
			deployment,
			{ spec: { replicas: 5 } },
			{ type: 'application/merge-patch+json' },
		)
		await until((each) => (each.status?.history ?? []).length >= 1 && each.status?.sync?.status === 'Synced')
		for (let turn = 0; turn < 300; turn += 1) {
			const live = (await sandbox.cluster.get(deployment))?.['spec'] as
				| { readonly replicas?: number }
				| undefined
			if (live?.replicas === 2) break
			await new Promise((done) => {
				setTimeout(done, 10)
			})
		}
		expect((await sandbox.cluster.get(deployment))?.['spec']).toMatchObject({ replicas: 2 })

		await sandbox.cluster.delete(ref)
		for (let turn = 0; turn < 300 && (await sandbox.cluster.get(ref)) !== undefined; turn += 1)
			await new Promise((done) => {
				setTimeout(done, 10)
			})
		expect(await sandbox.cluster.get(ref)).toBeUndefined()
		expect(await sandbox.cluster.get(deployment)).toBeUndefined()
		expect(logged).toEqual([])
	})

	it('deploys a definition with its object, a Secret and a hook, and stays Synced', async () => {
		const manifests = join(directory, 'manifests')
		await mkdir(manifests)
		await writeFile(join(manifests, 'all.yaml'), MIXED)
		const digest = await push('mixed', 'three', manifests)
		const options = {
			name: 'oci-demo-app',
			repoURL: 'oci://kind-registry:5000/oci-demo-app',
			targetRevision: 'mixed',
			destination: { namespace: 'mixed' },
		}
		await sandbox.cluster.apply(buildApplication(options), { fieldManager: 'test' })
		const app = await until(
			(each) => each.status?.sync?.status === 'Synced' && each.status.operationState?.phase === 'Succeeded',
		)
		expect(app.status?.sync?.revision).toBe(digest)
		expect(
			app.status?.resources?.filter((each) => each.status !== 'Synced').map((each) => each.kind),
		).toEqual(['Job'])
		const secret = await sandbox.cluster.get({
			apiVersion: 'v1',
			kind: 'Secret',
			name: 'plain',
			namespace: 'mixed',
		})
		expect(secret?.['data']).toEqual({ token: Buffer.from('t').toString('base64') })
		const metadata = { annotations: { 'argocd.argoproj.io/refresh': 'hard' } }
		await sandbox.cluster.patch(ref, { metadata }, { type: 'application/merge-patch+json' })
		const again = await until(
			(each) => each.metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined,
		)
		expect(again.status?.sync?.status).toBe('Synced')
		expect(again.status?.history).toHaveLength(1)
	})
})

const MIXED = `apiVersion: x.example.com/v1
kind: Custom
metadata: { name: one }
spec: { size: 3 }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: customs.x.example.com, creationTimestamp: null }
spec:
  group: x.example.com
  scope: Namespaced
  names: { kind: Custom, plural: customs, singular: custom }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: { spec: { type: object, properties: { size: { type: integer }, color: { type: string, default: red } } } }
status: null
---
apiVersion: v1
kind: Secret
metadata: { name: plain }
stringData: { token: t }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: set }
spec:
  serviceName: set
  selector: { matchLabels: { app: set } }
  template: { metadata: { labels: { app: set } }, spec: { containers: [{ name: c, image: busybox }] } }
---
apiVersion: batch/v1
kind: Job
metadata:
  name: before
  annotations: { argocd.argoproj.io/hook: PreSync }
spec:
  template: { spec: { restartPolicy: Never, containers: [{ name: c, image: busybox }] } }
`
