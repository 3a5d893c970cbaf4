// The figures lading promises, measured side by side in one run: `npm run bench`.
// Every series is interleaved (one run of each contender per round) and reported as
// the median and as a ratio, because machines are noisy and ratios are not.
// Needs `oras` on PATH for the comparison with oras; without it those rows say so.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const MAIN = join(ROOT, 'dist/cli/main.js')
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
const work = mkdtempSync(join(tmpdir(), 'lading-bench-'))
const servers = []

/** Runs a command; the time is wall time in ms, the memory the peak in MB (0 where /proc is missing). */
function run(command, args, options = {}) {
	return new Promise((done, reject) => {
		const started = performance.now()
		const child = spawn(command, args, {
			cwd: work,
			stdio: ['ignore', 'ignore', 'pipe'],
			env: { ...process.env, HOME: work, ...options.env },
		})
		let complaint = ''
		let peak = 0
		const sample = options.memory
			? setInterval(() => {
					try {
						peak = Math.max(
							peak,
							Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0),
						)
					} catch {
						// it has ended
					}
				}, 2)
			: undefined
		child.stderr.on('data', (data) => (complaint += data))
		child.on('error', reject)
		child.on('close', (code) => {
			clearInterval(sample)
			if (code !== 0) reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${complaint}`))
			else done({ ms: performance.now() - started, mb: peak / 1024 })
		})
	})
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** Interleaved rounds of all contenders. @returns the median of each, in ms and MB */
async function compare(contenders, rounds = ROUNDS) {
	const series = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
	for (let round = -1; round < rounds; round++) {
		for (const [name, once] of Object.entries(contenders)) {
			const result = await once(round)
			if (round >= 0) series[name].push(result)
		}
	}
	return Object.fromEntries(
		Object.entries(series).map(([name, all]) => [
			name,
			{ ms: median(all.map((each) => each.ms)), mb: Math.max(...all.map((each) => each.mb)) },
		]),
	)
}

async function serve(name, args) {
	const child = spawn(
		process.execPath,
		[MAIN, 'registry', 'serve', '--data', join(work, name), '--port', '0', '--json', ...args],
		{
			cwd: work,
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	)
	servers.push(child)
	const text = await new Promise((done) => child.stdout.once('data', (data) => done(String(data))))
	return {
		host: new URL(JSON.parse(text).registry.url).host.replace('127.0.0.1', 'localhost'),
		ca: join(work, name, 'ca.crt'),
	}
}

function makeTree(directory, files) {
	mkdirSync(directory, { recursive: true })
	let seed = 1
	const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
	for (let index = 0; index < files; index++) {
		const lines = 60 + Math.floor(random() * 240)
		const data = Array.from(
			{ length: lines },
			(_, line) => `  key-${line}: "value ${Math.floor(random() * 1e9)}"`,
		).join('\n')
		const folder = join(directory, `group-${String(index % 20).padStart(2, '0')}`)
		mkdirSync(folder, { recursive: true })
		writeFileSync(
			join(folder, `config-${index}.yaml`),
			`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-${index}\n  namespace: bench\ndata:\n${data}\n`,
		)
	}
}

const rows = []
function row(what, value, unit, limit, limitText) {
	const verdict = limit === undefined ? '' : value <= limit ? 'ok' : 'OVER'
	rows.push([what, `${value.toFixed(unit === '×' ? 2 : 0)} ${unit}`, limitText ?? '', verdict])
}

const node = (...args) => run(process.execPath, args)
const lading = (args, options) => run(process.execPath, [MAIN, ...args], options)
const oras = spawnSync('oras', ['version']).status === 0

try {
	cpSync(join(ROOT, 'sample-manifests'), join(work, 'sample'), { recursive: true })
	makeTree(join(work, 'tree'), 2000)
	const tls = await serve('tls', [])
	const plain = await serve('plain', ['--plain-http'])

	const start = await compare(
		{ node: () => node('-e', '0'), version: () => lading(['--version']), help: () => lading(['--help']) },
		ROUNDS * 2,
	)
	row('lading --version / node -e 0', start.version.ms / start.node.ms, '×', 1.3, '<= 1.3 ×')
	row('lading --help / node -e 0', start.help.ms / start.node.ms, '×')
	row('node -e 0', start.node.ms, 'ms')

	let version = 0
	const small = await compare(
		{
			node: () => node('-e', '0'),
			cold: () =>
				lading(['push', 'sample', `${tls.host}/sample-${version++}:v1.0.0`, '--ca', tls.ca, '--quiet']),
			unchanged: () => lading(['push', 'sample', `${tls.host}/sample-0:v1.0.0`, '--ca', tls.ca, '--quiet']),
		},
		ROUNDS * 2,
	)
	row('push of the sample, TLS / node -e 0', small.cold.ms / small.node.ms, '×', 2.5, '<= 2.5 ×')
	row('push of the sample, TLS, unchanged / node -e 0', small.unchanged.ms / small.node.ms, '×')

	const copied = await compare(
		{
			node: () => node('-e', '0'),
			mount: () =>
				lading([
					'copy',
					`${tls.host}/sample-0:v1.0.0`,
					`${tls.host}/copy-${version++}`,
					'--ca',
					tls.ca,
					'--quiet',
				]),
		},
		ROUNDS * 2,
	)
	row('copy within one registry, TLS / node -e 0', copied.mount.ms / copied.node.ms, '×', 2, '<= 2 ×')

	const tree = await compare({
		checked: () =>
			lading(
				['push', 'tree', `${plain.host}/checked-${version++}:v1`, '--plain-http', '--recurse', '--quiet'],
				{ memory: true },
			),
		unchecked: () =>
			lading(
				['push', 'tree', `${plain.host}/unchecked-${version++}:v1`, '--plain-http', '--no-check', '--quiet'],
				{ memory: true },
			),
		...(oras && {
			oras: () =>
				run(
					'sh',
					['-c', `cd tree && oras push --plain-http ${plain.host}/oras-${version++}:v1 . >/dev/null`],
					{ memory: false },
				),
		}),
	})
	row('push of 2,000 files, checked', tree.checked.ms, 'ms')
	row('push of 2,000 files, --no-check', tree.unchecked.ms, 'ms')
	row('  memory, checked', tree.checked.mb, 'MB', 180, '<= 180 MB')
	row('  memory, --no-check', tree.unchecked.mb, 'MB', 100, '<= 100 MB')
	if (oras) {
		row('oras push .', tree.oras.ms, 'ms')
		row('  checked / oras', tree.checked.ms / tree.oras.ms, '×', 1.6, '<= 1.6 ×')
		row('  --no-check / oras', tree.unchecked.ms / tree.oras.ms, '×', 0.5, '<= 0.5 ×')
	} else rows.push(['oras is not on PATH: no comparison with it', '', '', ''])
} finally {
	for (const server of servers) server.kill('SIGTERM')
	rmSync(work, { recursive: true, force: true, maxRetries: 5 })
}

const widths = [0, 1, 2].map((column) => Math.max(...rows.map((each) => each[column].length)))
console.log(`node ${process.version}, medians of ${ROUNDS} interleaved rounds\n`)
for (const [what, value, limit, verdict] of rows) {
	console.log(
		`${what.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${limit.padEnd(widths[2])}  ${verdict}`,
	)
}
