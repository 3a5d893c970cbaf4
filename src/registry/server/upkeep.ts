import { isSystemError } from '../../errors/index.ts'
import type { Handler } from '../../http/server/index.ts'
import type { Log } from './context.ts'
import { createControl, isControl, newControlSecret, openControlDoor, rememberImmutable } from './control.ts'
import { type MaintenanceOptions, startMaintenance } from './maintenance.ts'
import type { OpenedRegistry } from './registry.ts'
import type { RetentionRule } from './retention.ts'
import type { RegistryStorage } from './storage.ts'
import { parseTagPattern, type TagPattern } from './tag-pattern.ts'

/** What the registry removes by itself. */
export interface RetentionOptions {
	/** Default: none, and so only what nothing refers to. */
	readonly rules?: readonly RetentionRule[] | undefined
	/** What was written or asked for within this time stays, in milliseconds; default one hour. */
	readonly graceMs?: number | undefined
	/** Between two times, in milliseconds; default one hour. `0`: never. */
	readonly intervalMs?: number | undefined
}

/** How a registry keeps and removes what it has. */
export interface UpkeepOptions {
	/** Patterns of tags that keep what they name: see `parseTagPattern`. */
	readonly immutable?: readonly string[] | undefined
	readonly retention?: RetentionOptions | undefined
	/** Between two looks for damage, in milliseconds; default seven days. `0`: none. */
	readonly scrubIntervalMs?: number | undefined
	/** What no rule of retention and no client may remove. */
	readonly digestsInUse?: MaintenanceOptions['digestsInUse']
}

export interface Upkeep {
	/** Absent where no tag is. */
	readonly immutable: TagPattern | undefined
	/** The registry with its door for orders. */
	door(registry: Pick<OpenedRegistry, 'handler' | 'content'>): Handler
	/** Once it listens: tells where the door is, and begins to look after itself. */
	start(url: string, options?: { readonly ownCertificate?: boolean }): void
	/** Ends what runs, and closes the door. */
	stop(): Promise<void>
}

/** @throws UserError `USAGE` for a pattern that is none */
export function createUpkeep(
	options: UpkeepOptions & {
		readonly storage: RegistryStorage
		readonly dataDirectory: string
		/** Name of the one that it has the directory by. */
		readonly lock: string
		readonly log: Log
	},
): Upkeep {
	const { storage, dataDirectory, lock, retention, log } = options
	const patterns = (options.immutable ?? []).map(parseTagPattern)
	const immutable: TagPattern = (repository, tag) => patterns.some((each) => each(repository, tag))
	const secret = newControlSecret()
	const attempt = (otherwise: string, write: () => void): void => {
		try {
			write()
		} catch (error) {
			if (!isSystemError(error)) throw error
			log({
				level: 'warning',
				message: `cannot write into ${dataDirectory}: ${error.message}; ${otherwise}: mend that and start it again`,
			})
		}
	}
	let requests = 0
	const ends: (() => void | Promise<void>)[] = []
	return {
		immutable: patterns.length > 0 ? immutable : undefined,
		door({ handler, content }) {
			const control = createControl({ storage, dataDirectory, secret, immutable, content })
			return (request) => {
				if (isControl(request)) return control(request)
				requests++
				return handler(request)
			}
		},
		start(url, { ownCertificate = false } = {}) {
			// What it serves does not need them: a full disk is no reason not to start.
			attempt('prune and scrub beside this server do not find it', () =>
				ends.push(openControlDoor(dataDirectory, { url, secret, ownCertificate, lock })),
			)
			attempt('a prune while no server runs does not know the immutable tags', () =>
				rememberImmutable(dataDirectory, options.immutable ?? []),
			)
			const { rules = [], intervalMs } = retention ?? {}
			if (rules.length > 0 && intervalMs !== 0 && !options.digestsInUse)
				log({
					level: 'warning',
					message:
						'the rules of retention remove also what Applications deploy or may roll back to, as no cluster is known here: name the one that deploys from this registry with --cluster',
				})
			const { stop } = startMaintenance({
				storage,
				dataDirectory,
				rules,
				graceMs: retention?.graceMs,
				pruneIntervalMs: intervalMs,
				scrubIntervalMs: options.scrubIntervalMs,
				immutable,
				digestsInUse: options.digestsInUse,
				requests: () => requests,
				log,
			})
			ends.push(stop)
		},
		async stop() {
			for (const end of ends.splice(0)) await end()
		},
	}
}
