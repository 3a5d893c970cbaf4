import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { x } from 'tinyexec'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificates, listen, type Listener } from '../../src/http/server/index.ts'
import { openSandbox, sandboxKubeconfig, type Sandbox } from '../../src/sandbox/api/index.ts'

let directory: string
let sandbox: Sandbox
let listener: Listener

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	const certificates = await ensureCertificates(join(directory, 'tls'), { names: ['127.0.0.1'] })
	sandbox = await openSandbox({ directory: join(directory, 'data'), token: 'token' })
	const tls = { cert: certificates.certPem, key: certificates.keyPem }
	listener = await listen(sandbox.handler, { host: '127.0.0.1', port: 0, tls })
	const kubeconfig = sandboxKubeconfig({ server: listener.url, caPem: certificates.caPem, token: 'token' })
	await writeFile(join(directory, 'kubeconfig'), kubeconfig, { mode: 0o600 })
})

afterAll(async () => {
	await listener?.close()
	await sandbox?.close()
	await rm(directory, { recursive: true, force: true })
})

interface Outcome {
	readonly code: number | undefined
	readonly text: string
}

async function kubectl(args: string, input?: string): Promise<Outcome> {
	const words = [...args.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
	if (input !== undefined) await writeFile(join(directory, 'input.yaml'), input)
	const file = input === undefined ? [] : ['-f', join(directory, 'input.yaml')]
	const result = await x('kubectl', [...words, ...file], {
		nodeOptions: {
			env: { PATH: process.env['PATH'] ?? '', HOME: directory, KUBECONFIG: join(directory, 'kubeconfig') },
		},
	})
	return { code: result.exitCode, text: result.stdout + result.stderr }
}

/** The output of a command that succeeds. */
async function ok(args: string, input?: string): Promise<string> {
	const { code, text } = await kubectl(args, input)
	expect(`${args}: ${code === 0 ? 'ok' : text}`).toBe(`${args}: ok`)
	return text
}

/** The output of a command that fails. */
async function no(args: string, input?: string): Promise<string> {
	const { code, text } = await kubectl(args, input)
	expect({ args, failed: code !== 0, text }).toMatchObject({ failed: true })
	return text
}

const configMap = (name: string, value: string): string =>
	`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {key: "${value}"}\n`

describe('kubectl and the sandbox', () => {
	it('version, api-resources, api-versions, cluster-info', async () => {
		expect(await ok('version')).toContain('+sandbox')
		expect(await ok('api-resources')).toMatch(/applications\s+app,apps\s+argoproj.io\/v1alpha1/)
		expect(await ok('api-versions')).toContain('apps/v1')
		expect(await ok('cluster-info')).toContain(listener.url)
		expect(await ok('get nodes')).toMatch(/lading-sandbox\s+Ready\s+sandbox/)
	})

	it('create, get, label, annotate, patch, replace, delete', async () => {
		await ok('create configmap one --from-literal=a=1')
		expect(await ok('get configmap one -o jsonpath={.data.a}')).toBe('1')
		await ok('label configmap one tier=x')
		await ok('annotate configmap one note=y')
		expect(await ok("get cm -l 'tier in (x,y),tier!=z'")).toContain('one')
		expect(await ok('get cm -A --field-selector metadata.name=one')).toContain('default')
		await ok(`patch cm one -p '{"data":{"b":"2"}}'`)
		await ok(`patch cm one --type=merge -p '{"data":{"a":null}}'`)
		await ok(`patch cm one --type=json -p '[{"op":"add","path":"/data/c","value":"3"}]'`)
		expect(await ok('get cm one -o jsonpath={.data}')).toBe('{"b":"2","c":"3"}')
		await ok('replace', configMap('one', 'replaced'))
		await ok('create configmap dry --from-literal=a=1 --dry-run=server')
		expect(await no('get cm dry')).toContain('NotFound')
		await ok('delete cm one')
		expect(await no('get cm one')).toContain('configmaps "one" not found')
	})

	it('a List is created and applied', async () => {
		const item = (name: string): string =>
			`  - {apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: default}, data: {x: "1"}}\n`
		const list = `apiVersion: v1\nkind: List\nitems:\n${item('list-a')}${item('list-b')}`
		expect(await ok('create', list)).toContain('configmap/list-b created')
		expect(await ok('apply', list)).toContain('configmap/list-a configured')
		expect(await ok('apply --server-side --force-conflicts', list)).toContain('serverside-applied')
	})

	it('apply on the client and on the server, conflicts, diff, validation', async () => {
		expect(await ok('apply', configMap('two', '1'))).toContain('created')
		expect(await ok('apply', configMap('two', '1'))).toContain('unchanged')
		expect(await ok('apply', configMap('two', '2'))).toContain('configured')
		expect(await no('diff', configMap('two', '3'))).toContain('+  key: "3"')
		await ok('apply --server-side', configMap('three', '1'))
		expect(await no('apply --server-side --field-manager=other', configMap('three', '2'))).toContain(
			'.data.key',
		)
		await ok('apply --server-side --field-manager=other --force-conflicts', configMap('three', '2'))
		expect(await no('apply', `${configMap('four', '1')}dataa: {}\n`)).toContain('unknown field "dataa"')
	})

	it('deployments: rollout, scale, wait, describe, events, get all', async () => {
		await ok('create deployment web --image=nginx:1 --replicas=2')
		expect(await ok('rollout status deployment/web --timeout=30s')).toContain('successfully rolled out')
		await ok('wait pod -l app=web --for=condition=Ready --timeout=30s')
		await ok('expose deployment web --port=80')
		await ok('scale deployment/web --replicas=3')
		await ok('wait deployment/web --for=jsonpath={.status.readyReplicas}=3 --timeout=30s')
		await ok('set image deployment/web nginx=nginx:2')
		await ok('rollout status deployment/web --timeout=30s')
		await ok('rollout restart deployment/web')
		await ok('rollout status deployment/web --timeout=30s')
		expect(await ok('rollout history deployment/web')).toMatch(/1\s.*2\s.*3\s/s)
		expect(await ok('describe deployment web')).toContain('sandbox-deployment-controller')
		expect(await ok('events')).toContain('ScalingReplicaSet')
		expect(await ok('get all -o wide')).toMatch(/deployment.apps\/web\s+3\/3/)
		expect(
			await ok('get pods --field-selector status.phase=Running,spec.nodeName=lading-sandbox -o name'),
		).toContain('pod/web-')
	})

	it('jobs complete, stateful sets and daemon sets become ready', async () => {
		await ok('create job once --image=busybox')
		await ok('wait job/once --for=condition=Complete --timeout=30s')
		const workload = (kind: string, more: string): string =>
			`apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: ${kind.toLowerCase()}}\nspec:\n  ${more}\n  selector: {matchLabels: {app: ${kind}}}\n  template: {metadata: {labels: {app: ${kind}}}, spec: {containers: [{name: a, image: nginx}]}}\n`
		await ok('apply', workload('StatefulSet', 'replicas: 2\n  serviceName: s'))
		await ok('rollout status statefulset/statefulset --timeout=30s')
		expect(await ok('get pods -o name')).toContain('pod/statefulset-1')
		await ok('apply', workload('DaemonSet', 'minReadySeconds: 0'))
		await ok('rollout status daemonset/daemonset --timeout=30s')
	})

	it('custom resources: established, validated, defaulted, scaled, explained, deleted', async () => {
		const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
      additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, required: [color], properties: {size: {type: integer, default: 3}, color: {type: string, enum: [red]}}}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`
		await ok('create', crd)
		await ok('wait crd/widgets.example.com --for=condition=Established --timeout=10s')
		const widget = (spec: string): string =>
			`apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {${spec}}\n`
		expect(await no('apply', widget('color: green'))).toContain('Unsupported value: "green"')
		await ok('apply', widget('color: red'))
		expect(await ok('get wd')).toMatch(/NAME\s+SIZE\s+w\s+3/)
		await ok('scale wd/w --replicas=5')
		expect(await ok('explain widget.spec.color')).toContain('<string>')
		await ok('delete crd widgets.example.com')
		await no('get wd')
	})

	it('says that no container runs', async () => {
		const [pod = ''] = (await ok('get pods -l app=web -o name')).split('\n')
		for (const command of [
			`logs ${pod}`,
			`exec ${pod} -- ls`,
			`attach ${pod}`,
			`port-forward ${pod} 8080:80`,
		]) {
			expect(await no(command)).toContain('lading sandbox: no container runs here')
		}
	})

	it('auth, cascading deletes, namespaces', async () => {
		expect(await ok('auth can-i create pods')).toContain('yes')
		expect(await ok('auth whoami')).toContain('sandbox')
		await ok('delete deployment web --cascade=foreground')
		expect(await ok('get rs -o name')).toBe('')
		await ok('create namespace team')
		await ok('create configmap inside -n team --from-literal=a=1')
		await ok('delete namespace team')
		expect(await no('get cm inside -n team')).toContain('NotFound')
		expect(await ok('get applications -A')).toContain('No resources found')
	})
})
