import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Image, PATH } from './image.ts'
import { KUBERNETES } from './programs.ts'
import { type Entry, programs } from './tree.ts'

const run = promisify(execFile)

/** Where the node's mirror listens; nobody but its containerd asks. */
const MIRROR_PORT = 5999
/** The one node's share of kind's default Pod network. */
const POD_SUBNET = '10.244.0.0/24'
const PAUSE = /sandbox_image = ".*"/

export interface NodeParts {
	/** Directory with the programs of the real stack. */
	readonly real: string
	/** Directory with those of a node. */
	readonly own: string
	/** kind's `images/base/files`. */
	readonly kindFiles: string
	/** The image that holds a Pod's namespaces. */
	readonly pause: string
}

export const NODE_CONFIG: Image['config'] = {
	Entrypoint: ['/usr/local/bin/entrypoint', '/sbin/init'],
	Env: [PATH, 'container=docker'],
}

/**
 * What makes a node of a Debian root: what kind's `images/base/Dockerfile` and `kind build node-image` put there,
 * and where it differs, the reason.
 */
export async function nodeEntries(parts: NodeParts): Promise<readonly Entry[]> {
	return [
		...(await kindEntries(parts.kindFiles)),
		...programs(['containerd', 'containerd-shim-runc-v2', 'ctr', 'crictl'], {
			from: parts.own,
			to: 'usr/local/bin',
		}),
		...programs(['host-local', 'loopback', 'ptp', 'portmap'], { from: parts.own, to: 'opt/cni/bin' }),
		...programs(['kubelet', 'kubeadm'], { from: parts.own, to: 'usr/bin' }),
		...programs(['kubectl'], { from: parts.real, to: 'usr/bin' }),
		...['containerd', 'kubelet', 'undo-mount-hacks', 'mirror'].map((unit) => ({
			at: `etc/systemd/system/multi-user.target.wants/${unit}.service`,
			linkTo: `/etc/systemd/system/${unit}.service`,
		})),
		// Its registrations would be the machine's own.
		{ at: 'etc/systemd/system/systemd-binfmt.service', linkTo: '/dev/null' },
		{ at: 'etc/systemd/journald.conf.d/kind.conf', text: '[Journal]\nReadKMsg=no\n' },
		{ at: 'usr/sbin/init', linkTo: '/usr/lib/systemd/systemd' },
		{ at: 'etc/kubernetes/manifests', directory: true },
		{ at: 'etc/containerd/config.toml', text: await containerdConfig(parts) },
		{ at: 'etc/containerd/cri-base.json', text: await runtimeSpec(join(parts.own, 'ctr')) },
		// From 1.35 on the kubelet refuses version 1 of control groups unless it is told.
		{
			at: 'etc/default/kubelet',
			text: 'KUBELET_EXTRA_ARGS=--runtime-cgroups=/system.slice/containerd.service --fail-cgroupv1=false\n',
		},
		{ at: 'kind/version', text: KUBERNETES },
		...network(),
		...mirror(),
	]
}

/** Files of kind's base image; ours stand for two of them. */
async function kindEntries(directory: string): Promise<readonly Entry[]> {
	const replaced = new Set(['etc/containerd/config.toml', 'etc/default/kubelet'])
	const found = await readdir(directory, { recursive: true, withFileTypes: true })
	return found
		.filter((file) => file.isFile())
		.map((file) => join(file.parentPath, file.name).slice(directory.length + 1))
		.filter((at) => /^(etc|usr|kind)\//.test(at) && !replaced.has(at))
		.map((at) => ({
			at,
			copyOf: join(directory, at),
			mode: /^(usr\/local|kind)\/bin\//.test(at) ? 0o755 : 0o644,
		}))
}

async function containerdConfig({ kindFiles, pause }: NodeParts): Promise<string> {
	const text = await readFile(join(kindFiles, 'etc/containerd/config.toml'), 'utf8')
	const wanted = text
		.replace(PAUSE, `sandbox_image = "${pause}"`)
		// Without CAP_SYS_RESOURCE nothing can be made less likely to be killed than the engine is.
		.replace('restrict_oom_score_adj = false', 'restrict_oom_score_adj = true')
	if (!wanted.includes(pause) || !wanted.includes('restrict_oom_score_adj = true'))
		throw new Error("kind's configuration of containerd is not what it was: see containerdConfig")
	return wanted
}

/** What every container starts from, with the hook that hides the machine's identity. */
async function runtimeSpec(ctr: string): Promise<string> {
	const { stdout } = await run(ctr, ['oci', 'spec'])
	const spec = JSON.parse(stdout) as { readonly process: object; readonly hooks?: object }
	return JSON.stringify({
		...spec,
		process: { ...spec.process, rlimits: undefined },
		hooks: { ...spec.hooks, createContainer: [{ path: '/kind/bin/mount-product-files.sh' }] },
	})
}

/** kindnetd is in no module that Go can fetch: its network for one node, and what `kind create` wants to apply. */
function network(): readonly Entry[] {
	const ipam = {
		type: 'host-local',
		dataDir: '/run/cni-ipam-state',
		routes: [{ dst: '0.0.0.0/0' }],
		ranges: [[{ subnet: POD_SUBNET }]],
	}
	const plugins = [
		{ type: 'ptp', ipMasq: true, mtu: 1500, ipam },
		{ type: 'portmap', capabilities: { portMappings: true } },
	]
	const note = {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: { name: 'network-of-the-node-image', namespace: 'kube-system' },
	}
	const storage = {
		apiVersion: 'storage.k8s.io/v1',
		kind: 'StorageClass',
		metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
		provisioner: 'kubernetes.io/no-provisioner',
		volumeBindingMode: 'WaitForFirstConsumer',
	}
	return [
		{
			at: 'etc/cni/net.d/10-kindnet.conflist',
			text: JSON.stringify({ cniVersion: '0.3.1', name: 'kindnet', plugins }),
		},
		{ at: 'kind/manifests/default-cni.yaml', text: JSON.stringify(note) },
		{ at: 'kind/manifests/default-storage.yaml', text: JSON.stringify(storage) },
	]
}

/**
 * A registry in the node that has all images under their real names, as containerd's mirror for every host: nothing
 * can be pulled from outside, and manifests that say `imagePullPolicy: Always` work as they are.
 */
function mirror(): readonly Entry[] {
	return [
		{
			at: 'etc/containerd/certs.d/_default/hosts.toml',
			text: `[host."http://127.0.0.1:${MIRROR_PORT}"]\n  capabilities = ["pull", "resolve"]\n`,
		},
		{ at: 'kind/mirror/nginx.conf', text: MIRROR_CONFIG },
		{
			at: 'etc/systemd/system/mirror.service',
			text: `[Unit]
Description=Images of the node
Before=containerd.service kubelet.service

[Service]
ExecStart=/usr/sbin/nginx -c /kind/mirror/nginx.conf
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`,
		},
	]
}

/** `ns` is the registry that is stood in for: containerd's own parameter. Tags and digests are files. */
const MIRROR_CONFIG = `daemon off;
worker_processes 1;
pid /run/mirror.pid;
error_log stderr warn;
events {}
http {
	access_log off;
	sendfile on;
	types {}
	server {
		listen 127.0.0.1:${MIRROR_PORT};
		root /kind/mirror;
		location = /v2/ {
			return 200;
		}
		location ~ ^/v2/(?<repository>.+)/manifests/(?<reference>[^/]+)$ {
			default_type application/vnd.oci.image.manifest.v1+json;
			try_files /manifests/$arg_ns/$repository/$reference =404;
		}
		location ~ ^/v2/.+/blobs/(?<digest>[^/]+)$ {
			default_type application/octet-stream;
			try_files /blobs/$digest =404;
		}
	}
}
`
