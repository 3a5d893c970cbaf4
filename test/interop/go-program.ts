import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheRoot } from '../real/stack/tools.ts'

export interface GoProgram {
	/** Path of the package with `main`; the program is called after its last part. */
	readonly package: string
	readonly version: string
}

/** A program of a published Go module, built once into the cache of the tests. @returns its path */
export async function goProgram({ package: path, version }: GoProgram): Promise<string> {
	const name = basename(path)
	const directory = join(cacheRoot(), 'bin', version)
	const program = join(directory, name)
	if (existsSync(program)) return program
	await mkdir(directory, { recursive: true })
	// Whole or not at all, also when two runs build it at once.
	const own = await mkdtemp(join(directory, '.build-'))
	try {
		await promisify(execFile)('go', ['install', '-trimpath', '-ldflags=-s -w', `${path}@${version}`], {
			env: { ...process.env, GOBIN: own, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto' },
		})
		await rename(join(own, name), program)
	} finally {
		await rm(own, { recursive: true, force: true })
	}
	return program
}
