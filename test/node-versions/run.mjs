// Runs the tests with another release of Node.js than the one on PATH: npm run test:node -- 24 unit e2e
import { spawnSync } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'
import { readFileSync } from 'node:fs'

const [release = '26', ...named] = process.argv.slice(2)
const projects = named.length > 0 ? named : ['unit', 'e2e']
const here = import.meta.dirname
const root = resolve(here, '../..')
const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
const wanted = `v${dependencies[`node-${release}`].split('@')[1]}`
const directory = join(here, 'node_modules', `node-${release}`, 'bin')
const node = join(directory, 'node')
const found = () => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim()
const run = (command, args, options) => {
	const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options })
	if (error) throw error
	if (status !== 0) process.exit(status ?? 1)
}

if (found() !== wanted) run('npm', ['ci', '--ignore-scripts'], { cwd: here })
if (found() !== wanted) throw new Error(`${node} is not Node.js ${wanted}`)
process.stdout.write(`Node.js ${wanted}\n`)
const chosen = projects.flatMap((project) => ['--project', project])
// As on the real stack: what passes only at the second attempt is told.
const tolerance = process.env.CI === undefined ? [] : ['--retry', '1']
run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...chosen, ...tolerance], {
	cwd: root,
	// What a test starts as `node` is the same one.
	env: { ...process.env, PATH: `${directory}${delimiter}${process.env.PATH}` },
})
