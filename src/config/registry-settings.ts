import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { isSystemError, UserError } from '../errors/index.ts'
import { headerNameFault, headerValueFault } from '../http/client/index.ts'
import { parseSettings } from './parse-settings.ts'
import { tagPatternField } from './tag-pattern-field.ts'
import { durationField, sizeField } from './units.ts'

/** How `registry serve` runs, as `--config FILE` says it. Every path is absolute; what is absent has its default. */
export interface RegistrySettings {
	/** Directory of the content. */
	readonly data?: string | undefined
	readonly listen?: ListenSettings | undefined
	readonly tls?: TlsSettings | undefined
	readonly auth?: AuthSettings | undefined
	readonly limits?: LimitSettings | undefined
	readonly events?: readonly EventEndpointSettings[] | undefined
	readonly log?: LogSettings | undefined
	readonly retention?: RetentionSettings | undefined
	/** Patterns of tags that keep what they name. */
	readonly immutable?: readonly string[] | undefined
	readonly scrub?: { readonly interval?: number | undefined } | undefined
}

/** What the registry removes by itself. Times in milliseconds. */
export interface RetentionSettings {
	readonly grace?: number | undefined
	readonly interval?: number | undefined
	readonly rules?: readonly RetentionRuleSettings[] | undefined
}

export interface RetentionRuleSettings {
	readonly repository?: string | undefined
	readonly tag?: string | undefined
	readonly keep?: number | undefined
	readonly olderThan?: number | undefined
	readonly untagged?: boolean | undefined
	readonly includeImmutable?: boolean | undefined
}

export interface ListenSettings {
	readonly host?: string | undefined
	readonly port?: number | undefined
	/** Further names and addresses for a certificate of its own. */
	readonly names?: readonly string[] | undefined
	readonly plainHttp?: boolean | undefined
	/** `HOST:PORT` of a second listener with the metrics and the health of the first. */
	readonly metrics?: string | undefined
	/** Proxies whose `X-Forwarded-For` is believed, as addresses. */
	readonly trustedProxies?: readonly string[] | undefined
}

export interface TlsSettings {
	readonly cert: string
	readonly key: string
}

export interface AuthSettings {
	readonly htpasswd?: string | undefined
	/** Users of the password file that may only read. */
	readonly readers?: readonly string[] | undefined
	readonly anonymous?: Anonymous | undefined
	/** Wrong passwords an address, and a user, may have each minute. */
	readonly failures?: number | undefined
}

/** What somebody without a password may do. */
export type Anonymous = 'none' | 'read' | 'write'

/** Sizes in bytes, times in milliseconds. */
export interface LimitSettings {
	readonly blob?: number | undefined
	readonly manifest?: number | undefined
	readonly headers?: number | undefined
	readonly uploads?: number | undefined
	readonly connections?: number | undefined
	readonly headersTimeout?: number | undefined
	readonly idleTimeout?: number | undefined
	readonly stallTimeout?: number | undefined
	readonly shutdown?: number | undefined
	readonly freeSpace?: number | undefined
}

export interface EventEndpointSettings {
	readonly name: string
	readonly url: string
	readonly headers?: Readonly<Record<string, string>> | undefined
	/** Path of PEM certificates trusted besides the system's. */
	readonly ca?: string | undefined
	/** For one attempt, in milliseconds. */
	readonly timeout?: number | undefined
	readonly actions?: readonly EventAction[] | undefined
	/** Events kept while the endpoint does not take them. */
	readonly queue?: number | undefined
}

export type EventAction = 'push' | 'pull' | 'delete' | 'mount'

export interface LogSettings {
	/** One line of JSON on standard error for each request. */
	readonly access?: boolean | undefined
}

const name = v.pipe(v.string(), v.minLength(1, 'it is empty'))
const about = (description: string): v.DescriptionAction<string, string> => v.description(description)
const path = (description: string): v.GenericSchema<unknown, string> =>
	v.pipe(v.string(), v.minLength(1, 'a file has a name'), about(description))
const flag = (description: string): v.GenericSchema<unknown, boolean> =>
	v.pipe(v.boolean(), v.description(description))
const count = (
	description: string,
	{ from, to }: { readonly from: number; readonly to: number },
): v.GenericSchema<unknown, number> =>
	v.pipe(
		v.number(),
		v.integer('a whole number is wanted'),
		v.minValue(from, `at least ${from}`),
		v.maxValue(to, `at most ${to}`),
		v.description(description),
	)

/** What `faultOf` finds no fault with; the fault is the message. */
const good = (
	faultOf: (text: string) => string | undefined,
): v.CheckAction<string, (issue: v.CheckIssue<string>) => string> =>
	v.check(
		(text) => faultOf(text) === undefined,
		({ input }) => faultOf(input) ?? '',
	)

const listen = v.strictObject({
	host: v.optional(v.pipe(name, about('Address to listen on; default 127.0.0.1.'))),
	port: v.optional(count('Port to listen on; default 5000.', { from: 0, to: 65_535 })),
	names: v.optional(
		v.pipe(
			v.array(name),
			v.description('Further names and addresses for the certificate that it makes itself.'),
		),
	),
	plainHttp: v.optional(flag('Speak HTTP: only behind a proxy that speaks TLS.')),
	metrics: v.optional(
		v.pipe(
			v.string(),
			v.regex(/^.+:\d{1,5}$/, 'write it as HOST:PORT'),
			about('HOST:PORT that serves /metrics, /livez and /readyz without a password.'),
		),
	),
	trustedProxies: v.optional(
		v.pipe(
			v.array(v.pipe(v.string(), v.ip('an address is wanted'))),
			v.description('Addresses of proxies whose X-Forwarded-For names the client.'),
		),
	),
})

const tls = v.strictObject({
	cert: path('Certificate (PEM), with its chain; read again when it changes.'),
	key: path('Its key (PEM).'),
})

const auth = v.strictObject({
	htpasswd: v.optional(path('Users and bcrypt hashes; read again when it changes.')),
	readers: v.optional(v.pipe(v.array(name), v.description('Users of htpasswd that may only read.'))),
	anonymous: v.optional(
		v.pipe(
			v.picklist(['none', 'read', 'write'], 'none, read or write is wanted'),
			v.description('What may be done without a password; default none where others reach it, else write.'),
		),
	),
	failures: v.optional(
		count('Wrong passwords each minute, by address and by user; default 10.', { from: 1, to: 10_000 }),
	),
})

const limits = v.strictObject({
	blob: v.optional(sizeField('Largest blob; default 10GiB.')),
	manifest: v.optional(sizeField('Largest manifest; default 4MiB.')),
	headers: v.optional(sizeField('Headers of a request together; default 16KiB.')),
	uploads: v.optional(count('Uploads begun and not ended; default 10000.', { from: 1, to: 1_000_000 })),
	connections: v.optional(count('Connections at a time; default 2000.', { from: 1, to: 1_000_000 })),
	headersTimeout: v.optional(durationField('Time to send the headers of a request; default 10s.')),
	idleTimeout: v.optional(durationField('How long an unused connection is kept; default 60s.')),
	stallTimeout: v.optional(durationField('How long a body may make no progress; default 60s.')),
	shutdown: v.optional(durationField('How long requests may go on when it stops; default 30s.')),
	freeSpace: v.optional(sizeField('With less free space /readyz says no; default 64MiB.')),
})

const endpoint = v.strictObject({
	name: v.pipe(
		v.string(),
		v.regex(/^[A-Za-z0-9_.-]{1,64}$/, 'letters, digits, "-", "_" and "."'),
		about('Its name in metrics and log.'),
	),
	url: v.pipe(
		v.string(),
		v.check(isHttpUrl, 'an http:// or https:// URL is wanted'),
		about('Where the events are sent by POST.'),
	),
	headers: v.optional(
		v.pipe(
			v.record(v.pipe(v.string(), good(headerNameFault)), v.pipe(v.string(), good(headerValueFault))),
			v.description('Headers of each request, such as Authorization.'),
		),
	),
	ca: v.optional(path('CA certificates (PEM) trusted besides the system’s.')),
	timeout: v.optional(durationField('For one attempt; default 5s.')),
	actions: v.optional(
		v.pipe(
			v.array(v.picklist(['push', 'pull', 'delete', 'mount'], 'push, pull, delete or mount is wanted')),
			v.description('Which events; default push, delete and mount.'),
		),
	),
	queue: v.optional(
		count('Events kept while it does not take them; default 1000.', { from: 1, to: 100_000 }),
	),
})

const glob = (description: string): v.GenericSchema<unknown, string> =>
	v.pipe(
		v.string(),
		v.regex(/^[\w.*?/-]{1,256}$/, 'a glob such as v* or team/* is wanted'),
		about(description),
	)

const rule = v.pipe(
	v.strictObject({
		repository: v.optional(glob('Glob of the repositories that it is about; default all.')),
		tag: v.optional(glob('Glob of the tags that it is about, or semver; default all.')),
		keep: v.optional(count('The newest tags of a repository that stay.', { from: 1, to: 1_000_000 })),
		olderThan: v.optional(durationField('What is younger stays, such as 30d.')),
		untagged: v.optional(
			flag(
				'Also artifacts that no tag names, from when they last had one or were asked for; with olderThan alone, only those.',
			),
		),
		includeImmutable: v.optional(flag('Also immutable tags.')),
	}),
	v.check(
		({ keep, olderThan, tag, untagged }) =>
			keep !== undefined || olderThan !== undefined || tag !== undefined || untagged === true,
		'it lets nothing go: add keep, olderThan, tag or untagged',
	),
)

const retention = v.strictObject({
	grace: v.optional(
		durationField('What was pushed, asked for or named by a tag within this time stays; default 1h.'),
	),
	interval: v.optional(durationField('Between two looks at what may go; default 1h; 0s never.')),
	rules: v.optional(
		v.pipe(
			v.array(rule),
			v.description('What may go. What several rules are about, all of them must let go.'),
		),
	),
})

/** The schema of that file; the JSON Schema that is published is made from it. */
export const registrySettingsSchema: v.GenericSchema<unknown, RegistrySettings> = v.strictObject({
	data: v.optional(path('Directory of the content; its CA is at ca.crt in it.')),
	listen: v.optional(listen),
	tls: v.optional(v.pipe(tls, v.description('A certificate of your own, instead of one by its own CA.'))),
	auth: v.optional(auth),
	limits: v.optional(limits),
	events: v.optional(v.array(endpoint)),
	log: v.optional(
		v.strictObject({ access: v.optional(flag('One line of JSON on standard error for each request.')) }),
	),
	retention: v.optional(retention),
	immutable: v.optional(
		v.pipe(
			v.array(tagPatternField),
			v.description('Tags that keep what they name: v*, semver, or REPOSITORY:TAG with globs.'),
		),
	),
	scrub: v.optional(
		v.strictObject({
			interval: v.optional(durationField('Between two looks for damage; default 7d; 0s never.')),
		}),
	),
})

const FIELDS: Readonly<Record<keyof RegistrySettings, true>> = {
	data: true,
	listen: true,
	tls: true,
	auth: true,
	limits: true,
	events: true,
	log: true,
	retention: true,
	immutable: true,
	scrub: true,
}

/**
 * Reads the settings of `registry serve`. Paths in it are relative to the file.
 * @throws UserError `CONFIG_INVALID`
 */
export async function readRegistrySettings(file: string): Promise<RegistrySettings> {
	let text: string
	try {
		text = readFileSync(file, 'utf8')
	} catch (error) {
		if (!isSystemError(error)) throw error
		const isMissing = error.code === 'ENOENT'
		throw new UserError(
			'CONFIG_INVALID',
			isMissing ? `there is no file ${file}` : `cannot read ${file}: ${error.message}`,
			{
				hint: 'Name the file of settings with --config FILE, or leave it out: flags and defaults do without.',
				cause: error,
			},
		)
	}
	const settings = await parseSettings(text, registrySettingsSchema, {
		file: basename(file),
		fields: Object.keys(FIELDS),
		hint: 'Mend it there. It is YAML; text with ": ", " #" or "{" in it stands in quotes.',
	})
	return withPaths(settings, (path) => resolve(dirname(file), path))
}

function withPaths(settings: RegistrySettings, absolute: (path: string) => string): RegistrySettings {
	const { data, tls: pair, auth: who, events } = settings
	return {
		...settings,
		...(data !== undefined && { data: absolute(data) }),
		...(pair && { tls: { cert: absolute(pair.cert), key: absolute(pair.key) } }),
		...(who?.htpasswd !== undefined && { auth: { ...who, htpasswd: absolute(who.htpasswd) } }),
		...(events && {
			events: events.map((each) => (each.ca === undefined ? each : { ...each, ca: absolute(each.ca) })),
		}),
	}
}

function isHttpUrl(text: string): boolean {
	return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}
