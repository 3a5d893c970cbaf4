import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Contender, type Field, startField, startLading, stop } from './contenders.ts'
import { buildLoad, type Load, type Measured, residentMiB } from './load.ts'

// lading's registry beside others, in one run: `npm run bench:registry`. Each round asks every registry once, in
// another order, and the medians are compared: machines are noisy, ratios are less so. A first round is not counted:
// a registry runs for weeks, and V8 compiles what is asked often. The load generator shares the machine with what it
// measures. Fails where a goal is missed.

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const SECONDS = process.env.BENCH_SECONDS ?? '2'
/** Part of the name of the rows to measure; empty measures all. */
const ONLY = process.env.BENCH_ONLY ?? ''
const TAGS = 10_000
const PAGE = 1000
const LARGE = randomBytes(10 * 1024 * 1024)
const SMALL = randomBytes(4096)
const HOUR_MS = 60 * 60_000

type Median = Omit<Measured, 'cpu'> & { readonly cpu: number | undefined }
type Results = ReadonlyMap<Contender['name'], Median>

interface Row {
	readonly name: string
	readonly overTls?: boolean
	/** Of `load`, with spaces between them. */
	readonly args: string
	/** How many times distribution's rate is the least. */
	readonly times?: number
	/** The least rate. */
	readonly least?: number
	/** What lading's rate is held against, and the least share of it. */
	readonly like?: { readonly row: string; readonly share: number }
}

const manifests = (method: string, repository: 'one' | 'many'): string =>
	`-clients 16 -method ${method} -path /v2/${repository}/manifests/tag-%05d -of ${repository === 'many' ? TAGS : 1}`
const blob = (content: Buffer, clients: number): string =>
	`-clients ${clients} -path /v2/one/blobs/${digestOf(content)}`
const head = manifests('HEAD', 'one')

const ROWS: readonly Row[] = [
	{ name: 'HEAD of a tag', args: head, times: 2 },
	{ name: 'GET of a manifest by tag', args: manifests('GET', 'one'), times: 2 },
	{
		name: 'HEAD of one of 10,000 tags',
		args: manifests('HEAD', 'many'),
		times: 2,
		like: { row: 'HEAD of a tag', share: 0.8 },
	},
	{
		name: 'GET of one of 10,000 tags',
		args: manifests('GET', 'many'),
		times: 2,
		like: { row: 'GET of a manifest by tag', share: 0.8 },
	},
	{
		name: 'tags/list of 10,000 tags, by 1,000',
		args: `-clients 4 -path /v2/many/tags/list?n=${PAGE}&last=tag-%05d -of ${TAGS - PAGE} -step ${PAGE}`,
		least: 200,
	},
	{ name: 'GET of a 4 KiB blob', args: blob(SMALL, 16), times: 6 },
	{ name: 'GET of a 10 MiB blob', args: blob(LARGE, 4), times: 1 },
	{ name: 'GET of a 10 MiB blob, TLS', overTls: true, args: blob(LARGE, 4), times: 1 },
	{ name: 'HEAD, a full TLS handshake each', overTls: true, args: `${head} -fresh`, times: 1.2 },
	{ name: 'push, 1 client', args: '-clients 1 -push pushed', times: 5 },
	{ name: 'push, 8 clients', args: '-clients 8 -push pushed', times: 5 },
]

const chosen = ROWS.filter(({ name }) => name.includes(ONLY))

const directory = mkdtempSync(join(tmpdir(), 'lading-bench-'))
let field: Field
let load: Load
beforeAll(async () => {
	load = await buildLoad(directory)
	field = await startField(directory)
	for (const { http, tls } of field.contenders) {
		for (const server of [http, tls]) {
			const trust = server === tls ? ['-ca', field.caPath] : []
			await load(server, [...trust, '-tag', 'one', '-of', '1'])
			for (const content of [SMALL, LARGE]) await pushBlob(server === tls, server.address, content)
		}
		if (chosen.some(({ args }) => args.includes('/v2/many/')))
			await load(http, ['-clients', '8', '-tag', 'many', '-of', String(TAGS)])
	}
}, HOUR_MS)
afterAll(async () => {
	await field?.stop()
	rmSync(directory, { recursive: true, force: true })
}, HOUR_MS)

it('is at least as fast as it is meant to be', { timeout: HOUR_MS }, async () => {
	const lines: string[][] = []
	const missed: string[] = []
	const note = (name: string, cells: readonly string[], goal: { text: string; isMet: boolean }): void => {
		lines.push([name, ...cells, goal.text, goal.isMet ? 'met' : 'MISSED'])
		if (!goal.isMet) missed.push(name)
	}
	const measured = new Map<string, Results>()
	for (const row of chosen) {
		const results = await compare(row)
		measured.set(row.name, results)
		note(row.name, cellsOf(results), verdict(row, measured))
	}
	const [lading] = field.contenders
	const memory = field.contenders.map(({ http }) => `${residentMiB(http)?.toFixed(0) ?? '?'} MiB`)
	const worst = Math.max(...[lading?.http, lading?.tls].map((server) => (server && residentMiB(server)) ?? 0))
	note('memory after all of that, HTTP', [...memory], { text: '<= 110 MiB', isMet: worst <= 110 })
	const { own, node } = await startTimes()
	const beside = `(node -e 0: ${node.toFixed(0)} ms)`
	note('start, until it listens', [`${own.toFixed(0)} ms ${beside}`], {
		text: '<= 300 ms',
		isMet: own <= 300,
	})
	process.stdout.write(`${table(lines)}\n`)
	expect(missed).toEqual([])
})

/** Medians over rounds that ask each registry once. */
async function compare({ args, overTls = false }: Row): Promise<Results> {
	const rounds = new Map<Contender['name'], Measured[]>()
	const trust = overTls ? ['-ca', field.caPath] : []
	for (let round = -1; round < ROUNDS; round++) {
		const turn = Math.max(round, 0) % field.contenders.length
		for (const { name, http, tls } of [...field.contenders.slice(turn), ...field.contenders.slice(0, turn)]) {
			const once = await load(overTls ? tls : http, ['-seconds', SECONDS, ...trust, ...args.split(' ')])
			if (round >= 0) rounds.set(name, [...(rounds.get(name) ?? []), once])
		}
	}
	return new Map(
		[...rounds].map(([name, all]) => [
			name,
			{
				rate: median(all.map(({ rate }) => rate)),
				p50: median(all.map(({ p50 }) => p50)),
				p99: median(all.map(({ p99 }) => p99)),
				cpu: all.some(({ cpu }) => cpu === undefined) ? undefined : median(all.map(({ cpu }) => cpu ?? 0)),
			},
		]),
	)
}

function verdict(
	{ name, times, least, like }: Row,
	measured: ReadonlyMap<string, Results>,
): { text: string; isMet: boolean } {
	const results = measured.get(name)
	const own = results?.get('lading')?.rate ?? 0
	const other = results?.get('distribution v3')?.rate ?? Number.NaN
	const texts: string[] = []
	let isMet = true
	if (times !== undefined) {
		texts.push(`${(own / other).toFixed(2)} × (>= ${times})`)
		isMet &&= own / other >= times
	}
	if (least !== undefined) {
		texts.push(`>= ${least}/s`)
		isMet &&= own >= least
	}
	const model = like && measured.get(like.row)?.get('lading')?.rate
	if (like && model !== undefined) {
		texts.push(`${(own / model).toFixed(2)} of one tag's (>= ${like.share})`)
		isMet &&= own / model >= like.share
	}
	return { text: texts.join(', '), isMet }
}

function cellsOf(results: Results): readonly string[] {
	return field.contenders.map(({ name }) => {
		const { rate, cpu, p50, p99 } = results.get(name) ?? { rate: 0, p50: 0, p99: 0 }
		return `${rate.toFixed(0)}/s ${p50.toFixed(2)}/${p99.toFixed(1)} ms${cpu === undefined ? '' : ` ${cpu.toFixed(0)} µs`}`
	})
}

/** Of the built program over TLS, with a certificate that is there, and of Node itself; in milliseconds. */
async function startTimes(): Promise<{ readonly own: number; readonly node: number }> {
	const own: number[] = []
	const node: number[] = []
	for (let round = 0; round < 8; round++) {
		let started = performance.now()
		const server = await startLading(join(directory, 'start'), [])
		own.push(performance.now() - started)
		await stop(server.process)
		started = performance.now()
		spawnSync(process.execPath, ['-e', '0'])
		node.push(performance.now() - started)
	}
	// The first made the certificate.
	return { own: median(own.slice(1)), node: median(node) }
}

async function pushBlob(overTls: boolean, address: string, content: Buffer): Promise<void> {
	const { request } = overTls ? await import('node:https') : await import('node:http')
	const send = (method: string, url: string, body?: Buffer): Promise<string> =>
		new Promise((resolve, reject) => {
			// What is measured is not the certificate.
			const options = { method, rejectUnauthorized: false, headers: { 'content-length': body?.length ?? 0 } }
			request(url, options, (response) => {
				response.resume()
				const { statusCode = 0, headers } = response
				if (statusCode >= 300) reject(new Error(`${method} ${url}: ${statusCode}`))
				else resolve(headers.location ?? '')
			})
				.on('error', reject)
				.end(body)
		})
	const base = `${overTls ? 'https' : 'http'}://${address}`
	const location = new URL(await send('POST', `${base}/v2/one/blobs/uploads/`), base)
	location.searchParams.set('digest', digestOf(content))
	await send('PUT', location.href, content)
}

function digestOf(content: Buffer): string {
	return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function table(lines: readonly (readonly string[])[]): string {
	const names = field.contenders.map(({ name }) => name)
	const all = [
		['requests/s, p50/p99, CPU a request', ...names, 'lading to distribution v3', ''],
		...lines.map((line) => [
			line[0] ?? '',
			...names.map((_, index) => (line.length > index + 3 ? (line[index + 1] ?? '') : '')),
			...line.slice(-2),
		]),
	]
	const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
	const text = all.map((line) =>
		line
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd(),
	)
	const load = loadavg()[0]?.toFixed(1)
	return `\nnode ${process.version}, ${cpus().length} cores, load ${load}, medians of ${ROUNDS}\n\n${text.join('\n')}`
}
