import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { program, type Project } from '../test/e2e/program.ts'
import { onRealStack, type Stack, writeSample } from '../test/real/stack/index.ts'

// From a push to Synced at what was pushed, on the real Argo CD: `npm run bench:deploy`.
// The contenders take turns, and each is reported as its median, because machines are noisy.
// What Argo CD finds by polling alone is measured once: it takes minutes.

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
const POLLING_MS = 15 * 60_000
const SYNCED_MS = 60_000

interface Contender {
	readonly name: string
	readonly application: string
	/** Pushes the directory and tells Argo CD, or does not. @returns the digest */
	readonly push: (directory: string) => Promise<string>
	readonly rounds: number
	readonly timeoutMs: number
}

onRealStack('from a push to Synced', (stack) => {
	const { tls } = stack.registries
	const project = stack.project()
	const place = (application: string): string => `${tls.host}/${application}:latest`

	const contenders: readonly Contender[] = [
		{
			name: 'lading push',
			application: 'bench-lading',
			async push(directory) {
				const to = [directory, place('bench-lading'), ...tls.flags, '--cluster', stack.cluster, '--quiet']
				return digestIn(await project.ok('push', ...to))
			},
			rounds: ROUNDS,
			timeoutMs: SYNCED_MS,
		},
		{
			name: 'oras push, kubectl annotate',
			application: 'bench-oras',
			async push(directory) {
				const digest = await orasPush(stack, directory, place('bench-oras'))
				const refresh = 'argocd.argoproj.io/refresh=normal'
				await stack.kubectl('annotate', 'application', 'bench-oras', '-n', 'argocd', '--overwrite', refresh)
				return digest
			},
			rounds: ROUNDS,
			timeoutMs: SYNCED_MS,
		},
		{
			name: `oras push, polling (every ${process.env.LADING_TEST_RESYNC ?? '120s'}, no jitter)`,
			application: 'bench-polling',
			push: (directory) => orasPush(stack, directory, place('bench-polling')),
			rounds: process.env.BENCH_POLLING === '0' ? 0 : 1,
			timeoutMs: POLLING_MS,
		},
	]

	it('is measured', { timeout: POLLING_MS + ROUNDS * 2 * SYNCED_MS }, async () => {
		await project.ok('trust', tls.host, ...tls.flags, '--cluster', stack.cluster)
		for (const { application } of contenders) await deploy(project, { stack, application, place })
		const times = new Map<Contender, number[]>(contenders.map((each) => [each, []]))
		// The first round warms up; who is measured less often is measured last.
		for (let round = 0; round <= ROUNDS; round++) {
			for (const contender of contenders) {
				const first = contender.rounds === ROUNDS ? 0 : ROUNDS + 1 - contender.rounds
				if (round < first) continue
				const directory = writeSample(join(project.directory, contender.application), {
					name: contender.application,
					version: `1.${round}.0`,
				})
				const ms = await measure(stack, contender, directory)
				if (round > 0) times.get(contender)?.push(ms)
			}
		}
		process.stdout.write(`${table(times)}\n`)
		for (const [{ rounds }, measured] of times) expect(measured).toHaveLength(rounds)
	})
})

async function deploy(
	project: Project,
	{
		stack,
		application,
		place,
	}: { readonly stack: Stack; readonly application: string; readonly place: (name: string) => string },
): Promise<void> {
	const { tls } = stack.registries
	writeSample(join(project.directory, application), { name: application })
	await project.ok('push', application, place(application), ...tls.flags)
	await project.ok('deploy', application, place(application), ...tls.flags, '--cluster', stack.cluster)
}

/** @returns milliseconds from the start of the push until Argo CD says Synced at its digest */
async function measure(
	stack: Stack,
	{ application, push, timeoutMs }: Contender,
	directory: string,
): Promise<number> {
	const watch = watchRevisions(stack, application)
	try {
		await watch.started
		const begun = performance.now()
		const digest = await push(directory)
		return (await watch.seen(digest, timeoutMs)) - begun
	} finally {
		watch.process.kill()
	}
}

interface RevisionWatch {
	readonly process: ChildProcess
	readonly started: Promise<void>
	/** When the Application was first said to be Synced at a digest. */
	seen(digest: string, timeoutMs: number): Promise<number>
}

function watchRevisions(stack: Stack, application: string): RevisionWatch {
	const shown = 'jsonpath={.status.sync.status} {.status.sync.revision}{"\\n"}'
	const child = spawn(
		join(stack.data.bin, 'kubectl'),
		['get', 'application', application, '-n', 'argocd', '--watch', '-o', shown],
		{
			env: { ...process.env, KUBECONFIG: stack.kubernetes.kubeconfig },
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	)
	const times = new Map<string, number>()
	let look = (): void => {}
	const started = new Promise<void>((resolve) => {
		createInterface({ input: child.stdout }).on('line', (line) => {
			resolve()
			const [status, revision = ''] = line.split(' ')
			if (status === 'Synced' && !times.has(revision)) times.set(revision, performance.now())
			look()
		})
	})
	return {
		process: child,
		started,
		seen: (digest, timeoutMs) =>
			new Promise((resolve, reject) => {
				const timer = setTimeout(
					() => reject(new Error(`${application} is not Synced at ${digest} after ${timeoutMs} ms`)),
					timeoutMs,
				)
				look = () => {
					const time = times.get(digest)
					if (time === undefined) return
					clearTimeout(timer)
					resolve(time)
				}
				look()
			}),
	}
}

async function orasPush(stack: Stack, directory: string, reference: string): Promise<string> {
	const { caPath } = stack.registries.tls
	const trust = caPath === undefined ? [] : ['--ca-file', caPath]
	const args = ['push', ...trust, '--format', 'go-template={{.reference}}', reference, '.']
	const ended = await program(join(stack.data.bin, 'oras'), args, { cwd: directory })
	if (ended.code !== 0) throw new Error(`oras push ended with ${ended.code}: ${ended.stderr}`)
	return digestIn(ended.stdout)
}

function digestIn(text: string): string {
	const digest = /sha256:[0-9a-f]{64}/.exec(text)?.[0]
	if (digest === undefined) throw new Error(`no digest in ${text}`)
	return digest
}

function table(times: ReadonlyMap<Contender, readonly number[]>): string {
	const rows = [...times].flatMap(([{ name }, measured]) => {
		const sorted = measured.toSorted((left, right) => left - right)
		const [first, last, median] = [sorted[0], sorted.at(-1), sorted[Math.floor(sorted.length / 2)]]
		if (first === undefined || last === undefined || median === undefined) return []
		const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`.padStart(9)
		return [
			`${name.padEnd(34)}${seconds(median)}${seconds(first)}${seconds(last)}${String(measured.length).padStart(5)}`,
		]
	})
	const head = `${'push → Synced'.padEnd(34)}${'median'.padStart(9)}${'least'.padStart(9)}${'most'.padStart(9)}${'n'.padStart(5)}`
	return [head, ...rows].join('\n')
}
