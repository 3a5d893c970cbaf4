import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative, resolve } from 'node:path'

/** The module whose go.mod pins what the stack is made of. */
export const MODULE: string = resolve(import.meta.dirname, '..')

/** go.mod of Argo CD asks for 1.27; the Go on PATH fetches it as a module. */
export const GO_TOOLCHAIN = 'go1.27.3'

/** A program, and how Go makes it. */
export interface Tool {
	readonly name: string
	/** With `@VERSION` for one that has a go.mod of its own and cannot share ours. */
	readonly package: string
	readonly ldflags: string
	/** Build tags, with commas between them. */
	readonly tags?: string
	/** Directory of the go.mod that pins it. Default: MODULE. */
	readonly module?: string
	/** Of that module, in a copy: module to the version that is required in the place of another. */
	readonly requires?: Readonly<Record<string, string>>
}

/** Without symbols. */
export const STRIPPED = '-s -w'

/** Everything the stack runs, the quick ones first. */
export function toolsOf(goMod: string): readonly Tool[] {
	const argocd = versionOf(goMod, 'github.com/argoproj/argo-cd/v3')
	const kubernetes = versionOf(goMod, 'k8s.io/kubernetes')
	const kwok = versionOf(goMod, 'sigs.k8s.io/kwok')
	const kustomize = versionOf(goMod, 'sigs.k8s.io/kustomize/kustomize/v5')
	const stamped = {
		argocd: argocdFlags(argocd),
		kubernetes: kubernetesFlags(kubernetes),
		kwok: set('sigs.k8s.io/kwok/pkg/consts', { Version: kwok }),
		kustomize: set('sigs.k8s.io/kustomize/api/provenance', { version: kustomize }),
	}
	const tool = (name: string, path: string, flags = ''): Tool => ({
		name,
		package: path,
		ldflags: `${STRIPPED} ${flags}`.trim(),
	})
	return [
		tool('etcd', 'go.etcd.io/etcd/server/v3'),
		tool('oras', 'oras.land/oras/cmd/oras@v1.3.6'),
		tool('registry', 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2'),
		// The version that the image of Argo CD 3.6 has.
		tool('helm', 'helm.sh/helm/v4/cmd/helm@v4.3.1'),
		tool('kustomize', 'sigs.k8s.io/kustomize/kustomize/v5', stamped.kustomize),
		tool('kubectl', 'k8s.io/kubernetes/cmd/kubectl', stamped.kubernetes),
		tool('kwok', 'sigs.k8s.io/kwok/cmd/kwok', stamped.kwok),
		tool('dev-mounter', 'github.com/argoproj/argo-cd/v3/hack/dev-mounter'),
		tool('kube-scheduler', 'k8s.io/kubernetes/cmd/kube-scheduler', stamped.kubernetes),
		tool('kube-controller-manager', 'k8s.io/kubernetes/cmd/kube-controller-manager', stamped.kubernetes),
		tool('kube-apiserver', 'k8s.io/kubernetes/cmd/kube-apiserver', stamped.kubernetes),
		tool('argocd', 'github.com/argoproj/argo-cd/v3/cmd', stamped.argocd),
	]
}

export interface ModuleFiles {
	/** Of the one file here that has all of them. */
	readonly name: string
	readonly module: string
	/** Inside the module. */
	readonly paths: readonly string[]
}

/** Files of the modules that the stack reads. */
export const FILES: readonly ModuleFiles[] = [
	{
		name: 'argocd-crds.yaml',
		module: 'github.com/argoproj/argo-cd/v3',
		paths: ['application', 'appproject', 'applicationset'].map((kind) => `manifests/crds/${kind}-crd.yaml`),
	},
	{
		name: 'argocd-config.yaml',
		module: 'github.com/argoproj/argo-cd/v3',
		paths: [
			'cm',
			'cmd-params-cm',
			'gpg-keys-cm',
			'rbac-cm',
			'secret',
			'ssh-known-hosts-cm',
			'tls-certs-cm',
		].map((object) => `manifests/base/config/argocd-${object}.yaml`),
	},
	{
		name: 'kwok-stages.yaml',
		module: 'sigs.k8s.io/kwok',
		paths: [
			'node/fast/node-initialize',
			'node/heartbeat-with-lease/node-heartbeat-with-lease',
			'pod/fast/pod-ready',
			'pod/fast/pod-complete',
			'pod/fast/pod-delete',
		].map((stage) => `kustomize/stage/${stage}.yaml`),
	},
]

export interface Cache {
	/** What Go builds, for exactly this go.mod, these flags and this system. */
	readonly directory: string
	readonly tools: readonly Tool[]
	/** What is not there yet. */
	missing(): { readonly tools: readonly Tool[]; readonly files: readonly ModuleFiles[] }
}

/** Where everything is kept that tests build once. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
	return env.LADING_TEST_CACHE ?? join(homedir(), '.cache/lading-test')
}

export function openCache(env: NodeJS.ProcessEnv = process.env): Cache {
	const goMod = readFileSync(join(MODULE, 'go.mod'), 'utf8')
	return cacheOf({ tools: toolsOf(goMod), files: FILES }, env)
}

/** A directory for these, of our go.mod; another one when anything of that, or of `source`, changes. */
export function cacheOf(
	content: {
		readonly tools: readonly Tool[]
		readonly files: readonly ModuleFiles[]
		readonly source?: readonly string[]
	},
	env: NodeJS.ProcessEnv,
): Cache {
	const { tools, files, source = [] } = content
	const pins = ['go.mod', 'go.sum'].map((name) => readFileSync(join(MODULE, name), 'utf8'))
	// The same wherever the project lies.
	const made = tools.map(({ module, ...tool }) => ({ ...tool, module: module && relative(MODULE, module) }))
	const key = createHash('sha256')
		.update(JSON.stringify([...pins, made, files, GO_TOOLCHAIN, ...source]))
		.update(`${process.platform}/${process.arch}`)
		.digest('hex')
		.slice(0, 16)
	const directory = join(cacheRoot(env), 'real', key)
	const isMissing = ({ name }: { readonly name: string }): boolean => !existsSync(join(directory, name))
	return {
		directory,
		tools,
		missing: () => ({ tools: tools.filter(isMissing), files: files.filter(isMissing) }),
	}
}

/** The version that go.mod requires of a module. */
export function versionOf(goMod: string, module: string): string {
	const line = goMod.split('\n').find((each) => each.trim().startsWith(`${module} v`))
	const version = line?.trim().split(' ')[1]
	if (version === undefined) throw new Error(`go.mod requires no ${module}`)
	return version
}

function set(path: string, values: Readonly<Record<string, string>>): string {
	return Object.entries(values)
		.map(([name, value]) => `-X ${path}.${name}=${value}`)
		.join(' ')
}

function argocdFlags(version: string): string {
	return set('github.com/argoproj/argo-cd/v3/common', {
		version: version.slice(1),
		buildDate: '1970-01-01T00:00:00Z',
		gitTreeState: 'clean',
		gitTag: version,
		gitCommit: '0'.repeat(40),
	})
}

/** What makes a program of Kubernetes say its version. */
export function kubernetesFlags(version: string): string {
	const [major = '', minor = ''] = version.slice(1).split('.')
	return set('k8s.io/component-base/version', {
		gitVersion: version,
		gitMajor: major,
		gitMinor: minor,
		gitTreeState: 'clean',
		buildDate: '1970-01-01T00:00:00Z',
	})
}
