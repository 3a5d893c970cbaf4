import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Layer, openLayer, packLayer } from './image.ts'

const run = promisify(execFile)

/** The last Debian whose systemd still starts where the machine has only version 1 of control groups. */
const SUITE = 'bookworm'

/** All that any of the images needs from Debian: they share one root, so that it is made and unpacked once. */
const PACKAGES = [
	// the node, after images/base/Dockerfile of kind
	'systemd dbus conntrack iptables nftables iproute2 ethtool mount kmod',
	'libseccomp2 pigz e2fsprogs bash ca-certificates curl jq procps runc',
	// Argo CD, after its Dockerfile
	'git git-lfs tini gnupg openssh-client tzdata',
	// what Argo CD and the sample run beside it
	'redis-server nginx-light',
].flatMap((line) => line.split(' '))

/** Of no use in a container, and a third of the bytes. */
const UNUSED = [
	'var/cache/apt var/lib/apt/lists var/cache/debconf var/cache/ldconfig var/log/bootstrap.log',
	'usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/lintian',
	// A node is no machine: kind's image starts none of these either.
	'etc/systemd/system/multi-user.target.wants etc/systemd/system/timers.target.wants',
	'etc/systemd/system/getty.target.wants usr/lib/systemd/system/multi-user.target.wants',
	'usr/lib/systemd/system/local-fs.target.wants usr/lib/systemd/system/basic.target.wants',
	'usr/lib/systemd/system/sockets.target.wants/systemd-udevd-control.socket',
	'usr/lib/systemd/system/sockets.target.wants/systemd-udevd-kernel.socket',
	'usr/lib/systemd/system/sockets.target.wants/systemd-initctl.socket',
	'usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service',
].flatMap((line) => line.split(' '))

/** Changes to what the root is made from, but for these lists, count here. */
const EDITION = 1

/** Names this root among all that were ever made. */
export const DEBIAN_KEY: string = createHash('sha256')
	.update(JSON.stringify([SUITE, PACKAGES, UNUSED, EDITION, process.arch]))
	.digest('hex')
	.slice(0, 16)

/**
 * The layer under every image that is not a single program, from the packages of this machine's own Debian
 * mirror. Their versions are those of the day it was made.
 */
export async function debianLayer({
	cache,
	work,
	signal,
	say,
}: {
	readonly cache: string
	readonly work: string
	readonly signal: AbortSignal
	readonly say: (line: string) => void
}): Promise<Layer> {
	const path = join(cache, `debian-${DEBIAN_KEY}.tar`)
	if (existsSync(path)) return openLayer(path)
	say('making the Debian root of the images with debootstrap')
	const root = join(work, 'debian')
	await mkdir(work, { recursive: true })
	const mirror = await ownMirror()
	const args = ['debootstrap', '--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, root, ...mirror]
	// It mounts /proc and /sys in there; ended halfway, they would stay.
	const apart = ['--mount', '--pid', '--fork', '--kill-child=SIGKILL', 'nice', '-n', '5', ...args]
	const options = { maxBuffer: 2 ** 26, signal, killSignal: 'SIGKILL' } as const
	await run('unshare', apart, options).catch((error: unknown) => {
		const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : ''
		throw new Error(`debootstrap failed:\n${said.split('\n').slice(-10).join('\n')}`, { cause: error })
	})
	for (const each of UNUSED) await rm(join(root, each), { recursive: true, force: true })
	await finish(root)
	const unfinished = join(work, 'debian.tar')
	await packLayer(root, { path: unfinished, keepOwners: true })
	await rename(unfinished, path)
	await rm(root, { recursive: true })
	return openLayer(path)
}

async function finish(root: string): Promise<void> {
	for (const empty of ['etc/resolv.conf', 'etc/hostname', 'etc/machine-id'])
		await writeFile(join(root, empty), '')
	// As the image of Argo CD has it.
	await run('chroot', [root, 'useradd', '--system', '--create-home', '--uid', '999', 'argocd'])
	await run('chroot', [root, 'git', 'lfs', 'install', '--skip-repo', '--system'])
}

/** The archive that apt of this machine reads; none on another system, where debootstrap knows one. */
async function ownMirror(): Promise<readonly string[]> {
	const format = '$(ORIGIN) $(REPO_URI)'
	const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
	const line = stdout.split('\n').find((each) => each.startsWith('Debian '))
	return line === undefined ? [] : [line.slice('Debian '.length)]
}
