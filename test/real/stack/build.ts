import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
	chmod,
	copyFile,
	mkdir,
	open,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	utimes,
	writeFile,
} from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import type { Supervisor } from './supervisor.ts'
import { type Cache, GO_TOOLCHAIN, MODULE, type ModuleFiles, type Tool, versionOf } from './tools.ts'

const run = promisify(execFile)
const HEARTBEAT_MS = 5000
/** A lock that nobody has touched for so long is of a run that was killed. */
const STALE_MS = 60_000

export interface BuildOptions {
	readonly supervisor: Supervisor
	/** Takes a line about the progress. */
	readonly say: (line: string) => void
}

/** The first of these programs that is not on PATH, or undefined. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
	return (env.PATH ?? '')
		.split(delimiter)
		.map((directory) => join(directory, name))
		.find((path) => existsSync(path))
}

/** Makes what the cache lacks; when it lacks nothing, neither Go nor the network is asked. */
export async function fillCache(cache: Cache, options: BuildOptions): Promise<void> {
	const isComplete = (): boolean => {
		const missing = cache.missing()
		return missing.tools.length === 0 && missing.files.length === 0
	}
	if (isComplete()) return
	await mkdir(cache.directory, { recursive: true })
	const unlock = await lock(join(cache.directory, '.lock'), { say: options.say, until: isComplete })
	if (unlock === undefined) return
	try {
		const { tools, files } = cache.missing()
		options.say(`making ${[...files, ...tools].map(({ name }) => name).join(', ')} in ${cache.directory}`)
		for (const file of files) await copyFiles(cache, file)
		for (const tool of tools) await build(cache, tool, options)
	} finally {
		await unlock()
	}
}

/** @returns how to release it, or undefined when there was no need for it any more */
async function lock(
	path: string,
	{ say, until }: { readonly say: (line: string) => void; readonly until: () => boolean },
): Promise<(() => Promise<void>) | undefined> {
	for (let isFirst = true; !until(); isFirst = false) {
		const file = await open(path, 'wx').catch(() => undefined)
		if (file) {
			await file.close()
			const heartbeat = setInterval(() => {
				const now = new Date()
				utimes(path, now, now).catch(() => {})
			}, HEARTBEAT_MS)
			return async () => {
				clearInterval(heartbeat)
				await rm(path, { force: true })
			}
		}
		if (isFirst) say('another run is building the same; waiting for it')
		const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
		// Two that take it over at once build twice, each into its own file: a loss of time only.
		if (Date.now() - mtimeMs > STALE_MS) await rm(path, { force: true })
		await new Promise((resolve) => setTimeout(resolve, 1000))
	}
	return undefined
}

/** Environment of Go: the user's caches, and the flags under which a cache of builds is worth something. */
function goEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
	const inherited = Object.entries(process.env).filter(
		(entry): entry is [string, string] => entry[1] !== undefined,
	)
	return {
		...Object.fromEntries(inherited),
		GOTOOLCHAIN: GO_TOOLCHAIN,
		GOFLAGS: '-buildvcs=false',
		CGO_ENABLED: '0',
		// The supervisor's is for servers.
		GOGC: process.env.GOGC ?? '100',
		...extra,
	}
}

async function build(cache: Cache, tool: Tool, { supervisor, say }: BuildOptions): Promise<void> {
	const started = Date.now()
	// A name of its own until it is whole: what stands in the cache is good.
	const name = `build-${tool.name}`
	const own = join(supervisor.directory, 'build', tool.name)
	await mkdir(own, { recursive: true })
	const isForeign = tool.package.includes('@')
	if (tool.requires) await copyVariant(tool, own)
	const output = isForeign ? [] : ['-o', join(own, tool.name)]
	const tags = tool.tags === undefined ? [] : ['-tags', tool.tags]
	const flags = ['-trimpath', ...tags, '-ldflags', tool.ldflags]
	const command = [isForeign ? 'install' : 'build', ...flags, ...output]
	await supervisor.start({
		name,
		command: 'go',
		args: [...command, tool.package],
		cwd: isForeign || tool.requires ? own : (tool.module ?? MODULE),
		env: goEnvironment({ GOTMPDIR: own, ...(isForeign ? { GOBIN: own } : {}) }),
	})
	const { code } = await supervisor.wait(name)
	if (code !== 0) throw new Error(`go ${command.join(' ')} ${tool.package} failed:\n${supervisor.log(name)}`)
	await adopt(cache, { name: tool.name, bytes: await readFile(join(own, tool.name)), mode: 0o755 })
	await rm(own, { recursive: true })
	say(`built ${tool.name} in ${Math.round((Date.now() - started) / 1000)} s`)
}

async function copyVariant({ module = MODULE, requires = {} }: Tool, target: string): Promise<void> {
	for (const name of await readdir(module)) await copyFile(join(module, name), join(target, name))
	const goMod = await readFile(join(module, 'go.mod'), 'utf8')
	const replaced = Object.entries(requires).reduce(
		(text, [name, version]) => text.replace(`${name} ${versionOf(text, name)}`, `${name} ${version}`),
		goMod,
	)
	await writeFile(join(target, 'go.mod'), replaced)
}

/** Where Go keeps the files of a module, which it fetches when it must. */
export async function moduleDirectory(module: string, version: string): Promise<string> {
	const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], {
		cwd: MODULE,
		env: goEnvironment(),
	})
	return (JSON.parse(stdout) as { readonly Dir: string }).Dir
}

async function copyFiles(cache: Cache, { name, module, paths }: ModuleFiles): Promise<void> {
	const version = versionOf(await readFile(join(MODULE, 'go.mod'), 'utf8'), module)
	const directory = await moduleDirectory(module, version)
	const texts = await Promise.all(paths.map((path) => readFile(join(directory, path), 'utf8')))
	await adopt(cache, { name, bytes: texts.join('\n---\n'), mode: 0o644 })
}

async function adopt(
	cache: Cache,
	file: { readonly name: string; readonly bytes: string | Uint8Array; readonly mode: number },
): Promise<void> {
	const temporary = join(cache.directory, `.${file.name}.${process.pid}`)
	await writeFile(temporary, file.bytes)
	await chmod(temporary, file.mode)
	await rename(temporary, join(cache.directory, file.name))
}
