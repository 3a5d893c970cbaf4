import { execFile } from 'node:child_process'
import { open, type FileHandle } from 'node:fs/promises'
import { inflateRawSync } from 'node:zlib'

export interface GoModule {
	/** Paths inside the module. */
	readonly files: readonly string[]
	read(path: string): Promise<Buffer>
	close(): Promise<void>
}

const CENTRAL = 0x02014b50
const END = 0x06054b50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 0xffff

/**
 * A published Go module, from Go's own cache or proxy. Its archive is read as it is:
 * unpacking all of Kubernetes would take longer than the test.
 */
export async function openGoModule(module: string, version: string): Promise<GoModule> {
	const archive = await downloaded(module, version)
	const file = await open(archive)
	const entries = await centralDirectory(file)
	const root = `${module}@${version}/`
	return {
		files: [...entries.keys()].map((name) => name.slice(root.length)),
		async read(path) {
			const entry = entries.get(root + path)
			if (entry === undefined) throw new Error(`${module} ${version} has no ${path}`)
			const head = await bytesAt(file, entry.offset, 30)
			const start = entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28)
			const bytes = await bytesAt(file, start, entry.compressed)
			return entry.method === 0 ? bytes : inflateRawSync(bytes)
		},
		close: () => file.close(),
	}
}

/** The archive's path, also where the module wants a newer Go than there is. */
async function downloaded(module: string, version: string): Promise<string> {
	const args = ['mod', 'download', '-json', `${module}@${version}`]
	const env = { ...process.env, GOFLAGS: '-mod=mod', GO111MODULE: 'on' }
	const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
		execFile('go', args, { env, cwd: '/' }, (error, out, said) =>
			resolve({ stdout: out, stderr: said || (error?.message ?? '') }),
		)
	})
	const zip = /"Zip": "([^"]+)"/.exec(stdout)?.[1]
	if (zip === undefined) throw new Error(`go ${args.join(' ')}: ${stdout}${stderr}`)
	return zip
}

interface Entry {
	readonly offset: number
	readonly compressed: number
	readonly method: number
}

/** @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3.12, 4.3.16 */
async function centralDirectory(file: FileHandle): Promise<ReadonlyMap<string, Entry>> {
	const { size } = await file.stat()
	const tailStart = Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES)
	const tail = await bytesAt(file, tailStart, size - tailStart)
	let end = tail.length - END_BYTES
	while (end >= 0 && tail.readUInt32LE(end) !== END) end--
	if (end < 0) throw new Error('the module is no zip archive')
	const directory = await bytesAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
	const entries = new Map<string, Entry>()
	for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === CENTRAL;) {
		const [name, extra, comment] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset))
		entries.set(directory.toString('utf8', at + 46, at + 46 + (name ?? 0)), {
			method: directory.readUInt16LE(at + 10),
			compressed: directory.readUInt32LE(at + 20),
			offset: directory.readUInt32LE(at + 42),
		})
		at += 46 + (name ?? 0) + (extra ?? 0) + (comment ?? 0)
	}
	return entries
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
	const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
	if (bytesRead !== length) throw new Error('the archive of the module ends too early')
	return buffer
}
