import * as v from 'valibot'
import { UserError } from '../errors/index.ts'
import { startDockerHint } from './install-hint.ts'
import { complaintOf, detailsOf, type RunTool, type RunToolOptions, type ToolResult } from './run-tool.ts'

export interface Container {
	readonly id: string
	readonly name: string
	readonly image: string
	readonly running: boolean
	/** `running`, `exited`, `created`, … */
	readonly status: string
	readonly exitCode: number
	/** What Docker says of why it could not be started; empty. */
	readonly error: string
	readonly labels: Readonly<Record<string, string>>
	/** Paths in it that something is mounted on. */
	readonly mounts: readonly string[]
	/** Names of the networks it is attached to. */
	readonly networks: readonly string[]
	/** Ports of this machine, by those of the container: `{'5000/tcp': 5000}`. */
	readonly ports: Readonly<Record<string, number>>
}

export interface ContainerSpec {
	readonly name: string
	readonly image: string
	readonly labels: Readonly<Record<string, string>>
	readonly env: Readonly<Record<string, string>>
	/** Volume by the path it has in the container. */
	readonly volumes: Readonly<Record<string, string>>
	/** Port of this machine's loopback by that of the container. */
	readonly ports: Readonly<Record<number, number>>
}

/** What lading asks of Docker. All throw UserError `TOOL_MISSING`, `DOCKER_NOT_RUNNING`, `TOOL_FAILED`. */
export interface Docker {
	/** Version of the engine. */
	version(): Promise<string>
	container(name: string): Promise<Container | undefined>
	/** All that carry a label, running or not. */
	containersWith(label: string): Promise<readonly Container[]>
	/** Pulls the image where it is not there; does not start it. */
	create(spec: ContainerSpec, options?: Pick<RunToolOptions, 'onLine'>): Promise<void>
	/** Puts a file of this machine into a container. */
	copyInto(container: string, file: { readonly from: string; readonly to: string }): Promise<void>
	start(container: string): Promise<void>
	restart(container: string): Promise<void>
	stop(container: string): Promise<void>
	/** With what it wrote outside its volumes. `false` when there was none. */
	remove(container: string): Promise<boolean>
	/** The end of a container's log. */
	logs(container: string, lines: number): Promise<readonly string[]>
	/** Runs a program in a container. */
	exec(
		container: string,
		args: readonly string[],
		options?: Pick<RunToolOptions, 'input'>,
	): Promise<ToolResult>
	/** Labels of a volume; `undefined` when there is none. */
	volume(name: string): Promise<Readonly<Record<string, string>> | undefined>
	createVolume(name: string, labels: Readonly<Record<string, string>>): Promise<void>
	removeVolume(name: string): Promise<boolean>
	/** Names of the containers that are attached, running or not; `undefined` when there is no such network. */
	network(name: string): Promise<readonly string[] | undefined>
	connect(network: string, container: string): Promise<void>
	removeNetwork(name: string): Promise<boolean>
	/** Directory of the engine's data, on the engine's machine. */
	rootDirectory(): Promise<string>
}

export interface DockerOptions {
	readonly run: RunTool
	/** For the sentence that tells how Docker is started. */
	readonly platform: string
	readonly signal?: AbortSignal | undefined
}

const PULL_TIMEOUT_MS = 15 * 60_000
/** A node has containers of its own. */
const REMOVE_TIMEOUT_MS = 2 * 60_000
/** Docker gives a container ten seconds to end by itself. */
const STOP_SECONDS = '10'

const versionSchema = v.object({ Server: v.nullish(v.object({ Version: v.optional(v.string(), '') })) })
const labels = v.pipe(
	v.optional(v.nullable(v.record(v.string(), v.string())), {}),
	v.transform((value): Readonly<Record<string, string>> => value ?? {}),
)
const containerSchema = v.array(
	v.object({
		Id: v.string(),
		Name: v.string(),
		State: v.object({
			Status: v.string(),
			Running: v.boolean(),
			ExitCode: v.optional(v.number(), 0),
			Error: v.optional(v.string(), ''),
		}),
		Config: v.object({ Image: v.string(), Labels: labels }),
		HostConfig: v.object({
			PortBindings: v.nullish(
				v.record(v.string(), v.nullish(v.array(v.object({ HostPort: v.optional(v.string(), '') })))),
			),
		}),
		Mounts: v.nullish(v.array(v.object({ Destination: v.string() }))),
		NetworkSettings: v.object({ Networks: v.nullish(v.record(v.string(), v.unknown())) }),
	}),
)
const volumeSchema = v.array(v.object({ Labels: labels }))
const networkSchema = v.array(v.object({ Name: v.string() }))

/** Docker by its command, so that contexts, rootless engines and Docker Desktop work as they do for the user. */
export function createDocker({ run, platform, signal }: DockerOptions): Docker {
	const docker = async (args: readonly string[], options: RunToolOptions = {}): Promise<ToolResult> =>
		await run('docker', args, { signal, ...options })

	const version = async (): Promise<string> => {
		const result = await docker(['version', '--format', '{{json .}}'])
		const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), versionSchema), result.stdout)
		const server = parsed.success ? parsed.output.Server : undefined
		if (result.status === 0 && server) return server.Version
		const complaint = complaintOf(result)
		throw new UserError('DOCKER_NOT_RUNNING', `Docker does not answer: ${complaint}`, {
			// Only the advice depends on Docker's words.
			hint: /permission denied/i.test(complaint)
				? 'sudo usermod -aG docker "$USER", and log in again; or a rootless Docker'
				: startDockerHint(platform),
		})
	}

	/** A failure is Docker's absence first, and only then the command's. */
	const failed = async (what: string, result: ToolResult, hint?: string): Promise<UserError> => {
		await version()
		return new UserError('TOOL_FAILED', `${what}: ${complaintOf(result)}`, {
			details: detailsOf(result).slice(0, -1),
			hint,
		})
	}

	const must = async (
		args: readonly string[],
		options: RunToolOptions & { readonly what: string; readonly hint?: string },
	): Promise<string> => {
		const { what, hint, ...rest } = options
		const result = await docker(args, rest)
		if (result.status === 0) return result.stdout
		throw await failed(what, result, hint)
	}

	/** What `inspect` says; `undefined` when there is no such thing. */
	const inspect = async <T>(
		kind: 'container' | 'volume' | 'network',
		{ name, schema }: { readonly name: string; readonly schema: v.GenericSchema<unknown, T> },
	): Promise<T | undefined> => {
		const result = await docker([kind, 'inspect', name])
		const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), result.stdout)
		if (result.status === 0 && parsed.success) return parsed.output
		await version()
		if (result.status !== 0) return undefined
		throw new UserError('TOOL_FAILED', `docker ${kind} inspect ${name} answers with something unknown`)
	}

	const containers = async (names: readonly string[]): Promise<readonly Container[]> => {
		const found = await Promise.all(
			names.map(async (name) => await inspect('container', { name, schema: containerSchema })),
		)
		return found.flatMap((each) => each ?? []).map(toContainer)
	}

	/** Removes something that is there. `false` when it is not. */
	const remove = async (args: readonly string[], isThere: () => Promise<boolean>): Promise<boolean> => {
		if (!(await isThere())) return false
		await must(args, { what: `docker ${args.join(' ')} failed`, timeoutMs: REMOVE_TIMEOUT_MS })
		return true
	}

	const container = async (name: string): Promise<Container | undefined> => (await containers([name]))[0]

	return {
		version,
		container,
		async containersWith(label) {
			const ids = await must(['ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${label}`], {
				what: 'the containers cannot be listed',
			})
			return await containers(linesOf(ids))
		},
		async create(spec, { onLine } = {}) {
			await must(createArguments(spec), {
				what: `the container ${spec.name} cannot be made of ${spec.image}`,
				hint: `See whether the image can be had: docker pull ${spec.image}`,
				timeoutMs: PULL_TIMEOUT_MS,
				onLine,
			})
		},
		async copyInto(name, { from, to }) {
			await must(['cp', from, `${name}:${to}`], { what: `${to} cannot be put into ${name}` })
		},
		async start(name) {
			await must(['start', name], { what: `the container ${name} cannot be started` })
		},
		async restart(name) {
			await must(['restart', '-t', STOP_SECONDS, name], { what: `${name} cannot be restarted` })
		},
		async stop(name) {
			await must(['stop', '-t', STOP_SECONDS, name], { what: `${name} cannot be stopped` })
		},
		remove: async (name) =>
			await remove(['rm', '--force', '--volumes', name], async () => (await container(name)) !== undefined),
		async logs(name, lines) {
			const { stdout, stderr } = await docker(['logs', '--tail', String(lines), name])
			return `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '')
		},
		exec: async (name, args, { input } = {}) =>
			await docker(['exec', ...(input === undefined ? [] : ['--interactive']), name, ...args], { input }),
		volume: async (name) => (await inspect('volume', { name, schema: volumeSchema }))?.[0]?.Labels,
		async createVolume(name, marks) {
			await must(['volume', 'create', ...labelArguments(marks), name], {
				what: `the volume ${name} cannot be made`,
			})
		},
		removeVolume: async (name) =>
			await remove(
				['volume', 'rm', name],
				async () => (await inspect('volume', { name, schema: volumeSchema })) !== undefined,
			),
		async network(name) {
			if ((await inspect('network', { name, schema: networkSchema })) === undefined) return undefined
			// What inspect lists are only those that run: the others could not be started any more without it.
			return linesOf(
				await must(['ps', '--all', '--filter', `network=${name}`, '--format', '{{.Names}}'], {
					what: `what is on the network ${name} cannot be listed`,
				}),
			)
		},
		async connect(network, name) {
			await must(['network', 'connect', network, name], {
				what: `${name} cannot be attached to the network ${network}`,
			})
		},
		removeNetwork: async (name) =>
			await remove(
				['network', 'rm', name],
				async () => (await inspect('network', { name, schema: networkSchema })) !== undefined,
			),
		rootDirectory: async () =>
			(
				await must(['info', '--format', '{{.DockerRootDir}}'], { what: 'Docker does not tell of itself' })
			).trim(),
	}
}

function linesOf(text: string): readonly string[] {
	return text.split('\n').filter((line) => line.trim() !== '')
}

function toContainer(raw: v.InferOutput<typeof containerSchema>[number]): Container {
	const { State, Config, HostConfig, NetworkSettings } = raw
	const ports = Object.entries(HostConfig.PortBindings ?? {}).flatMap(([port, bindings]) => {
		const host = Number(bindings?.[0]?.HostPort ?? '')
		return host > 0 ? [[port, host] as const] : []
	})
	return {
		id: raw.Id,
		name: raw.Name.replace(/^\//, ''),
		image: Config.Image,
		running: State.Running,
		status: State.Status,
		exitCode: State.ExitCode,
		error: State.Error,
		labels: Config.Labels,
		mounts: (raw.Mounts ?? []).map(({ Destination }) => Destination),
		networks: Object.keys(NetworkSettings.Networks ?? {}),
		ports: Object.fromEntries(ports),
	}
}

function createArguments(spec: ContainerSpec): readonly string[] {
	return [
		'create',
		'--name',
		spec.name,
		// It comes back with Docker, unless somebody has stopped it.
		'--restart',
		'unless-stopped',
		...labelArguments(spec.labels),
		...Object.entries(spec.env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
		...Object.entries(spec.volumes).flatMap(([path, volume]) => ['--volume', `${volume}:${path}`]),
		...Object.entries(spec.ports).flatMap(([inside, outside]) => [
			'--publish',
			`127.0.0.1:${outside}:${inside}`,
		]),
		spec.image,
	]
}

function labelArguments(marks: Readonly<Record<string, string>>): readonly string[] {
	return Object.entries(marks).flatMap(([name, value]) => ['--label', `${name}=${value}`])
}
