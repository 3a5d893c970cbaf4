// The figures lading promises, measured side by side in one run: `npm run bench`.
// Machines are noisy and ratios are not: each row is a ratio of medians of interleaved runs.
// oras and crane are those on PATH, else built with Go; without them their rows say so.
// BENCH_ROUNDS is the number of rounds, BENCH_ONLY the names of the parts, such as start,tree.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compare, peakMemory, run } from './measure.mjs'
import { findCrane, findOras } from './tools.mjs'
import { changeOne, makeBig, makeSmallTree, makeTree } from './trees.mjs'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const MAIN = join(ROOT, 'dist/cli/main.cjs')
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
const only = (process.env.BENCH_ONLY ?? '').split(',').filter((name) => name !== '')
const work = mkdtempSync(join(tmpdir(), 'lading-bench-'))
const servers = []
const oras = findOras()
const crane = findCrane()

const rows = []
/** A goal is the most that the value may be. */
function row(what, value, unit, goal) {
	const shown = Number.isFinite(value) ? `${value.toFixed(unit === '×' ? 2 : 0)} ${unit}` : 'no peer'
	const verdict = goal === undefined || !Number.isFinite(value) ? '' : value <= goal ? 'met' : 'OVER'
	rows.push([what, shown, goal === undefined ? '' : `${goal} ${unit}`, verdict])
}

async function serve(name, args) {
	const child = spawn(
		process.execPath,
		[MAIN, 'registry', 'serve', '--data', join(work, name), '--port', '0', '--json', ...args],
		{ cwd: work, stdio: ['ignore', 'pipe', 'inherit'] },
	)
	servers.push(child)
	const text = await new Promise((done) => child.stdout.once('data', (data) => done(String(data))))
	return {
		host: new URL(JSON.parse(text).registry.url).host.replace('127.0.0.1', 'localhost'),
		ca: join(work, name, 'ca.crt'),
	}
}

let number = 0
/** A repository that nothing was pushed to yet. */
const fresh = ({ host }, name) => `${host}/${name}-${number++}:v1`
const node = () => run(process.execPath, ['-e', '0'], { cwd: work })
const lading = (...args) => run(process.execPath, [MAIN, ...args, '--quiet'], { cwd: work })
const ladingMemory = (...args) => peakMemory(process.execPath, [MAIN, ...args, '--quiet'], { cwd: work })
const shell = (line) => run('sh', ['-c', line], { cwd: work })
const withOras = (contenders) => (oras === undefined ? {} : contenders)
const withCrane = (contenders) => (crane === undefined ? {} : contenders)

const PLAIN = '--plain-http'

const parts = {
	async start() {
		const found = await compare(
			{
				node,
				version: () => run(process.execPath, [MAIN, '--version'], { cwd: work }),
				help: () => run(process.execPath, [MAIN, '--help'], { cwd: work }),
			},
			ROUNDS * 2,
		)
		row('lading --version / node -e 0', found.version / found.node, '×', 1.3)
		row('lading --help / node -e 0', found.help / found.node, '×')
		row('node -e 0', found.node, 'ms')
	},

	async small({ tls }) {
		const there = fresh(tls, 'sample')
		const push = (to) => lading('push', 'sample', to, '--force', '--ca', tls.ca)
		const found = await compare(
			{ node, cold: () => push(fresh(tls, 'sample')), unchanged: () => push(there) },
			ROUNDS * 2,
		)
		row('push of 3 files, TLS / node -e 0', found.cold / found.node, '×', 2.2)
		row('the same, unchanged / node -e 0', found.unchanged / found.node, '×')
		const copied = await compare(
			{ node, mount: () => lading('copy', there, `${tls.host}/copy-${number++}`, '--ca', tls.ca) },
			ROUNDS * 2,
		)
		row('copy within one registry, TLS / node -e 0', copied.mount / copied.node, '×', 2)
	},

	async tree({ plain }) {
		const push = (to, ...more) => lading('push', 'tree', to, PLAIN, '--recurse', '--force', ...more)
		const orasPush = (to) => shell(`cd tree && ${oras} push ${PLAIN} ${to} . >/dev/null`)
		const there = {
			checked: fresh(plain, 'tree'),
			unchecked: fresh(plain, 'tree'),
			oras: fresh(plain, 'tree'),
		}
		const change = { before: (round) => changeOne(join(work, 'tree'), round) }
		const cold = await compare(
			{
				checked: () => push(fresh(plain, 'tree'), '--no-cache'),
				unchecked: () => push(fresh(plain, 'tree'), '--no-check'),
				...withOras({ oras: () => orasPush(fresh(plain, 'tree')) }),
			},
			ROUNDS,
		)
		row('push of 2,000 files, every file parsed / oras push', cold.checked / cold.oras, '×', 1.3)
		row('the same with --no-check / oras push', cold.unchecked / cold.oras, '×')
		row('oras push of 2,000 files', cold.oras, 'ms')
		const changed = await compare(
			{
				checked: { ...change, once: () => push(there.checked) },
				unchecked: { ...change, once: () => push(there.unchecked, '--no-check') },
				...withOras({ oras: { ...change, once: () => orasPush(there.oras) } }),
				...withCrane({
					crane: {
						...change,
						once: () =>
							shell(
								`tar -cf tree.tar -C tree . && ${crane} append --insecure --oci-empty-base -f tree.tar -t ${there.oras}-crane 2>/dev/null`,
							),
					},
				}),
			},
			ROUNDS,
		)
		row('push after one file changed / oras push', changed.checked / changed.oras, '×', 0.7)
		row('the same with --no-check / oras push', changed.unchecked / changed.oras, '×', 0.45)
		row('the same with --no-check / tar, crane append', changed.unchecked / changed.crane, '×', 0.9)
		const unchanged = await compare(
			{
				checked: () => push(there.checked),
				unchecked: () => push(there.unchecked, '--no-check'),
				...withOras({ oras: () => orasPush(there.oras) }),
			},
			ROUNDS,
		)
		row('push, unchanged, --no-check / oras push', unchanged.unchecked / unchanged.oras, '×', 0.65)
		row('push, unchanged / oras push', unchanged.checked / unchanged.oras, '×')
	},

	async pull({ plain }) {
		const [ours, theirs] = [fresh(plain, 'pulled'), fresh(plain, 'pulled')]
		await lading('push', 'tree', ours, PLAIN, '--no-check')
		if (oras !== undefined) await shell(`cd tree && ${oras} push ${PLAIN} ${theirs} . >/dev/null`)
		// Each into a directory of its own: where many files were just removed, ext4 searches long for the place of a new one.
		const found = await compare(
			{
				lading: (round) => lading('pull', ours, `pulled/lading-${round}`, PLAIN),
				...withOras({
					oras: (round) => shell(`${oras} pull ${PLAIN} -o pulled/oras-${round} ${theirs} >/dev/null`),
				}),
			},
			ROUNDS,
		)
		row('pull of 2,000 files / oras pull', found.lading / found.oras, '×', 1)
	},

	async big({ plain, tls }) {
		for (const [name, server, ours, theirs] of [
			['HTTP', plain, [PLAIN], PLAIN],
			['TLS', tls, ['--ca', tls.ca], `--plain-http=false --ca-file ${tls.ca}`],
		]) {
			const there = { ours: fresh(server, 'big'), theirs: fresh(server, 'big') }
			const type = 'big.bin:application/vnd.oci.image.layer.v1.tar'
			const orasPush = (to) => shell(`cd big && ${oras} push ${theirs} ${to} ${type} >/dev/null`)
			await lading('push', 'big', there.ours, '--no-check', ...ours)
			if (oras !== undefined) await orasPush(there.theirs)
			const clear = { before: () => rmSync(join(work, 'out'), { recursive: true, force: true }) }
			const found = await compare(
				{
					push: () => lading('push', 'big', fresh(server, 'big'), '--no-check', ...ours),
					pull: { ...clear, once: () => lading('pull', there.ours, 'out', ...ours) },
					...withOras({
						orasPush: () => orasPush(fresh(server, 'big')),
						orasPull: {
							...clear,
							once: () => shell(`${oras} pull ${theirs} -o out ${there.theirs} >/dev/null`),
						},
					}),
				},
				ROUNDS,
			)
			row(`push of 105 MB, ${name} / oras push`, found.push / found.orasPush, '×', 1.2)
			row(`pull of 105 MB, ${name} / oras pull`, found.pull / found.orasPull, '×', 1.5)
		}
	},

	async memory({ plain }) {
		const push = (directory, ...more) =>
			ladingMemory('push', directory, fresh(plain, 'memory'), PLAIN, '--recurse', ...more)
		row('memory at the peak, 2,000 files, --no-check', await push('tree', '--no-check'), 'MB', 100)
		row('memory at the peak, 2,000 files, every file parsed', await push('tree', '--no-cache'), 'MB', 180)
		row('memory at the peak, 105 MB', await push('big', '--no-check'), 'MB', 100)
		makeBig(join(work, 'bigger'), 420)
		row('memory at the peak, 420 MB', await push('bigger', '--no-check'), 'MB', 100)
		const pulled = fresh(plain, 'memory')
		await lading('push', 'bigger', pulled, PLAIN, '--no-check')
		rmSync(join(work, 'out'), { recursive: true, force: true })
		row('memory at the peak, pull of 420 MB', await ladingMemory('pull', pulled, 'out', PLAIN), 'MB', 100)
		rmSync(join(work, 'bigger'), { recursive: true })
	},

	async growth({ plain }) {
		const sizes = [5000, 50_000]
		for (const size of sizes) makeSmallTree(join(work, `many-${size}`), size)
		const push = (size, ...more) =>
			lading('push', `many-${size}`, fresh(plain, 'many'), PLAIN, '--recurse', ...more)
		const found = await compare(
			{
				node,
				...Object.fromEntries(sizes.map((size) => [size, () => push(size, '--no-check')])),
				...Object.fromEntries(sizes.map((size) => [`${size} checked`, () => push(size, '--no-cache')])),
			},
			Math.min(ROUNDS, 3),
		)
		// What a file costs beyond the start of the process.
		const perFile = (name, size) => (found[name] - found.node) / size
		row(
			'a file of 50,000 / a file of 5,000, --no-check',
			perFile('50000', 50_000) / perFile('5000', 5000),
			'×',
			1.2,
		)
		row(
			'a file of 50,000 / a file of 5,000, every file parsed',
			perFile('50000 checked', 50_000) / perFile('5000 checked', 5000),
			'×',
			1.2,
		)
	},
}

try {
	cpSync(join(ROOT, 'sample-manifests'), join(work, 'sample'), { recursive: true })
	makeTree(join(work, 'tree'), 2000)
	makeBig(join(work, 'big'), 105)
	const registries = { tls: await serve('tls', []), plain: await serve('plain', [PLAIN]) }
	for (const [name, measure] of Object.entries(parts))
		if (only.length === 0 || only.includes(name)) await measure(registries)
} finally {
	for (const server of servers) server.kill('SIGTERM')
	rmSync(work, { recursive: true, force: true, maxRetries: 5 })
}

const widths = [0, 1, 2].map((column) => Math.max(...rows.map((each) => each[column].length)))
console.log(`node ${process.version}, medians of ${ROUNDS} interleaved rounds\n`)
for (const [what, value, goal, verdict] of rows) {
	console.log(
		`${what.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${goal.padStart(widths[2])}  ${verdict}`.trimEnd(),
	)
}
