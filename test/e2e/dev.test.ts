import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevLine, type RunningDev, startDev } from './follow.ts'
import { createProject, lading, processesWith, type Project } from './program.ts'

const SAVES = 200
const MIB = 1024 * 1024

const configMap = (name: string, value: number): string =>
	`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
	let state = seed
	return (below) => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
		return Math.floor((state / 2 ** 32) * below)
	}
}

const residentBytes = (pid: number): number =>
	Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Two hundred saves as editors make them: in place, by renaming, in bursts; files and directories that come and go. */
class Editor {
	readonly #root: string
	readonly #next = numbers(7)
	#count = 0

	constructor(root: string) {
		this.#root = root
	}

	/** One save; some are of manifests that do not parse, which the next one mends. */
	save(): void {
		const value = ++this.#count
		const name = `c${this.#next(4)}`
		const path = `${name}.yaml`
		switch (this.#next(7)) {
			case 0:
				return this.#rename(path, configMap(name, value))
			case 1:
				return this.#write(`deep/${name}/d.yaml`, configMap(`deep-${name}`, value))
			case 2:
				return rmSync(join(this.#root, 'deep', name), { recursive: true, force: true })
			case 3:
				return rmSync(join(this.#root, path), { force: true })
			case 4:
				return this.#write('broken.yaml', `apiVersion: v1\nkind: [${value}\n`)
			case 5:
				return rmSync(join(this.#root, 'broken.yaml'), { force: true })
			default:
				return this.#write(path, configMap(name, value))
		}
	}

	/** Leaves nothing that cannot be deployed. */
	finish(): void {
		rmSync(join(this.#root, 'broken.yaml'), { force: true })
		this.#rename('last.yaml', configMap('last', this.#count))
	}

	#write(path: string, text: string): void {
		mkdirSync(dirname(join(this.#root, path)), { recursive: true })
		writeFileSync(join(this.#root, path), text)
	}

	#rename(path: string, text: string): void {
		const temporary = join(this.#root, `.${path}.swp`)
		writeFileSync(temporary, text)
		renameSync(temporary, join(this.#root, path))
	}
}

describe.sequential('dev in the sandbox', () => {
	let project: Project
	let dev: RunningDev | undefined
	let manifests = ''

	const start = async (...args: string[]): Promise<RunningDev> => {
		dev = startDev(args, { cwd: project.directory })
		return await Promise.resolve(dev)
	}
	const is =
		(event: string, more: (line: DevLine) => boolean = () => true) =>
		(line: DevLine): boolean =>
			line.event === event && more(line)

	beforeAll(async () => {
		project = createProject({ empty: true })
		manifests = join(project.directory, 'manifests')
		mkdirSync(manifests)
		writeFileSync(join(manifests, 'a.yaml'), configMap('a', 0))
		// A port of its own, which it keeps: the one that all begin with would be another project's while the registry is down.
		await project.ok('registry', 'up', '--port', '0')
		await project.ok('registry', 'down', '--keep-data')
	})
	afterAll(async () => {
		await dev?.interrupt()
		await project.remove()
	})

	it('brings up an empty project, and tells of a save until it is Healthy', async () => {
		const running = await start('manifests', '--name', 'shop', '--recurse')
		const started = await running.until(is('started'))
		expect(started).toMatchObject({ version: 1, name: 'shop', cluster: 'sandbox', namespace: 'shop' })
		expect(started['reference']).toMatch(/^localhost:\d+\/shop:dev$/)
		await running.until(is('healthy'))
		const from = running.lines.length
		writeFileSync(join(manifests, 'a.yaml'), configMap('a', 1))
		const healthy = await running.until(is('healthy'), from)
		const told = running.lines.slice(from).filter(({ save }) => save === healthy['save'])
		expect(told.map(({ event }) => event)).toEqual(
			expect.arrayContaining(['saved', 'pushed', 'changes', 'synced', 'healthy']),
		)
		const changes = told.find(({ event }) => event === 'changes')
		expect(JSON.stringify(changes)).toContain('"before":"0","after":"1"')
	})

	it('says unchanged for a save without a change, and pushes nothing', async () => {
		const running = dev as RunningDev
		const from = running.lines.length
		utimesSync(join(manifests, 'a.yaml'), new Date(), new Date())
		await running.until(is('unchanged'), from)
		expect(running.lines.slice(from).map(({ event }) => event)).not.toContain('pushed')
	})

	it('shows a manifest that does not parse with line and column, and pushes nothing', async () => {
		const running = dev as RunningDev
		const from = running.lines.length
		writeFileSync(join(manifests, 'b.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b\n')
		const { error } = await running.until(is('refused'), from)
		expect(error).toMatchObject({ code: 'MANIFEST_UNPARSABLE' })
		expect((error as { message: string }).message).toMatch(/^b\.yaml:\d+:\d+: /)
		// Argo CD would pass over this one.
		writeFileSync(join(manifests, 'b.yaml'), 'a: [\n')
		await running.until(
			is('refused', (line) => JSON.stringify(line).includes('b.yaml:2:1')),
			from,
		)
		rmSync(join(manifests, 'b.yaml'))
		await running.until(is('unchanged'), from)
		expect(running.lines.slice(from).map(({ event }) => event)).not.toContain('pushed')
	})

	it('shows that the registry is gone, and goes on when it is back', async () => {
		const running = dev as RunningDev
		const from = running.lines.length
		await project.ok('registry', 'down', '--keep-data')
		writeFileSync(join(manifests, 'a.yaml'), configMap('a', 2))
		const failed = await running.until(is('failed'), from)
		expect(failed['error']).toMatchObject({ hint: expect.stringContaining('lading registry up') as string })
		await project.ok('registry', 'up')
		await running.until(is('healthy'), from)
	})

	it(`ends ${SAVES} saves with what is on the disk, and grows neither in memory nor in descriptors`, async () => {
		const running = dev as RunningDev
		const editor = new Editor(manifests)
		const from = running.lines.length
		const next = numbers(11)
		let early = { bytes: 0, descriptors: 0 }
		for (let save = 1; save <= SAVES;) {
			const burst = 1 + next(8)
			for (let index = 0; index < burst && save <= SAVES; index++, save++) editor.save()
			await pause(next(4) === 0 ? 600 : next(150))
			if (save > SAVES / 4 && early.bytes === 0)
				early = { bytes: residentBytes(running.pid), descriptors: descriptors(running.pid) }
		}
		editor.finish()
		const { digest } = await project.json('push', 'manifests', 'shop:expected', '--recurse', '--no-refresh')
		await running.until(
			is('healthy', (line) => line['digest'] === digest),
			from,
		)
		const { applications } = await project.json('status', 'shop')
		expect(applications).toMatchObject([
			{ sync: 'Synced', health: 'Healthy', targetRevision: 'dev', revision: digest },
		])
		const names = readdirSync(manifests, { recursive: true, encoding: 'utf8' })
			.filter((path) => path.endsWith('.yaml'))
			.map((path) => /name: (\S+)/.exec(readFileSync(join(manifests, path), 'utf8'))?.[1] ?? '')
		const [application] = applications as readonly { resourceStates: readonly { name: string }[] }[]
		expect(application?.resourceStates.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
		const events = running.lines.slice(from).map(({ event }) => event)
		expect(events).toEqual(expect.arrayContaining(['refused', 'superseded', 'pushed', 'healthy']))
		expect(residentBytes(running.pid) - early.bytes).toBeLessThan(80 * MIB)
		await expect
			.poll(() => descriptors(running.pid), { timeout: 20_000 })
			.toBeLessThanOrEqual(early.descriptors + 10)
	})

	it('leaves nothing behind but what it says, and ends with 130', async () => {
		const ended = await (dev as RunningDev).interrupt()
		expect(ended.code, ended.stderr).toBe(130)
		const last = (dev as RunningDev).lines.at(-1)
		dev = undefined
		expect(last).toMatchObject({ event: 'ended', error: { code: 'INTERRUPTED' } })
		expect(JSON.stringify(last)).toMatch(/shop:dev is sha256:/)
		expect(
			readdirSync(manifests, { recursive: true, encoding: 'utf8' }).filter(
				(path) => !/^(?:deep|.*\.yaml$)/.test(path),
			),
		).toEqual([])
		expect(await project.ok('tags', 'shop')).toBe('dev\nexpected')
		const { registry } = await project.json('registry', 'status')
		expect(JSON.stringify(registry)).not.toMatch(/"uploads":[1-9]/)
		await project.ok('down')
		expect(existsSync(join(project.directory, '.lading'))).toBe(false)
		expect(processesWith(project.directory)).toEqual([])
	})

	it('ends with 130 in words too, and says how to go back', async () => {
		await project.ok('up', 'manifests', '--name', 'shop', '--tag', 'v1.0.0', '--recurse')
		const ended = await lading(['dev', 'manifests', '--name', 'shop', '--recurse'], {
			cwd: project.directory,
			kill: { when: /Healthy {2}/, signal: 'SIGINT' },
		})
		expect(ended.code, ended.stderr).toBe(130)
		expect(ended.stdout).toContain('It followed v1.0.0 before.')
		expect(ended.stdout).toMatch(/#1 ✓ Synced {3}\d+\.\d+ s/)
		expect(ended.stderr).toContain('lading sync shop v1.0.0 puts the Application back')
	})

	it('takes an Application of a cluster that is not its own only when told to', async () => {
		await project.ok('sync', 'shop', 'v1.0.0')
		const { registry } = await project.json('registry', 'status')
		const host = String((registry as Record<string, unknown>)['push'])
		const other = createProject({ empty: true, parent: project.directory })
		const flags = [
			'--name',
			'shop',
			'--recurse',
			'--cluster',
			'context:lading-sandbox',
			'--ca',
			join(project.directory, '.lading/ca.crt'),
			'--kubeconfig',
			join(project.directory, '.lading/kubeconfig'),
		]
		const kept = await other.run('dev', manifests, `${host}/shop:dev`, ...flags, '--json')
		expect(kept.code, kept.stderr).toBe(1)
		expect(JSON.parse(kept.stdout)).toMatchObject({ event: 'ended', error: { code: 'REVISION_KEPT' } })
		dev = startDev([manifests, `${host}/shop:dev`, ...flags, '--force'], { cwd: other.directory })
		expect(await dev.until(is('started'))).toMatchObject({ previousRevision: 'v1.0.0' })
		await dev.until(is('healthy'))
		expect((await dev.interrupt()).code).toBe(130)
		dev = undefined
		const { applications } = await project.json('status', 'shop')
		expect(applications).toMatchObject([{ targetRevision: 'dev', sync: 'Synced' }])
	})

	it.each([
		['a version', ['shop:v1.0.0'], /v1\.0\.0 is a version/],
		['a digest', [`shop@sha256:${'a'.repeat(64)}`], /a digest never moves/],
	])('does not take %s for a tag that moves', async (_, args, message) => {
		const ended = await project.run('dev', 'manifests', ...args)
		expect(ended.code).toBe(2)
		expect(ended.stderr).toMatch(message)
	})

	it('does not take a tag that is pushed once, nor a directory that is not there', async () => {
		writeFileSync(join(project.directory, 'lading.yaml'), "immutable: ['d*']\n")
		const fixed = await project.run('dev', 'manifests')
		expect(fixed.code).toBe(2)
		expect(fixed.stderr).toContain('pushed once (d*)')
		const absent = await project.run('dev', 'nowhere', 'shop:wip')
		expect(absent.code).toBe(3)
		const json = await project.run('dev', 'nowhere', 'shop:wip', '--json')
		expect(JSON.parse(json.stdout)).toMatchObject({ event: 'ended', error: { code: 'DIRECTORY_INVALID' } })
	})
})
