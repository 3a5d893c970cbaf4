// The parent of every process of the stack. It lives as long as its stdin is open and takes
// everything with it when that closes, so that nothing outlives a test run however it ends.
// Plain JavaScript: Node runs it without the test runner. See supervisor.ts for its requests.
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, closeSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const [directory = ''] = process.argv.slice(2)
const GRACE_MS = 5000
// Below the range from which systems take the ports of outgoing connections: a process
// that is started again finds its port free.
const FIRST_PORT = 20_000
const BLOCKS = 100
const BLOCK_PORTS = 100

const ENVIRONMENT = {
	PATH: process.env.PATH,
	HOME: join(directory, 'home'),
	TMPDIR: join(directory, 'tmp'),
	LANG: 'C.UTF-8',
	// Of memory there is more than of processor time: an eighth of that went into collecting garbage.
	GOGC: '200',
}

/** @type {Map<string, { spec: any, child?: import('node:child_process').ChildProcess, ended?: Promise<void>, result?: any }>} */
const processes = new Map()
let isEnding = false

function signalGroup(pid, signal) {
	try {
		process.kill(-pid, signal)
	} catch (error) {
		// It has ended; on macOS a group of which only the dead are left answers EPERM.
		if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error
	}
}

const isRunning = (entry) => entry?.child !== undefined && entry.result === undefined

function entryOf(name) {
	const entry = processes.get(name)
	if (!entry) throw new Error(`no process ${name} was started`)
	return entry
}

async function start(spec) {
	if (isEnding) throw new Error('the stack is being stopped')
	if (isRunning(processes.get(spec.name))) throw new Error(`${spec.name} runs already`)
	const log = openSync(join(directory, 'logs', `${spec.name}.log`), 'a')
	// A group of its own: a signal reaches what it has started, and Ctrl-C in a terminal does not.
	const child = spawn(spec.command, spec.args, {
		cwd: spec.cwd ?? directory,
		env: { ...ENVIRONMENT, ...spec.env },
		stdio: ['ignore', log, log],
		detached: true,
	})
	closeSync(log)
	const entry = { spec, child, ended: undefined, result: undefined }
	processes.set(spec.name, entry)
	entry.ended = new Promise((resolve) => {
		child.once('exit', (code, signal) => {
			entry.result = { code, signal }
			signalGroup(child.pid, 'SIGKILL')
			resolve()
		})
		child.once('error', (error) => {
			entry.result ??= { code: null, signal: null, error: error.message }
			resolve()
		})
	})
	await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
	return { pid: child.pid }
}

async function stop({ name, signal = 'SIGTERM' }) {
	const entry = entryOf(name)
	if (!isRunning(entry)) return entry.result
	signalGroup(entry.child.pid, signal)
	// A stopped process takes no other signal.
	if (signal !== 'SIGKILL') signalGroup(entry.child.pid, 'SIGCONT')
	const timer = setTimeout(() => signalGroup(entry.child.pid, 'SIGKILL'), GRACE_MS)
	await entry.ended
	clearTimeout(timer)
	return entry.result
}

/** Held for as long as this process lives: the block of ports above it is this run's. */
async function reserveBlock() {
	const first = Math.floor(Math.random() * BLOCKS)
	for (let tried = 0; tried < BLOCKS; tried++) {
		const base = FIRST_PORT + ((first + tried) % BLOCKS) * BLOCK_PORTS
		if (await listens(createServer(), base)) return base
	}
	throw new Error(`no free ports from ${FIRST_PORT} on`)
}

function listens(server, where) {
	return new Promise((resolve) => {
		server.once('error', () => resolve(false))
		server.listen(where, '127.0.0.1', () => resolve(true))
	})
}

const base = await reserveBlock()
let nextPort = base + 1

async function port() {
	while (nextPort < base + BLOCK_PORTS) {
		const probe = createServer()
		const candidate = nextPort++
		if (!(await listens(probe, candidate))) continue
		await new Promise((resolve) => probe.close(resolve))
		return { port: candidate }
	}
	throw new Error('this run has used all its ports')
}

const OPERATIONS = {
	start,
	stop,
	port,
	async restart({ name, env = {}, signal }) {
		const { spec } = entryOf(name)
		await stop({ name, signal })
		return start({ ...spec, env: { ...spec.env, ...env } })
	},
	names({ prefix }) {
		return [...processes.keys()].filter((name) => name.startsWith(prefix))
	},
	stopAll({ prefix }) {
		return Promise.all(OPERATIONS.names({ prefix }).map((name) => stop({ name, signal: 'SIGKILL' })))
	},
	async wait({ name }) {
		const entry = entryOf(name)
		await entry.ended
		return entry.result
	},
	signal({ name, signal }) {
		const entry = entryOf(name)
		if (isRunning(entry)) signalGroup(entry.child.pid, signal)
		return {}
	},
	state({ name }) {
		const entry = entryOf(name)
		return { running: isRunning(entry), pid: entry.child?.pid, ...entry.result }
	},
}

async function answer(line) {
	try {
		const { operation, ...options } = JSON.parse(line)
		return { ok: true, value: await OPERATIONS[operation](options) }
	} catch (error) {
		return { ok: false, error: error.message }
	}
}

async function end() {
	if (isEnding) return
	isEnding = true
	// All of it is thrown away: nobody needs to save anything.
	await OPERATIONS.stopAll({ prefix: '' })
	rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
	process.exit(0)
}

for (const name of ['logs', 'home', 'tmp']) mkdirSync(join(directory, name), { recursive: true })
const control = createServer({ allowHalfOpen: true }, (socket) => {
	let text = ''
	socket.setEncoding('utf8')
	socket.on('data', (chunk) => (text += chunk))
	socket.on('error', () => {})
	socket.on('end', () => void answer(text).then((result) => socket.end(JSON.stringify(result))))
})
const endNow = () => void end()
process.stdin.resume().on('end', endNow).on('error', endNow)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, endNow)
control.listen(join(directory, 'control'), () => process.stdout.write('ready\n'))
