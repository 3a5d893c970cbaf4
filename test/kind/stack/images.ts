import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { moduleDirectory } from '../../real/stack/build.ts'
import { DEBIAN_KEY, debianLayer } from './debian.ts'
import { addToMirror, type Image, type Layer, packLayer, PATH, writeArchive } from './image.ts'
import { NODE_IMAGE, REGISTRY_IMAGE } from './machine.ts'
import { NODE_CONFIG, nodeEntries } from './node.ts'
import { ARGOCD, KIND, KUBERNETES } from './programs.ts'
import { type Entry, plant, programs } from './tree.ts'

/** What kubeadm of this version asks for, and what the manifests of this Argo CD name. */
const PAUSE = 'registry.k8s.io/pause:3.10.2'
const ETCD = 'registry.k8s.io/etcd:3.7.0-0'
const COREDNS = 'registry.k8s.io/coredns/coredns:v1.14.6'
const ARGOCD_MODULE = 'github.com/argoproj/argo-cd/v3'
const NGINX_TAGS = ['1.27-alpine', '1.28-alpine', '1.29-alpine']

export interface ImageSources {
	/** Directories with programs. */
	readonly real: string
	readonly own: string
	/** Where finished archives and the Debian layer are kept. */
	readonly cache: string
	/** A directory for what is thrown away, on the same file system as the cache. */
	readonly work: string
	readonly signal: AbortSignal
	readonly say: (line: string) => void
}

export interface Archives {
	readonly node: string
	readonly registry: string
}

/** Where the archives are for these inputs, once they are made. */
export function archivesOf(sources: Pick<ImageSources, 'real' | 'own' | 'cache'>): Archives {
	const key = inputKey(sources)
	return {
		node: join(sources.cache, `node-${key}.tar`),
		registry: join(sources.cache, `registry-${key}.tar`),
	}
}

/** The archives that `docker load` takes, made when the cache has none of these inputs. */
export async function makeArchives(sources: ImageSources): Promise<Archives> {
	const { node, registry } = archivesOf(sources)
	await mkdir(sources.cache, { recursive: true })
	await mkdir(sources.work, { recursive: true })
	// Made where the run's own things are, and moved when whole: what stands in the cache is good.
	const finish = async (image: Image, path: string): Promise<void> => {
		const unfinished = join(sources.work, basename(path))
		await writeArchive(image, unfinished)
		await rename(unfinished, path)
	}
	if (!existsSync(registry)) await finish(await registryImage(sources), registry)
	if (!existsSync(node)) {
		const debian = await debianLayer(sources)
		sources.say('making the images and the node image that has them')
		await finish(await nodeImage(sources, debian), node)
		await removeOthers(sources.cache, [node, registry])
	}
	return { node, registry }
}

/** The scripts of this folder decide what is in an image as much as the programs do. */
function inputKey({ real, own }: Pick<ImageSources, 'real' | 'own'>): string {
	const hash = createHash('sha256').update(
		JSON.stringify([basename(real), basename(own), DEBIAN_KEY, KIND, ARGOCD]),
	)
	for (const file of ['image.ts', 'images.ts', 'node.ts', 'tree.ts'])
		hash.update(readFileSync(join(import.meta.dirname, file)))
	return hash.digest('hex').slice(0, 16)
}

/** Of an earlier state of the inputs: nobody will ask for them again. */
async function removeOthers(cache: string, kept: readonly string[]): Promise<void> {
	for (const name of await readdir(cache)) {
		const path = join(cache, name)
		if (/^(node|registry)-.*\.tar$/.test(name) && !kept.includes(path)) await rm(path)
	}
}

async function layerOf(sources: ImageSources, name: string, entries: readonly Entry[]): Promise<Layer> {
	const root = join(sources.work, name)
	await plant(root, entries)
	const layer = await packLayer(root, { path: join(sources.work, `${name}.tar`) })
	await rm(root, { recursive: true })
	return layer
}

async function registryImage(sources: ImageSources): Promise<Image> {
	const config = `version: 0.1
log:
  level: info
storage:
  filesystem:
    rootdirectory: /var/lib/registry
  delete:
    enabled: true
http:
  addr: :5000
`
	const entries: readonly Entry[] = [
		...programs(['registry'], { from: sources.real, to: 'bin' }),
		{ at: 'etc/distribution/config.yml', text: config },
		{ at: 'var/lib/registry', directory: true },
		{ at: 'tmp', directory: true, mode: 0o1777 },
	]
	return {
		name: REGISTRY_IMAGE,
		layers: [await layerOf(sources, 'registry', entries)],
		config: {
			Entrypoint: ['registry'],
			Cmd: ['serve', '/etc/distribution/config.yml'],
			Env: [PATH, 'OTEL_TRACES_EXPORTER=none'],
			ExposedPorts: { '5000/tcp': {} },
			Volumes: { '/var/lib/registry': {} },
		},
	}
}

async function nodeImage(sources: ImageSources, debian: Layer): Promise<Image> {
	const images = [...(await systemImages(sources, debian)), ...(await applicationImages(sources, debian))]
	const root = join(sources.work, 'mirror')
	for (const image of images) await addToMirror(image, join(root, 'kind/mirror'))
	const mirror = await packLayer(root, { path: join(sources.work, 'mirror.tar') })
	await rm(root, { recursive: true })
	const kindFiles = join(await moduleDirectory('sigs.k8s.io/kind', KIND), 'images/base/files')
	const node = await layerOf(
		sources,
		'node',
		await nodeEntries({ real: sources.real, own: sources.own, kindFiles, pause: PAUSE }),
	)
	return { name: NODE_IMAGE, layers: [debian, mirror, node], config: NODE_CONFIG }
}

/** What kubeadm starts. */
async function systemImages(sources: ImageSources, debian: Layer): Promise<readonly Image[]> {
	const single = async (name: string, program: string, from: string): Promise<Image> => ({
		name,
		layers: [await layerOf(sources, program, programs([program], { from, to: 'usr/local/bin' }))],
		config: { Entrypoint: [`/usr/local/bin/${program}`], Env: [PATH] },
	})
	const kubernetes = (program: string): Promise<Image> =>
		single(`registry.k8s.io/${program}:${KUBERNETES}`, program, sources.real)
	const proxy = programs(['kube-proxy'], { from: sources.own, to: 'usr/local/bin' })
	return [
		// Whatever sleeps holds namespaces.
		{
			name: PAUSE,
			layers: [debian],
			config: { Entrypoint: ['/usr/bin/tini', '--', 'sleep', 'infinity'], Env: [PATH] },
		},
		await kubernetes('kube-apiserver'),
		await kubernetes('kube-controller-manager'),
		await kubernetes('kube-scheduler'),
		await single(ETCD, 'etcd', sources.real),
		await single(COREDNS, 'coredns', sources.own),
		{
			name: `registry.k8s.io/kube-proxy:${KUBERNETES}`,
			layers: [debian, await layerOf(sources, 'kube-proxy', proxy)],
			config: { Entrypoint: ['/usr/local/bin/kube-proxy'], Env: [PATH] },
		},
	]
}

/** Argo CD and what its manifests want beside it, and what the sample runs. */
async function applicationImages(sources: ImageSources, debian: Layer): Promise<readonly Image[]> {
	const argocd = await moduleDirectory(ARGOCD_MODULE, ARGOCD)
	const named = imagesOf(join(argocd, 'manifests/install.yaml'))
	return [
		{
			name: named('quay.io/argoproj/argocd'),
			layers: [debian, await layerOf(sources, 'argocd', argocdEntries(sources, argocd))],
			config: {
				Entrypoint: ['/usr/bin/tini', '--'],
				Env: [PATH, 'USER=argocd', 'GRPC_ENABLE_TXT_SERVICE_CONFIG=false', 'ARGOCD_USER_ID=999'],
				User: '999',
				WorkingDir: '/home/argocd',
			},
		},
		{
			name: named('public.ecr.aws/docker/library/redis'),
			layers: [debian],
			config: { Entrypoint: ['/usr/bin/redis-server'], Env: [PATH], WorkingDir: '/tmp' },
		},
		{ name: named('ghcr.io/dexidp/dex'), layers: [debian, await dexLayer(sources)], config: { Env: [PATH] } },
		...NGINX_TAGS.map((tag) => ({
			name: `docker.io/library/nginx:${tag}`,
			layers: [debian],
			config: {
				Entrypoint: ['/usr/sbin/nginx', '-g', 'daemon off;'],
				Env: [PATH],
				ExposedPorts: { '80/tcp': {} },
			},
		})),
	]
}

/** A stand-in: Argo CD starts it at once, and asks nothing of it until someone configures single sign-on. */
function dexLayer(sources: ImageSources): Promise<Layer> {
	const text = '#!/bin/sh\nexec sleep infinity\n'
	return layerOf(sources, 'dex', [{ at: 'usr/local/bin/dex', text, mode: 0o755 }])
}

/** As the Dockerfile of Argo CD puts them together. */
function argocdEntries(sources: ImageSources, module: string): readonly Entry[] {
	const bin = 'usr/local/bin'
	const roles =
		'server repo-server cmp-server application-controller dex notifications applicationset-controller k8s-auth commit-server'
	return [
		...programs(['argocd', 'helm', 'kustomize'], { from: sources.real, to: bin }),
		...programs(['gpg-wrapper.sh', 'git-verify-wrapper.sh'], { from: join(module, 'hack'), to: bin }),
		...programs(['entrypoint.sh'], { from: module, to: bin }),
		{ at: `${bin}/uid_entrypoint.sh`, linkTo: '/usr/local/bin/entrypoint.sh' },
		...roles.split(' ').map((role) => ({ at: `${bin}/argocd-${role}`, linkTo: '/usr/local/bin/argocd' })),
		{ at: 'app/config/ssh/ssh_known_hosts', text: '' },
		{ at: 'etc/ssh/ssh_known_hosts', linkTo: '/app/config/ssh/ssh_known_hosts' },
		{ at: 'app/config/tls', directory: true },
		{ at: 'app/config/gpg/source', directory: true },
		{ at: 'app/config/gpg/keys', directory: true, mode: 0o777 },
	]
}

/** @returns the full name of an image that a manifest mentions */
function imagesOf(manifest: string): (repository: string) => string {
	const names = readFileSync(manifest, 'utf8').match(/(?<=image: )\S+/g) ?? []
	return (repository) => {
		const name = names.find((each) => each.startsWith(`${repository}:`))
		if (name === undefined) throw new Error(`${manifest} has no image ${repository}`)
		return name
	}
}
