import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { program } from '../e2e/program.ts'
import { createRoad, trustRegistries } from './road.ts'
import { onRealStack, writeSample } from './stack/index.ts'

function writeFiles(directory: string, files: Readonly<Record<string, string | object>>): void {
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(directory, path)), { recursive: true })
		const text = typeof content === 'string' ? content : JSON.stringify(content, undefined, 2)
		writeFileSync(join(directory, path), text)
	}
}

const configMap = (name: string, data: object): object => ({
	apiVersion: 'v1',
	kind: 'ConfigMap',
	metadata: { name },
	data,
})

const chart = (name: string, version: string): Readonly<Record<string, string | object>> => ({
	'Chart.yaml': { apiVersion: 'v2', name, version },
	'values.yaml': { greeting: 'hello' },
	'templates/greeting.yaml': configMap('{{ .Release.Name }}-greeting', {
		greeting: '{{ .Values.greeting }}',
		version: '{{ .Chart.Version }}',
	}),
	'templates/NOTES.txt': 'It greets.\n',
})

onRealStack('what an artifact holds', (stack) => {
	beforeAll(() => trustRegistries(stack))

	const dataOf = (namespace: string, name: string): Promise<string> =>
		stack.kubectl('get', 'configmap', name, '-n', namespace, '-o', 'jsonpath={.data}')

	it.concurrent('a Kustomize directory is packed whole and built by Argo CD', async () => {
		const road = createRoad(stack, 'source-kustomize')
		writeSample(join(road.manifests, 'base'), { name: road.name })
		writeFiles(road.manifests, {
			'base/kustomization.yaml': { resources: ['deployment.yaml', 'service.yaml'] },
			'overlay/kustomization.yaml': {
				resources: ['../base'],
				nameSuffix: '-blue',
				images: [{ name: `example.com/${road.name}`, newTag: '7' }],
			},
		})
		await road.push('v1.0.0', '--path', 'overlay')
		await road.ok('deploy', road.name, road.at('v1.0.0'), '--path', 'overlay')
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			sourceType: 'Kustomize',
			resources: ['Deployment source-kustomize-blue', 'Service source-kustomize-blue'],
		})
		const image = 'jsonpath={.items[*].spec.template.spec.containers[0].image}'
		expect(await stack.kubectl('get', 'deployments', '-n', road.name, '-o', image)).toBe(
			'example.com/source-kustomize:7',
		)
		await road.ok('undeploy', road.name)
	})

	it.concurrent('a Helm chart as a directory is packed whole and rendered by Argo CD', async () => {
		const road = createRoad(stack, 'source-helm')
		writeFiles(road.manifests, chart('greeter', '0.1.0'))
		const { digest } = await road.push('v1.0.0')
		await road.ok('deploy', road.name, road.at('v1.0.0'))
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			sourceType: 'Helm',
			revision: digest,
			resources: ['ConfigMap source-helm-greeting'],
		})
		expect(JSON.parse(await dataOf(road.name, 'source-helm-greeting'))).toEqual({
			greeting: 'hello',
			version: '0.1.0',
		})
		await road.ok('undeploy', road.name)
	})

	it.concurrent('a chart that helm has pushed is deployed, and followed as a range', async () => {
		const road = createRoad(stack, 'source-chart')
		const { host, caPath = '' } = stack.registries.tls
		const helm = async (...args: readonly string[]): Promise<void> => {
			const ended = await program(join(stack.data.bin, 'helm'), args, { cwd: road.project.directory })
			expect(ended.code, ended.stderr).toBe(0)
		}
		const publish = async (version: string): Promise<void> => {
			writeFiles(join(road.project.directory, 'chart'), chart(road.name, version))
			await helm('package', 'chart')
			await helm('push', `${road.name}-${version}.tgz`, `oci://${host}/charts`, '--ca-file', caPath)
		}
		await publish('1.2.3')
		const reference = `${host}/charts/${road.name}:1.2.3`
		await road.ok('check', reference)
		await road.ok('deploy', road.name, reference)
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			sourceType: 'Helm',
			targetRevision: '1.2.3',
			resources: ['ConfigMap source-chart-greeting'],
		})
		await publish('1.3.0')
		await road.ok('sync', road.name, '^1.0.0')
		expect(JSON.parse(await dataOf(road.name, 'source-chart-greeting'))).toMatchObject({ version: '1.3.0' })
		await road.ok('undeploy', road.name)
	})

	it.concurrent('--path reads one directory, --recurse all below it', async () => {
		const road = createRoad(stack, 'source-path')
		writeFiles(road.manifests, {
			'top.yaml': configMap('top', {}),
			'apps/shop.yaml': configMap('shop', {}),
			'apps/deep/deeper/cart.yaml': configMap('cart', {}),
		})
		await road.push('v1.0.0', '--recurse')
		const deployWith = async (...flags: readonly string[]): Promise<readonly string[]> => {
			await road.ok('deploy', road.name, road.at('v1.0.0'), ...flags)
			const { sync, resources } = await road.seen()
			expect(sync).toBe('Synced')
			return resources
		}
		expect(await deployWith('--path', 'apps')).toEqual(['ConfigMap shop'])
		expect(await deployWith('--path', 'apps', '--recurse')).toEqual(['ConfigMap cart', 'ConfigMap shop'])
		expect(await deployWith('--recurse')).toEqual(['ConfigMap cart', 'ConfigMap shop', 'ConfigMap top'])
		const names = await stack.kubectl('get', 'configmaps', '-n', road.name, '-o', 'name')
		expect(names.split('\n').toSorted()).toEqual([
			'configmap/cart',
			'configmap/kube-root-ca.crt',
			'configmap/shop',
			'configmap/top',
		])
		const refused = await road.run('deploy', road.name, road.at('v1.0.0'), '--path', 'nowhere')
		expect(refused.code).toBe(1)
		expect(refused.stderr).toContain('nowhere')
		expect((await road.seen()).sync).toBe('Synced')
		await road.ok('undeploy', road.name)
	})
})
