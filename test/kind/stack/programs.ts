import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
	type Cache,
	cacheRoot,
	GO_TOOLCHAIN,
	kubernetesFlags,
	MODULE,
	type ModuleFiles,
	type Tool,
	versionOf,
} from '../../real/stack/tools.ts'

const MODULES = resolve(import.meta.dirname, '../go')
const STRIPPED = '-s -w'

/** Of kind's base image, without what no node here uses. */
const CONTAINERD_TAGS = 'no_btrfs,no_devmapper,no_zfs,no_aufs'

/** What a node consists of beside Debian and what the real stack has: each group pinned by a go.mod of its own. */
function tools(): readonly Tool[] {
	const at = (module: string) => join(MODULES, module)
	const version = (module: string, path: string): string =>
		versionOf(readFileSync(join(at(module), 'go.mod'), 'utf8'), path)
	const containerd = (name: string): Tool => ({
		name,
		package: `github.com/containerd/containerd/v2/cmd/${name}`,
		ldflags: `${STRIPPED} -X github.com/containerd/containerd/v2/version.Version=${version('containerd', 'github.com/containerd/containerd/v2')}`,
		tags: CONTAINERD_TAGS,
		module: at('containerd'),
	})
	const plugin = (kind: string, name: string): Tool => ({
		name,
		package: `github.com/containernetworking/plugins/plugins/${kind}/${name}`,
		ldflags: STRIPPED,
		module: at('cni'),
	})
	const kubernetes = (name: string): Tool => ({
		name,
		package: `k8s.io/kubernetes/cmd/${name}`,
		ldflags: `${STRIPPED} ${kubernetesFlags(KUBERNETES)}`,
	})
	return [
		{ name: 'runtime', package: '.', ldflags: STRIPPED, module: at('runtime') },
		{ name: 'kind', package: 'sigs.k8s.io/kind', ldflags: STRIPPED, module: at('kind') },
		plugin('ipam', 'host-local'),
		plugin('main', 'loopback'),
		plugin('main', 'ptp'),
		plugin('meta', 'portmap'),
		{ name: 'crictl', package: 'sigs.k8s.io/cri-tools/cmd/crictl', ldflags: STRIPPED, module: at('crictl') },
		...['ctr', 'containerd', 'containerd-shim-runc-v2'].map(containerd),
		{ name: 'coredns', package: '.', ldflags: STRIPPED, module: at('coredns') },
		...['kube-proxy', 'kubeadm', 'kubelet'].map(kubernetes),
	]
}

const realModule = readFileSync(join(MODULE, 'go.mod'), 'utf8')

/** `v1.2.3`, as all images of Kubernetes are tagged. */
export const KUBERNETES: string = versionOf(realModule, 'k8s.io/kubernetes')
export const ARGOCD: string = versionOf(realModule, 'github.com/argoproj/argo-cd/v3')
export const KIND: string = versionOf(readFileSync(join(MODULES, 'kind/go.mod'), 'utf8'), 'sigs.k8s.io/kind')

/** The manifest that installs Argo CD, as it is. */
const INSTALL: ModuleFiles = {
	name: 'argocd-install.yaml',
	module: 'github.com/argoproj/argo-cd/v3',
	paths: ['manifests/install.yaml'],
}

export const argocdManifest = (programs: Pick<Cache, 'directory'>): string =>
	join(programs.directory, INSTALL.name)

/** The programs that only the tests on kind need; the others are those of the real stack. */
export function openPrograms(env: NodeJS.ProcessEnv = process.env): Cache {
	const list = tools()
	const key = createHash('sha256').update(`${GO_TOOLCHAIN} ${process.platform}/${process.arch}`)
	for (const tool of list) {
		key.update(JSON.stringify({ ...tool, module: undefined }))
		for (const file of ['go.mod', 'go.sum', 'main.go']) {
			const path = join(tool.module ?? MODULE, file)
			if (existsSync(path)) key.update(readFileSync(path))
		}
	}
	const directory = join(cacheRoot(env), 'kind', `programs-${key.digest('hex').slice(0, 16)}`)
	const isMissing = ({ name }: { readonly name: string }): boolean => !existsSync(join(directory, name))
	return {
		directory,
		tools: list,
		missing: () => ({ tools: list.filter(isMissing), files: [INSTALL].filter(isMissing) }),
	}
}
