// The peers: from PATH, else built once into the cache of the tests.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, join } from 'node:path'

const ORAS = { package: 'oras.land/oras/cmd/oras', version: 'v1.3.6' }
const CRANE = { package: 'github.com/google/go-containerregistry/cmd/crane', version: 'v0.22.1' }

/** @returns the path of a program, or `undefined` where it can be neither found nor built */
function find({ package: path, version }) {
	const name = basename(path)
	for (const directory of (process.env.PATH ?? '').split(delimiter))
		if (existsSync(join(directory, name))) return join(directory, name)
	const root = process.env.LADING_TEST_CACHE ?? join(homedir(), '.cache/lading-test')
	const directory = join(root, 'bin', version)
	const program = join(directory, name)
	if (existsSync(program)) return program
	try {
		mkdirSync(directory, { recursive: true })
		const own = mkdtempSync(join(directory, '.build-'))
		try {
			const env = { ...process.env, GOBIN: own, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto' }
			const args = ['install', '-trimpath', '-ldflags=-s -w', `${path}@${version}`]
			execFileSync('go', args, { env, stdio: 'ignore', cwd: own })
			renameSync(join(own, name), program)
		} finally {
			rmSync(own, { recursive: true, force: true })
		}
		return program
	} catch {
		return undefined
	}
}

export const findOras = () => find(ORAS)
export const findCrane = () => find(CRANE)
