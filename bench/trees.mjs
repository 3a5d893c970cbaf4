// What is packed: made from a seed, so that every run has the same.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Numbers in [0, 1) that are the same for the same seed. */
function seeded(seed) {
	let state = seed
	return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
}

function write(directory, index, data) {
	const folder = join(directory, `group-${String(index % 20).padStart(2, '0')}`)
	mkdirSync(folder, { recursive: true })
	const head = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-${index}\n  namespace: bench\n`
	writeFileSync(join(folder, `config-${index}.yaml`), `${head}data:\n${data}\n`)
}

/** ConfigMaps of 60 to 300 lines in 20 directories: 2,000 of them are 9.5 MB. */
export function makeTree(directory, files) {
	const random = seeded(1)
	for (let index = 0; index < files; index++) {
		const lines = Array.from(
			{ length: 60 + Math.floor(random() * 240) },
			(_, line) => `  key-${line}: "value ${Math.floor(random() * 1e9)}"`,
		)
		write(directory, index, lines.join('\n'))
	}
}

/** As many small ones. */
export function makeSmallTree(directory, files) {
	for (let index = 0; index < files; index++) write(directory, index, `  key: "${index}"`)
}

/** Changes one file of a tree. */
export function changeOne(directory, round) {
	write(directory, 7, `  round: "${round}"`)
}

/** One file of incompressible bytes. */
export function makeBig(directory, megabytes) {
	mkdirSync(directory, { recursive: true })
	let state = 88_172_645 >>> 0
	const block = new Uint32Array((1024 * 1024) / 4)
	const chunks = []
	for (let index = 0; index < megabytes; index++) {
		for (let at = 0; at < block.length; at++) {
			state ^= state << 13
			state ^= state >>> 17
			state ^= state << 5
			block[at] = state
		}
		chunks.push(Buffer.from(block.buffer.slice(0)))
	}
	writeFileSync(join(directory, 'big.bin'), Buffer.concat(chunks))
}
