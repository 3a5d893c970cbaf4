import type { Check } from './check.ts'

/** The oldest minor version of each major one that is not simply new enough; as `engines` in package.json. */
const OLDEST_MINOR: Readonly<Record<number, number>> = { 20: 19, 22: 12 }
const NEW_ENOUGH = 23
const LITTLE_BYTES = 1_000_000_000
const TOO_LITTLE_BYTES = 100_000_000

/** What can be wrong with this machine. */
export const machineChecks: readonly Check[] = [
	{
		name: 'node',
		run({ machine }) {
			const [major = 0, minor = 0] = machine.nodeVersion.replace(/^v/, '').split('.').map(Number)
			const old = major < NEW_ENOUGH && minor < (OLDEST_MINOR[major] ?? Infinity)
			const seen = `Node ${machine.nodeVersion}`
			if (!old) return [{ check: 'node', status: 'ok', seen }]
			return [
				{
					check: 'node',
					status: 'fault',
					seen,
					why: 'lading needs Node 20.19, 22.12 or later',
					fix: 'Install a current Node.js from https://nodejs.org',
				},
			]
		},
	},
	{
		name: 'disk',
		run({ machine: { disk } }) {
			if (disk === undefined) return []
			const seen = `${Math.floor(disk.freeBytes / 1_000_000)} MB free for ${disk.path}`
			if (disk.freeBytes >= LITTLE_BYTES) return [{ check: 'disk', status: 'ok', seen }]
			return [
				{
					check: 'disk',
					status: disk.freeBytes < TOO_LITTLE_BYTES ? 'fault' : 'warn',
					seen,
					why: 'pushes fail when the registry cannot store them',
					fix: 'Free some space; lading down removes the registry’s content.',
				},
			]
		},
	},
	{
		name: 'ports',
		run({ machine: { ports = [] } }) {
			return ports.map(({ port, wantedBy, takenBy, needed }) =>
				takenBy === undefined
					? { check: 'ports', subject: wantedBy, status: 'ok', seen: `port ${port} is free or ours` }
					: {
							check: 'ports',
							subject: wantedBy,
							status: needed === true ? 'fault' : 'warn',
							seen: `port ${port} is taken by ${takenBy}`,
							why: port === 5000 ? 'on macOS it is often the AirPlay receiver' : undefined,
							fix:
								needed === true
									? 'lading registry up takes a free one'
									: `Choose another for ${wantedBy} with --port, or end ${takenBy}.`,
						},
			)
		},
	},
	{
		name: 'processes',
		run({ machine: { processes = [] } }) {
			return processes.map(({ name, pid, alive }) =>
				alive
					? { check: 'processes', subject: name, status: 'ok', seen: `${name} runs (process ${pid})` }
					: {
							check: 'processes',
							subject: name,
							status: 'fault',
							seen: `${name} should run and does not`,
							why: 'it was ended, or the machine was started anew; what it stored is kept',
							fix: 'lading up',
						},
			)
		},
	},
]
