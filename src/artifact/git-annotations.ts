import type { Annotations } from '../oci/index.ts'
import { isSystemError } from '../errors/index.ts'

export interface GitOptions {
	/** Of the process; only `PATH` is used. */
	readonly environment: Readonly<Record<string, string | undefined>>
	readonly signal?: AbortSignal | undefined
}

/** The annotations, or a sentence's end that says why there are none: "the clone is shallow". */
export type GitAnnotations =
	| { readonly annotations: Annotations; readonly omitted?: undefined }
	| { readonly omitted: string; readonly annotations?: undefined }

/** Most of what git may print, in bytes. */
const MAX_OUTPUT = 1024 * 1024

/** Milliseconds. */
const TIMEOUT = 30_000

/**
 * Where the content of a directory comes from: revision, time of the commit (UTC) and
 * source. None where they would not tell the truth on every machine: a shallow clone, or
 * a directory with changes (ignored files do not count as such).
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
 */
export async function gitAnnotations(directory: string, options: GitOptions): Promise<GitAnnotations> {
	const git = (...args: readonly string[]): Promise<string | undefined> => runGit(directory, args, options)
	const inside = await git('rev-parse', '--is-inside-work-tree', '--is-shallow-repository')
	if (inside === undefined)
		return { omitted: 'git is not installed, or the directory is in no git repository it trusts' }
	const [isInside, isShallow] = inside.split('\n')
	if (isInside !== 'true') return { omitted: 'the directory is in no git work tree' }
	if (isShallow === 'true') return { omitted: 'the clone is shallow (git fetch --unshallow completes it)' }
	const commit = await git('log', '-1', '--no-show-signature', '--format=%H %ct')
	const match = /^([0-9a-f]{40,64}) ([0-9]{1,11})$/.exec(commit ?? '')
	if (match === null) return { omitted: 'the repository has no commit' }
	if ((await git('config', '--get-regexp', '--name-only', PROGRAMS)) !== undefined)
		return {
			omitted: 'the configuration of the repository names programs to run (git config --get-regexp filter)',
		}
	const changes = await git(
		'status',
		'--porcelain=v1',
		'--untracked-files=all',
		'--ignore-submodules=none',
		'--',
		'.',
	)
	if (changes === undefined) return { omitted: 'git could not tell whether the directory has changes' }
	if (changes !== '') return { omitted: 'the directory has changes that are not committed' }
	const remote = await git('config', '--get', 'remote.origin.url')
	const source = remote === undefined ? undefined : normalizeRemote(remote)
	return {
		annotations: {
			'org.opencontainers.image.revision': match[1] ?? '',
			'org.opencontainers.image.created': new Date(Number(match[2]) * 1000)
				.toISOString()
				.replace('.000Z', 'Z'),
			...(source !== undefined && { 'org.opencontainers.image.source': source }),
		},
	}
}

/**
 * The https address of a remote, without user, password, port of ssh and `.git`, so that
 * every way to clone gives the same.
 * @returns `undefined` for a path, and for what has no https address
 */
export function normalizeRemote(remote: string): string | undefined {
	const scp = /^(?:[^@/\s]+@)?([A-Za-z0-9.-]{2,}):(?!\/\/)\/?(.+)$/.exec(remote)
	const text = !remote.includes('://') && scp ? `ssh://${scp[1]}/${scp[2]}` : remote
	if (!URL.canParse(text)) return undefined
	const url = new URL(text)
	if (!['https:', 'http:', 'ssh:', 'git:', 'git+ssh:'].includes(url.protocol) || url.hostname === '')
		return undefined
	const port = url.protocol === 'https:' && url.port !== '' ? `:${url.port}` : ''
	const path = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')
	return path === '' ? undefined : `https://${url.hostname.toLowerCase()}${port}${path}`
}

/**
 * What the repository's own configuration could run or change is turned off; the user's
 * and the system's are not read at all.
 */
const SAFE_CONFIG: readonly string[] = [
	'core.fsmonitor=false',
	'core.hooksPath=/dev/null',
	'core.untrackedCache=false',
	'core.pager=cat',
	'core.quotePath=true',
	'log.showSignature=false',
	'submodule.recurse=false',
	'protocol.allow=never',
]

/** Keys under which a repository may name programs that `git status` runs: the content filters. */
const PROGRAMS = String.raw`^filter\..*\.(clean|smudge|process)$`

/** Output without its last line break; `undefined` when git is missing, fails, or says too much. */
async function runGit(
	directory: string,
	args: readonly string[],
	options: GitOptions,
): Promise<string | undefined> {
	const { spawn } = await import('node:child_process')
	options.signal?.throwIfAborted()
	const { PATH, Path, SystemRoot } = options.environment
	const child = spawn('git', [...SAFE_CONFIG.flatMap((each) => ['-c', each]), ...args], {
		cwd: directory,
		stdio: ['ignore', 'pipe', 'ignore'],
		windowsHide: true,
		timeout: TIMEOUT,
		killSignal: 'SIGKILL',
		...(options.signal && { signal: options.signal }),
		env: {
			...(PATH !== undefined && { PATH }),
			...(Path !== undefined && { Path }),
			...(SystemRoot !== undefined && { SystemRoot }),
			LC_ALL: 'C',
			TZ: 'UTC',
			GIT_CONFIG_NOSYSTEM: '1',
			GIT_CONFIG_GLOBAL: process.platform === 'win32' ? 'NUL' : '/dev/null',
			GIT_OPTIONAL_LOCKS: '0',
			GIT_TERMINAL_PROMPT: '0',
			GIT_NO_LAZY_FETCH: '1',
			GIT_NO_REPLACE_OBJECTS: '1',
		},
	})
	const parts: Buffer[] = []
	let size = 0
	child.stdout.on('data', (part: Buffer) => {
		size += part.byteLength
		if (size > MAX_OUTPUT) child.kill('SIGKILL')
		else parts.push(part)
	})
	const status = await new Promise<number | null | undefined>((done, fail) => {
		child.once('error', (error) => {
			if (isSystemError(error, 'ENOENT', 'EACCES')) done(undefined)
			else fail(options.signal?.aborted === true ? options.signal.reason : error)
		})
		child.once('close', done)
	})
	return status === 0 ? Buffer.concat(parts).toString('utf8').replace(/\n$/, '') : undefined
}
