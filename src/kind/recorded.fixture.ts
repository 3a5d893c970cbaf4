import { expect } from 'vitest'
import type { RunTool, ToolResult } from './run-tool.ts'

export type Answer = Partial<ToolResult> | string
/** What the program also does stands in a function: `kind create` writes a kubeconfig. */
export type PlayedAnswer = Answer | ((call: string) => Answer | Promise<Answer>)

interface Recorded {
	readonly dockerVersion: string
	readonly dockerDown: Partial<ToolResult>
	readonly noContainer: Partial<ToolResult>
	readonly noVolume: Partial<ToolResult>
	readonly noNetwork: Partial<ToolResult>
	readonly noImage: Partial<ToolResult>
	readonly portTaken: Partial<ToolResult>
	readonly noNodes: Partial<ToolResult>
	readonly kindVersion: string
}

/** What the real programs answered: Docker 28.2.2 with engine 20.10.24, kind 0.33.0. */
export const recorded: Recorded = {
	dockerVersion: JSON.stringify({
		Client: { Version: '28.2.2', ApiVersion: '1.41', Context: 'default' },
		Server: { Version: '20.10.24+dfsg1', ApiVersion: '1.41', Os: 'linux', Arch: 'amd64' },
	}),
	dockerDown: {
		status: 1,
		stdout: `${JSON.stringify({ Client: { Version: '28.2.2', Context: 'default' }, Server: null })}\n`,
		stderr:
			'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n',
	},
	noContainer: {
		status: 1,
		stdout: '[]\n',
		stderr: 'Error response from daemon: No such container: nosuch\n',
	},
	noVolume: { status: 1, stdout: '[]\n', stderr: 'Error response from daemon: get nosuch: no such volume\n' },
	noNetwork: { status: 1, stdout: '[]\n', stderr: 'Error response from daemon: network nosuch not found\n' },
	noImage: {
		status: 1,
		stderr:
			'Unable to find image \'nosuch/image:1\' locally\nError response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host\n',
	},
	portTaken: {
		status: 1,
		stderr:
			'Error response from daemon: driver failed programming external connectivity on endpoint kind-registry (645c9cd2): Bind for 127.0.0.1:5055 failed: port is already allocated\nError: failed to start containers: kind-registry\n',
	},
	noNodes: { stderr: 'No kind nodes found for cluster "nosuch".\n' },
	kindVersion: 'kind v0.33.0 go1.27.3 linux/amd64\n',
}

export interface ContainerAnswer {
	readonly id?: string
	readonly name?: string
	readonly status?: 'created' | 'running' | 'exited'
	readonly labels?: Readonly<Record<string, string>>
	readonly networks?: readonly string[]
	readonly port?: number
	readonly image?: string
	/** Paths in it that something is mounted on. */
	readonly mounts?: readonly string[]
}

/** `docker container inspect` as it was recorded, as far as anything is read of it. */
export function inspected({
	id = 'f928c3e1fd828497d3daf500e2cb7b61122045949505d1271f985dff8e2ad21b',
	name = 'kind-registry',
	status = 'running',
	labels = {},
	networks = ['bridge'],
	port = 5000,
	image = 'registry:3',
	mounts = [],
}: ContainerAnswer = {}): string {
	return JSON.stringify([
		{
			Id: id,
			Created: '2026-11-25T23:01:31.299164549Z',
			Path: '/pause',
			State: { Status: status, Running: status === 'running', Paused: false, Pid: 0, ExitCode: 0, Error: '' },
			Name: `/${name}`,
			HostConfig: { PortBindings: { '5000/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] } },
			Mounts: mounts.map((path) => ({ Type: 'bind', Destination: path, Mode: 'ro', RW: false })),
			Config: { Image: image, Labels: labels },
			NetworkSettings: { Networks: Object.fromEntries(networks.map((network) => [network, {}])) },
		},
	])
}

/**
 * Answers each command by the first entry that its line begins with; one that nothing
 * answers to fails the test. `calls` has every line that was run, standard input behind `<`.
 */
export function playback(answers: Readonly<Record<string, PlayedAnswer | readonly PlayedAnswer[]>>): {
	readonly run: RunTool
	readonly calls: string[]
} {
	const calls: string[] = []
	const used = new Map<string, number>()
	const run: RunTool = async (tool, args, options) => {
		const line = [tool, ...args].join(' ')
		const call = options?.input === undefined ? line : `${line} < ${options.input}`
		calls.push(call)
		const key = Object.keys(answers).find((each) => line.startsWith(each))
		if (key === undefined) expect.fail(`nothing was recorded for: ${line}`)
		const entry = answers[key] ?? ''
		const list: readonly PlayedAnswer[] = Array.isArray(entry) ? entry : [entry as PlayedAnswer]
		const index = used.get(key) ?? 0
		used.set(key, index + 1)
		const played = list[Math.min(index, list.length - 1)] ?? ''
		const answer = typeof played === 'function' ? await played(call) : played
		const result = typeof answer === 'string' ? { stdout: answer } : answer
		return { status: 0, stdout: '', stderr: '', ...result }
	}
	return { run, calls }
}
