import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, lading, MAIN } from '../e2e/program.ts'
import { repoServerOf, serveReleases } from './argocd-releases.ts'
import { machine } from './stack/index.ts'
import { docker, faultsOf, type Finding, kubectl, namesOf, ok, timed } from './tools.ts'

const { nodeImage, argocdManifest, argocdVersion } = machine()
const KUBERNETES = nodeImage.slice(nodeImage.indexOf(':v') + 2)
/** As kind publishes it, and so what lading asks for when it is told a version. */
const PUBLISHED_IMAGE = `kindest/node:v${KUBERNETES}`
const KIND_CONFIG = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
    labels: { made-by: kind-config }
    extraPortMappings:
      - { containerPort: 30080, hostPort: 30080, listenAddress: 127.0.0.1 }
`
const project = createProject()
const { directory } = project
const NODE = 'lading-control-plane'
const REGISTRY = 'kind-registry'
const APPLICATION = 'oci-demo-app'

beforeAll(async () => {
	await docker('tag', nodeImage, PUBLISHED_IMAGE)
	writeFileSync(join(directory, 'kind.yaml'), KIND_CONFIG)
})
afterAll(async () => {
	await project.remove()
	await docker('rmi', PUBLISHED_IMAGE)
})

function edit(replicas: number): void {
	const path = join(directory, 'sample-manifests/deployment.yaml')
	writeFileSync(path, readFileSync(path, 'utf8').replace(/replicas: \d+/, `replicas: ${replicas}`))
}

async function replicas(): Promise<string> {
	return await kubectl(
		project,
		'get',
		'deployment',
		APPLICATION,
		'-n',
		APPLICATION,
		'-o',
		'jsonpath={.spec.replicas}',
	)
}

/** Digest of a line `registry/repository@sha256:…`. */
const digestOf = (pinned: string): string => pinned.slice(pinned.indexOf('@') + 1)

/** A command that goes on until it is interrupted. */
async function start(
	args: readonly string[],
	ready: RegExp,
): Promise<{ readonly text: () => string; end(): Promise<number | null> }> {
	const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], {
		cwd: directory,
		env: { ...process.env, HOME: directory, NO_COLOR: '1' },
	})
	let text = ''
	child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
	child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()))
	const ended = new Promise<number | null>((done) => child.once('close', done))
	await expect.poll(() => text, { timeout: 60_000 }).toMatch(ready)
	return {
		text: () => text,
		async end() {
			child.kill('SIGINT')
			return await ended
		},
	}
}

async function answer(url: string): Promise<string> {
	const response = await fetch(url)
	return `${response.status} ${await response.text()}`
}

const doctor = async (...env: readonly Readonly<Record<string, string>>[]): Promise<readonly Finding[]> =>
	await faultsOf(async () => await lading(['doctor', '--json'], { cwd: directory, env: env[0] ?? {} }))

/** A node that has just started tells for a while what was the case before, and then starts its pods. */
const settled = async (): Promise<void> =>
	await expect.poll(async () => await doctor(), { timeout: 300_000, interval: 3000 }).toEqual([])

const checksOf = (findings: readonly Finding[]): readonly string[] => [
	...new Set(findings.map(({ check }) => check)),
]

describe.sequential('the whole road on kind', () => {
	it('finishes what was interrupted, twice', async () => {
		const made = [
			'--kubernetes',
			KUBERNETES,
			'--kind-config',
			'kind.yaml',
			'--argocd-manifest',
			argocdManifest,
		]
		const up = ['up', '--cluster', 'kind', ...made]
		const first = await lading(up, { cwd: directory, kill: { when: /✓ registry/, signal: 'SIGINT' } })
		expect(first.code).toBe(130)
		const second = await timed('up to the cluster', () =>
			lading(up, { cwd: directory, kill: { when: /✓ cluster/, signal: 'SIGINT' } }),
		)
		expect(second.code).toBe(130)
		const text = await timed('up from there', () => project.ok(...up))
		expect(text).toContain('oci-demo-app is Synced and Healthy at v1.0.0')
	})

	it('has the Kubernetes and the node that were asked for', async () => {
		expect(await docker('inspect', '--format', '{{.Config.Image}}', NODE)).toBe(PUBLISHED_IMAGE)
		expect(await project.ok('cluster', 'status')).toContain(`Kubernetes    v${KUBERNETES}`)
		expect(await kubectl(project, 'get', 'nodes', '-l', 'made-by=kind-config', '-o', 'name')).toBe(
			`node/${NODE}`,
		)
		expect(await docker('port', NODE, '30080/tcp')).toBe('127.0.0.1:30080')
	})

	it('shows what runs to kubectl, and touches no other kubeconfig', async () => {
		const application = await kubectl(
			project,
			'get',
			'application',
			APPLICATION,
			'-n',
			'argocd',
			'-o',
			'json',
		)
		const { spec, status } = JSON.parse(application) as {
			spec: { source: { repoURL: string } }
			status: { sync: { status: string }; health: { status: string } }
		}
		expect(spec.source.repoURL).toBe('oci://kind-registry:5000/oci-demo-app')
		expect([status.sync.status, status.health.status]).toEqual(['Synced', 'Healthy'])
		const pods = await kubectl(project, 'get', 'pods', '-n', APPLICATION, '--no-headers')
		expect(pods.split('\n').every((line) => line.includes('1/1') && line.includes('Running'))).toBe(true)
		expect(existsSync(join(directory, '.kube/config'))).toBe(false)
	})

	it('finds nothing to do, and nothing wrong', async () => {
		const again = await timed('up again', () => project.ok('up'))
		expect(again).toContain('Nothing to do: oci-demo-app is Synced and Healthy')
		expect(await doctor()).toEqual([])
		expect(await project.ok('cluster', 'up')).toContain('Nothing to do: the kind cluster lading runs')
		expect(await project.ok('cluster', 'status')).toMatch(/Kind cluster {2}lading at https:\/\/127\.0\.0\.1/)
	})

	it('gets another version of Argo CD, and the one of before again', async () => {
		const other = '3.6.0'
		const image = 'quay.io/argoproj/argocd'
		const mirrored = `/kind/mirror/manifests/${image}`
		await docker('exec', NODE, 'cp', `${mirrored}/v${argocdVersion}`, `${mirrored}/v${other}`)
		const manifest = readFileSync(argocdManifest, 'utf8')
		const releases = await serveReleases(join(directory, 'releases'), {
			[other]: repoServerOf(manifest, `${image}:v${other}`),
			[argocdVersion]: manifest,
		})
		const up = async (args: readonly string[], version: string): Promise<string> => {
			const options = { cwd: directory, env: releases.env }
			const { code, stdout, stderr } = await lading([...args, '--argocd-version', version], options)
			expect(code, stderr).toBe(0)
			const template = ['-o', 'jsonpath={.spec.template.spec.containers[0].image}']
			const deployment = ['get', 'deployment', 'argocd-repo-server', '-n', 'argocd', ...template]
			expect(await kubectl(project, ...deployment)).toBe(`${image}:v${version}`)
			expect(await project.ok('cluster', 'status')).toContain(`Argo CD       ${version}`)
			return stdout
		}
		try {
			expect(await up(['cluster', 'up'], other)).toContain(`with Argo CD ${other}`)
			// The release that lading knows the digest of.
			expect(await up(['up'], argocdVersion)).toContain('oci-demo-app is Synced and Healthy')
			expect(await up(['up'], argocdVersion)).toContain('Nothing to do')
			expect(releases.asked).toEqual([other, argocdVersion])
		} finally {
			await releases.close()
		}
	})

	it('reaches the Service, also when its pods are replaced', async () => {
		const forward = await start(['forward', APPLICATION, '8082:80'], /127\.0\.0\.1:8082/)
		expect(await answer('http://127.0.0.1:8082/')).toMatch(/^200 .*nginx/s)
		const all = await Promise.all(
			Array.from({ length: 10 }, async () => await answer('http://127.0.0.1:8082/')),
		)
		expect(all.every((each) => each.startsWith('200'))).toBe(true)
		await kubectl(project, 'delete', 'pods', '--all', '-n', APPLICATION, '--wait=true')
		await kubectl(project, 'rollout', 'status', `deployment/${APPLICATION}`, '-n', APPLICATION)
		expect(await answer('http://127.0.0.1:8082/')).toMatch(/^200/)
		expect(await forward.end()).toBe(0)
		await expect(answer('http://127.0.0.1:8082/')).rejects.toThrow('fetch failed')
	})

	it('takes a Service of the application, and any other', async () => {
		const own = await start(['forward', `svc/${APPLICATION}`], /http:\/\/127\.0\.0\.1:\d+/)
		const url = /http:\/\/127\.0\.0\.1:\d+/.exec(own.text())?.[0] ?? ''
		expect(await answer(url)).toMatch(/^200/)
		expect(await own.end()).toBe(0)
		const metrics = await start(['forward', 'argocd/argocd-metrics', ':8082'], /http:\/\/127\.0\.0\.1:\d+/)
		const other = /http:\/\/127\.0\.0\.1:\d+/.exec(metrics.text())?.[0] ?? ''
		expect(await answer(`${other}/metrics`)).toContain('argocd_app_info')
		expect(await metrics.end()).toBe(0)
		expect(await project.run('forward', 'nosuch')).toMatchObject({ code: 7 })
		expect(await project.run('forward', APPLICATION, '8082:81')).toMatchObject({ code: 2 })
	})

	it('moves to a new version, to latest and to a digest', async () => {
		edit(1)
		const v110 = await project.ok('push', 'sample-manifests', `${APPLICATION}:v1.1.0`, '--tag', 'latest')
		await project.ok('sync', APPLICATION, 'v1.1.0')
		expect(await replicas()).toBe('1')
		await project.ok('sync', APPLICATION, 'latest')
		edit(3)
		await project.ok('push', 'sample-manifests', `${APPLICATION}:latest`)
		await expect.poll(replicas, { timeout: 120_000, interval: 500 }).toBe('3')
		await project.ok('sync', APPLICATION, digestOf(v110))
		expect(await replicas()).toBe('1')
		expect(await project.ok('status', APPLICATION, '--exit-code')).toContain('Synced')
	})

	it('shows the logs of Argo CD and of the application', async () => {
		expect(await project.ok('logs')).toContain('GenerateManifest')
		expect(await project.ok('logs', '--component', 'application-controller', '--tail', '200')).toContain(
			APPLICATION,
		)
		const tail = await project.ok('logs', '--tail', '3')
		expect(tail.split('\n')).toHaveLength(3)
		const { logs } = (await project.json('logs', APPLICATION)) as { logs: readonly { pod: string }[] }
		expect(logs.every(({ pod }) => pod.startsWith(APPLICATION))).toBe(true)
		const followed = await start(['logs', '--follow'], /argocd-repo-server-/)
		const before = followed.text().length
		await project.ok('sync', APPLICATION, 'v1.1.0')
		await expect.poll(() => followed.text().length, { timeout: 60_000 }).toBeGreaterThan(before)
		expect(await followed.end()).toBe(0)
		expect(await project.run('logs', 'nosuch')).toMatchObject({ code: 7 })
	})

	it('lets pods use images of the registry, by both its names', async () => {
		const { registry } = (await project.json('registry', 'status')) as { registry: { push: string } }
		const image = `${registry.push}/tools/registry:1`
		await docker('tag', 'registry:3', image)
		await docker('push', image)
		for (const name of [image, 'kind-registry:5000/tools/registry:1'])
			expect(await docker('exec', NODE, 'crictl', 'pull', name)).toContain('Image is up to date')
		await docker('rmi', image)
	})

	it('says that the registry is stopped, and starts it again with its content', async () => {
		await docker('stop', '-t', '1', REGISTRY)
		expect(checksOf(await doctor())).toEqual(expect.arrayContaining(['registry-container']))
		const push = await project.run('push', 'sample-manifests', `${APPLICATION}:v1.9.0`)
		expect(push).toMatchObject({ code: 6, stderr: expect.stringContaining('lading registry up') })
		await project.ok('registry', 'up')
		expect(await project.ok('tags', APPLICATION)).toContain('v1.1.0')
		expect(await doctor()).toEqual([])
	})

	it('comes back after a restart of the node', async () => {
		await docker('restart', NODE)
		await project.ok('cluster', 'up')
		await settled()
		await project.ok('sync', APPLICATION, 'v1.1.0', '--timeout', '5m')
		expect(await project.ok('status', APPLICATION, '--exit-code')).toContain('Healthy')
		await docker('stop', NODE)
		expect(checksOf(await doctor())).toContain('kind-cluster')
		await project.ok('cluster', 'up')
		await settled()
	})
})

describe.sequential('doctor, on each fault', () => {
	it('Docker does not run', async () => {
		const found = await doctor({ DOCKER_HOST: 'unix:///nonexistent' })
		expect(found).toContainEqual(
			expect.objectContaining({ check: 'docker', fix: expect.stringContaining('docker') }),
		)
	})

	it('kind is not installed', async () => {
		const bin = join(directory, 'bin')
		mkdirSync(bin)
		const docker = execFileSync('sh', ['-c', 'command -v docker'], { encoding: 'utf8' }).trim()
		symlinkSync(docker, join(bin, 'docker'))
		const found = await doctor({ PATH: `${bin}:${dirname(process.execPath)}` })
		expect(found).toContainEqual(
			expect.objectContaining({ check: 'kind', fix: expect.stringContaining('go install sigs.k8s.io/kind') }),
		)
	})

	it('the registry is not on the network of kind', async () => {
		await docker('network', 'disconnect', 'kind', REGISTRY)
		const found = await doctor()
		const network = found.find(({ check }) => check === 'registry-network')
		expect(network?.fix).toBe('docker network connect kind kind-registry')
		await ok(directory, 'sh', '-c', network?.fix ?? 'false')
		await settled()
	})

	it('the certificate lacks the name that the cluster uses', async () => {
		await ok(
			directory,
			'sh',
			'-c',
			'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=other -keyout o.key -out o.crt -addext subjectAltName=DNS:localhost',
		)
		await docker('cp', join(directory, 'o.key'), `${REGISTRY}:/lading-registry.key`)
		await docker('cp', join(directory, 'o.crt'), `${REGISTRY}:/lading-registry.crt`)
		await docker('restart', '-t', '1', REGISTRY)
		const found = await doctor()
		expect(found).toContainEqual(
			expect.objectContaining({
				check: 'registry-certificate',
				seen: 'it is not for kind-registry',
				fix: 'lading registry up',
			}),
		)
		await project.ok('registry', 'up')
		expect(await doctor()).toEqual([])
	})

	it('Argo CD is not ready', async () => {
		const set = ['set', 'image', 'deployment/argocd-repo-server', '-n', 'argocd']
		await kubectl(project, ...set, 'argocd-repo-server=quay.io/argoproj/nosuch:v3.6.1')
		await kubectl(
			project,
			'delete',
			'pods',
			'-n',
			'argocd',
			'-l',
			'app.kubernetes.io/name=argocd-repo-server',
		)
		await expect
			.poll(async () => (await doctor()).find(({ subject }) => subject === 'argocd-repo-server'), {
				timeout: 120_000,
				interval: 2000,
			})
			.toMatchObject({ check: 'argocd', why: expect.stringMatching(/ErrImagePull|ImagePullBackOff/) })
		const waiting = await project.run('cluster', 'up', '--timeout', '3s')
		expect(waiting).toMatchObject({ code: 6, stderr: expect.stringMatching(/ErrImagePull|ImagePullBackOff/) })
		await kubectl(project, 'rollout', 'undo', 'deployment/argocd-repo-server', '-n', 'argocd')
		await project.ok('cluster', 'up')
		expect(await doctor()).toEqual([])
	})

	it('the CA is missing in the ConfigMap, or is another one', async () => {
		const patch = ['patch', 'configmap', 'argocd-tls-certs-cm', '-n', 'argocd', '--type', 'merge', '-p']
		await kubectl(project, ...patch, '{"data":{"kind-registry":null}}')
		const missing = (await doctor()).find(({ check }) => check === 'ca-trusted')
		expect(missing).toMatchObject({ fix: 'lading trust kind-registry:5000' })
		const other = readFileSync(join(directory, 'o.crt'), 'utf8')
		await kubectl(project, ...patch, JSON.stringify({ data: { 'kind-registry': other } }))
		expect(await doctor()).toContainEqual(
			expect.objectContaining({ check: 'ca-trusted', seen: expect.stringContaining('did not sign') }),
		)
		const path = '/app/config/tls/kind-registry'
		const repoServer = ['-n', 'argocd', 'deployment/argocd-repo-server', '-c', 'argocd-repo-server']
		const projected = async (): Promise<string> =>
			await kubectl(project, 'exec', ...repoServer, '--', 'cat', path)
		// Handed to the Pod, so that what is measured is not what never changed there.
		const pods = ['pods', '-n', 'argocd', '-l', 'app.kubernetes.io/name=argocd-repo-server']
		await kubectl(project, 'annotate', ...pods, 'test/ca=other')
		await expect.poll(projected, { timeout: 120_000, interval: 500 }).toBe(other.trim())
		const ca = readFileSync(join(directory, '.lading/ca.crt'), 'utf8').trim()
		await timed('trust, until the right CA is in the Pod,', async () => {
			await project.ok('trust', 'kind-registry:5000')
			// The kubelet's own round, which has just been, comes after a minute at the earliest.
			await expect.poll(projected, { timeout: 15_000, interval: 200 }).toContain(ca)
		})
		expect(checksOf(await doctor())).not.toContain('ca-trusted')
		await kubectl(project, ...patch, '{"data":{"kind-registry":null}}')
		await project.ok('registry', 'up')
		expect(checksOf(await doctor())).not.toContain('ca-trusted')
	})

	it('the cluster cannot resolve the registry', async () => {
		const scale = ['scale', 'deployment/coredns', '-n', 'kube-system', '--replicas']
		await kubectl(project, ...scale, '0')
		await kubectl(project, 'wait', '--for=delete', 'pods', '-n', 'kube-system', '-l', 'k8s-app=kube-dns')
		const dns = (await doctor()).find(({ check }) => check === 'cluster-dns')
		expect(dns?.fix).toContain('scale -n kube-system deployment coredns')
		await kubectl(project, ...scale, '1')
		await kubectl(project, 'rollout', 'status', 'deployment/coredns', '-n', 'kube-system')
		const resolv = '/etc/resolv.conf'
		await docker('exec', NODE, 'sh', '-c', `cp ${resolv} /resolv.bak; echo nameserver 127.9.9.9 >${resolv}`)
		try {
			expect(await doctor()).toContainEqual(
				expect.objectContaining({ check: 'registry-name', fix: `docker restart ${NODE}` }),
			)
		} finally {
			await docker('exec', NODE, 'sh', '-c', `cat /resolv.bak >${resolv}`)
		}
		expect(checksOf(await doctor())).not.toContain('registry-name')
	})

	it('the port is taken', async () => {
		const { registry } = (await project.json('registry', 'status')) as { registry: { push: string } }
		const port = Number(registry.push.split(':')[1])
		await docker('stop', '-t', '1', REGISTRY)
		const other = createServer((socket) => void socket.destroy())
		await new Promise<void>((done) => other.listen(port, '127.0.0.1', done))
		try {
			expect(await doctor()).toContainEqual(
				expect.objectContaining({ check: 'ports', seen: expect.stringContaining(String(port)) }),
			)
			expect(await project.run('registry', 'up', '--port', String(port))).toMatchObject({ code: 9 })
			// Moved to a free port, its content and its name in the cluster are the same.
			await project.ok('registry', 'up')
			expect(await project.ok('tags', APPLICATION)).toContain('v1.1.0')
			expect(await doctor()).toEqual([])
		} finally {
			await new Promise((done) => other.close(done))
		}
	})

	it('the disk is nearly full, here and on the node', async () => {
		const small = createProject()
		await ok('/', 'mount', '-t', 'tmpfs', '-o', 'size=50m', 'tmpfs', small.directory)
		try {
			const found = await faultsOf(async () => await lading(['doctor', '--json'], { cwd: small.directory }))
			expect(checksOf(found)).toContain('disk')
		} finally {
			await ok('/', 'umount', small.directory)
			await small.remove()
		}
		await docker('exec', NODE, 'mount', '-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', '/var/lib/containerd')
		try {
			expect(await doctor()).toContainEqual(
				expect.objectContaining({
					check: 'kind-cluster',
					seen: expect.stringMatching(/MB free where lading-control-plane/),
				}),
			)
		} finally {
			await docker('exec', NODE, 'umount', '/var/lib/containerd')
		}
	})
})

describe.sequential('down', () => {
	it('leaves the registry when asked to, and up takes it again', async () => {
		await timed('down --keep-registry', () => project.ok('down', '--keep-registry'))
		expect(await namesOf('container')).toEqual([REGISTRY])
		expect(await project.ok('tags', APPLICATION)).toContain('v1.1.0')
		const container = ['inspect', '--format', '{{.Id}}', REGISTRY]
		const before = await docker(...container)
		const made = ['--node-image', nodeImage, '--argocd-manifest', argocdManifest]
		const up = await start(['up', '--cluster', 'kind', ...made], /= registry/)
		try {
			const image = async (): Promise<string> =>
				await docker('inspect', '--format', '{{.Config.Image}}', NODE)
			await expect.poll(image, { timeout: 60_000 }).toBe(nodeImage)
		} finally {
			expect(await up.end()).toBe(130)
		}
		expect(await docker(...container)).toBe(before)
		expect(await project.ok('tags', APPLICATION)).toContain('v1.1.0')
	})

	it('leaves nothing, also of a start that was interrupted', async () => {
		await project.ok('down')
		expect(await namesOf('container')).toEqual([])
		expect(await namesOf('volume')).toEqual([])
		expect(await namesOf('network')).not.toContain('kind')
		expect(existsSync(join(directory, '.lading'))).toBe(false)
		expect(existsSync(join(directory, '.kube/config'))).toBe(false)
		expect(await project.ok('down')).toContain('Nothing to remove')
	})
})
