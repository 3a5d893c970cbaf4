import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statfsSync, mkdirSync } from 'node:fs'
import { findOnPath } from '../../real/stack/build.ts'
import { GO_TOOLCHAIN } from '../../real/stack/tools.ts'

/** Programs, and the Debian package that has each. */
const PROGRAMS: Readonly<Record<string, string>> = {
	dockerd: 'docker.io',
	docker: 'docker.io',
	runc: 'runc',
	iptables: 'iptables',
	ip: 'iproute2',
	unshare: 'util-linux',
	setpriv: 'util-linux',
	tar: 'tar',
}

/** Of those, what only making the images needs. */
const BUILDERS: Readonly<Record<string, string>> = { debootstrap: 'debootstrap', 'apt-get': 'apt' }

/** A node with Argo CD, its images unpacked, and twice that while they are made. */
const RUN_BYTES = 8e9
const BUILD_BYTES = 20e9

export interface Lacking {
	/** What would have been done next. */
	readonly step: string
	readonly why: string
}

/** The first thing this machine cannot do, in the order in which it would be done. */
export function whatIsLacking({
	cache,
	isBuilt,
}: {
	readonly cache: string
	readonly isBuilt: boolean
}): Lacking | undefined {
	const step = isBuilt ? 'starting a Docker engine' : 'building the images'
	if (process.platform !== 'linux') return { step, why: `it needs Linux, and this is ${process.platform}` }
	if (process.getuid?.() !== 0) return { step, why: 'it needs root, for namespaces, debootstrap and dockerd' }
	const programs = Object.entries(isBuilt ? PROGRAMS : { ...BUILDERS, ...PROGRAMS })
	const missing = programs.filter(([name]) => findOnPath(name) === undefined)
	if (missing.length > 0) {
		const names = missing.map(([name]) => name).join(', ')
		const packages = [...new Set(missing.map(([, each]) => each))].join(' ')
		return { step, why: `there is no ${names} on PATH (apt-get install ${packages})` }
	}
	if (!isBuilt && findOnPath('go') === undefined)
		return { step, why: `there is no go on PATH, 1.21 or newer, which fetches ${GO_TOOLCHAIN}` }
	mkdirSync(cache, { recursive: true })
	const needed = isBuilt ? RUN_BYTES : BUILD_BYTES
	const { bavail, bsize } = statfsSync(cache)
	if (bavail * bsize < needed)
		return { step, why: `${cache} has ${gigabytes(bavail * bsize)} free and ${gigabytes(needed)} are needed` }
	if (!existsSync('/sys/fs/cgroup')) return { step, why: 'there are no control groups at /sys/fs/cgroup' }
	try {
		execFileSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { stdio: 'pipe' })
	} catch (error) {
		return { step: 'making namespaces', why: error instanceof Error ? error.message : String(error) }
	}
	return undefined
}

/** Whether root here has every capability that the kernel knows: a container with all of them needs that. */
export function hasAllCapabilities(): boolean {
	const bounding = /^CapBnd:\s*([\da-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
	const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'))
	return BigInt(`0x${bounding}`) === (1n << BigInt(last + 1)) - 1n
}

function gigabytes(bytes: number): string {
	return `${Math.round(bytes / 1e9)} GB`
}
