import { createReadStream, promises } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors/index.ts'
import { BLOCK, padding, tarHeader } from './tar-header.ts'

const READ_BYTES = 1024 * 1024

export interface WriteLayoutArchiveOptions {
	readonly signal?: AbortSignal | undefined
	/** Take every file away when it is in the tar: then both never lie on the disk whole. */
	readonly consume?: boolean | undefined
}

/**
 * Writes the OCI image layout of a directory as a tar, which must not exist. The bytes depend on
 * the layout's content only: names are sorted, time, owner and mode are the same for all.
 */
export async function writeLayoutArchive(
	directory: string,
	path: string,
	options: WriteLayoutArchiveOptions = {},
): Promise<void> {
	const file = await promises.open(path, 'wx', 0o644)
	try {
		for (const name of ['oci-layout', 'index.json']) await addFile(file, { directory, name, options })
		await addDirectory(file, 'blobs')
		for (const algorithm of (await promises.readdir(join(directory, 'blobs'))).sort()) {
			await addDirectory(file, `blobs/${algorithm}`)
			for (const hex of (await promises.readdir(join(directory, 'blobs', algorithm))).sort())
				await addFile(file, { directory, name: `blobs/${algorithm}/${hex}`, options })
		}
		await file.writeFile(Buffer.alloc(2 * BLOCK))
		await file.sync()
	} finally {
		await file.close()
	}
}

async function addDirectory(file: FileHandle, name: string): Promise<void> {
	await file.writeFile(tarHeader({ path: `${name}/`, type: 'directory', size: 0 }))
}

interface Addition {
	readonly directory: string
	readonly name: string
	readonly options: WriteLayoutArchiveOptions
}

async function addFile(file: FileHandle, { directory, name, options }: Addition): Promise<void> {
	const { signal, consume } = options
	signal?.throwIfAborted()
	const source = join(directory, name)
	const { size } = await promises.stat(source)
	await file.writeFile(tarHeader({ path: name, type: 'file', size }))
	let written = 0
	const stream = createReadStream(source, { highWaterMark: READ_BYTES, ...(signal && { signal }) })
	for await (const chunk of stream as AsyncIterable<Buffer>) {
		written += chunk.byteLength
		await file.writeFile(chunk)
	}
	if (written !== size) {
		throw new UserError('FILE_CHANGED', `${source} changed while it was being packed`, {
			hint: 'Run it again when nothing writes to the directory.',
		})
	}
	await file.writeFile(Buffer.alloc(padding(size)))
	if (consume === true) await promises.rm(source)
}
