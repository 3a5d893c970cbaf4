import { UserError } from '../errors/index.ts'

interface Parsed<T> {
	readonly kind: 'parsed'
	readonly parse: (input: string) => T
	readonly brief: string
	readonly placeholder: string
	readonly optional: true
}

interface ParsedList extends Parsed<string> {
	readonly variadic: true
}

interface Toggle {
	readonly kind: 'boolean'
	readonly brief: string
	readonly optional: true
	readonly withNegated: false
}

interface Choice {
	readonly kind: 'boolean'
	readonly brief: string
	readonly optional: true
}

export function text(brief: string, placeholder: string): Parsed<string> {
	return { kind: 'parsed', parse: (input) => input, brief, placeholder, optional: true }
}

/** A file or a directory of this machine. */
export function path(brief: string, placeholder: string): Parsed<string> {
	return { kind: 'parsed', parse: filled, brief, placeholder, optional: true }
}

/** May be given more than once. */
export function list(brief: string, placeholder: string): ParsedList {
	return { kind: 'parsed', parse: (input) => input, brief, placeholder, optional: true, variadic: true }
}

/** An argument that says something: an empty path would be the working directory. */
export function filled(input: string): string {
	if (input !== '') return input
	throw new UserError('USAGE', 'it is empty', { hint: 'Is a variable of the shell not set?' })
}

export function port(brief: string): Parsed<number> {
	return { kind: 'parsed', parse: parsePort, brief, placeholder: 'PORT', optional: true }
}

/** Milliseconds, written as `90s`, `5m`, `1h`, `90d`. */
export function duration(brief: string): Parsed<number> {
	return { kind: 'parsed', parse: parseDuration, brief, placeholder: 'DURATION', optional: true }
}

/** `--flag`, off unless given. */
export function toggle(brief: string): Toggle {
	return { kind: 'boolean', brief, optional: true, withNegated: false }
}

/** `--flag` and `--no-flag`; neither is the default. */
export function choice(brief: string): Choice {
	return { kind: 'boolean', brief, optional: true }
}

function parsePort(input: string): number {
	const value = Number(input)
	if (/^\d{1,5}$/.test(input) && value <= 65_535) return value
	throw new UserError('USAGE', `"${input}" is not a port`, { hint: 'A port is a number from 0 to 65535.' })
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function parseDuration(input: string): number {
	const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(input)
	const unit = UNIT_MS[match?.[2] ?? '']
	if (match && unit !== undefined) return Number(match[1]) * unit
	throw new UserError('USAGE', `"${input}" is not a duration`, { hint: 'Write it as 90s, 5m, 1h or 90d.' })
}

/** Flags of every command. */
export const commonFlags: {
	readonly json: Toggle
	readonly quiet: Toggle
	readonly color: Choice
} = {
	json: toggle('Answer with one JSON document'),
	quiet: toggle('Say nothing but the answer and errors'),
	color: choice('Colours, or none; by default where the output is a terminal'),
}

/** Aliases of every command. */
export const commonAliases: { readonly q: 'quiet' } = { q: 'quiet' }

/** How to reach a registry. */
export interface RegistryFlags {
	readonly ca?: string
	readonly insecure?: boolean
	readonly plainHttp?: boolean
	readonly username?: string
	readonly passwordStdin?: boolean
}

export const registryFlags: {
	readonly ca: Parsed<string>
	readonly insecure: Toggle
	readonly plainHttp: Toggle
	readonly username: Parsed<string>
	readonly passwordStdin: Toggle
} = {
	ca: path('CA certificates (PEM) to trust for the registry, besides the system’s', 'FILE'),
	insecure: toggle('Do not verify the certificate of the registry'),
	plainHttp: toggle('Speak HTTP to the registry'),
	username: text(
		'User name for the registry; the password comes by --password-stdin or LADING_PASSWORD',
		'NAME',
	),
	passwordStdin: toggle('Read the password or token from standard input'),
}

interface Refused extends Parsed<string> {
	readonly hidden: true
}

/** What other tools take a password by. Every process of the machine may read a command line. */
export const refusedPassword: Refused = {
	kind: 'parsed',
	parse() {
		throw new UserError(
			'USAGE',
			'a password on the command line can be read by every process of this machine',
			{
				hint: 'Change it if it is a real one. Then: lading login HOST -u NAME, which asks for it, or --password-stdin.',
			},
		)
	},
	brief: 'Refused',
	placeholder: 'PASSWORD',
	optional: true,
	hidden: true,
}

/** Which cluster, and how to reach it. */
export interface ClusterFlags {
	readonly cluster?: string
	readonly kubeconfig?: string
	readonly argocdNamespace?: string
	readonly argocdCa?: string
}

export const clusterFlags: {
	readonly cluster: Parsed<string>
	readonly kubeconfig: Parsed<string>
	readonly argocdNamespace: Parsed<string>
	readonly argocdCa: Parsed<string>
} = {
	cluster: text(
		'sandbox, kind, kind:NAME, context:NAME of a kubeconfig, or argocd:HOST with ARGOCD_AUTH_TOKEN',
		'CLUSTER',
	),
	kubeconfig: path('Kubeconfig for context:NAME; default $KUBECONFIG, else ~/.kube/config', 'FILE'),
	argocdNamespace: text('Namespace that Argo CD runs in; default argocd', 'NAMESPACE'),
	argocdCa: path('CA certificates (PEM) to trust for argocd:HOST, besides the system’s', 'FILE'),
}

/** How what others may need is taken away: `untag` and `delete`. */
export const removalFlags: {
	readonly yes: Toggle
	readonly dryRun: Toggle
	readonly force: Toggle
} = {
	yes: toggle('Do not ask'),
	dryRun: toggle('Only say what would be done'),
	force: toggle('Also what an Application runs or follows'),
}

/** What an Application looks like: `up` and `deploy`. */
export interface ApplicationFlags {
	readonly clusterRegistry?: string
	readonly namespace?: string
	readonly path?: string
	readonly recurse?: boolean
	readonly project?: string
	readonly manual?: boolean
	readonly prune?: boolean
	readonly serverSide?: boolean
	readonly print?: boolean
	readonly timeout?: number
}

export const applicationFlags: {
	readonly clusterRegistry: Parsed<string>
	readonly namespace: Parsed<string>
	readonly path: Parsed<string>
	readonly recurse: Toggle
	readonly project: Parsed<string>
	readonly manual: Toggle
	readonly prune: Choice
	readonly serverSide: Toggle
	readonly print: Toggle
	readonly timeout: Parsed<number>
} = {
	clusterRegistry: text('Name of the registry as the cluster reaches it', 'REGISTRY'),
	namespace: text('Namespace to deploy to; default the name', 'NAMESPACE'),
	path: text('Path inside the artifact; default "."', 'PATH'),
	recurse: toggle('Also deploy what stands in subdirectories'),
	project: text('Argo CD project; default "default"', 'PROJECT'),
	manual: toggle('Do not synchronise automatically'),
	prune: choice('Delete from the cluster what is no longer in the artifact; on by default'),
	serverSide: toggle('Apply on the server side: needed for very large objects'),
	print: toggle('Print the objects as YAML and touch no registry and no cluster'),
	timeout: duration('How long to wait for the application; default 5m'),
}

/** As which Application an artifact is judged: `check` and `push`. */
export interface JudgeFlags {
	readonly path?: string
	readonly recurse?: boolean
	readonly serverSide?: boolean
	readonly argocdVersion?: string
	readonly cache?: boolean
}

export const judgeFlags: {
	readonly path: Parsed<string>
	readonly recurse: Toggle
	readonly serverSide: Toggle
	readonly argocdVersion: Parsed<string>
	readonly cache: Choice
} = {
	path: text('Path inside the artifact that Argo CD would read; default "."', 'PATH'),
	recurse: toggle('As with an Application that recurses into subdirectories'),
	serverSide: toggle('As with an Application that applies on the server side'),
	argocdVersion: text('Version of Argo CD to check for; default 3.6.1', 'VERSION'),
	cache: choice('Remember which files of a large directory were found without a fault; on by default'),
}

/** How a kind cluster is made. */
export interface KindFlags {
	readonly nodeImage?: string
	readonly kubernetes?: string
	readonly kindConfig?: string
	readonly argocdVersion?: string
	readonly argocdManifest?: string
}

export const kindFlags: {
	readonly nodeImage: Parsed<string>
	readonly kubernetes: Parsed<string>
	readonly kindConfig: Parsed<string>
	readonly argocdVersion: Parsed<string>
	readonly argocdManifest: Parsed<string>
} = {
	nodeImage: text('Node image of a kind cluster; default: that of the installed kind', 'IMAGE'),
	kubernetes: text('Version of Kubernetes of a kind cluster, instead of --node-image', 'VERSION'),
	kindConfig: path('Configuration of a kind cluster: more nodes, ports, mounts', 'FILE'),
	argocdVersion: text('Version of Argo CD that a kind cluster gets; default 3.6.1', 'VERSION'),
	argocdManifest: path('Its install.yaml, for a machine without internet', 'FILE'),
}

/** A whole number of at least one. */
export function count(brief: string, placeholder: string): Parsed<number> {
	return { kind: 'parsed', parse: parseCount, brief, placeholder, optional: true }
}

function parseCount(input: string): number {
	if (/^[1-9]\d{0,8}$/.test(input)) return Number(input)
	throw new UserError('USAGE', `"${input}" is not a number of at least one`, { hint: 'Write it as 100.' })
}
