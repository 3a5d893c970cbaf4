import { isAbsolute, relative, resolve, sep } from 'node:path'
import { ASSUMED_ARGOCD_VERSION } from '../../argocd/index.ts'
import { UserError } from '../../errors/index.ts'
import { check as checkFlow, type CheckResult, type ValidateOptions } from '../../flows/index.ts'
import { formatJunit, formatSarif, formatVerdict, isRefused, verdictDocument } from '../../output/index.ts'
import { exitCodes } from '../exit-codes.ts'
import type { JudgeFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface CheckFlags extends CommonFlags, RegistryFlags, JudgeFlags {
	readonly validate?: boolean
	readonly kubernetesVersion?: string
	readonly schemas?: string
	readonly cluster?: string
	readonly kubeconfig?: string
	readonly server?: boolean
	readonly namespace?: string
	readonly strict?: boolean
	readonly format?: string
}

export async function check(invocation: Invocation, flags: CheckFlags, what: string): Promise<number> {
	const { output } = invocation
	const format = formatOf(flags)
	const version = flags.argocdVersion ?? ASSUMED_ARGOCD_VERSION
	const strict = flags.strict === true
	const result = await checkFlow(sessionOf(invocation), what, {
		access: await accessOf(invocation, flags),
		version,
		path: flags.path,
		recurse: flags.recurse,
		serverSide: flags.serverSide,
		cache: flags.cache,
		validate: flags.validate === false ? refuseValidation(flags) : await validationOf(invocation, flags),
	})
	const options = { version, strict }
	output.answer({
		text: textOf(result, { invocation, format, what, ...options }),
		document: verdictDocument(result, options),
	})
	return isRefused(result, options) ? exitCodes.no : 0
}

const FORMATS = ['text', 'json', 'sarif', 'junit'] as const
type Format = (typeof FORMATS)[number]

function formatOf({ format, json }: CheckFlags): Format {
	const wanted = FORMATS.find((each) => each === (format ?? (json ? 'json' : 'text')))
	if (wanted === undefined)
		throw new UserError('USAGE', `"${format}" is not a format`, {
			hint: '--format takes text, json, sarif or junit.',
		})
	if (json && wanted !== 'json') throw new UserError('USAGE', `--json and --format ${wanted} are two answers`)
	return wanted
}

function textOf(
	result: CheckResult,
	options: {
		readonly invocation: Invocation
		readonly format: Format
		readonly what: string
		readonly version: string
		readonly strict: boolean
	},
): string {
	const { invocation, format, what, version, strict } = options
	const report = { what, version: invocation.context.version, base: baseOf(result, invocation.cwd), strict }
	switch (format) {
		case 'sarif':
			return formatSarif(result, report)
		case 'junit':
			return formatJunit(result, report)
		case 'text':
		case 'json':
			return formatVerdict(result, { what, version, strict, style: invocation.output.style })
	}
}

/** Of a directory inside the working directory: its path from there. */
function baseOf({ subject }: CheckResult, cwd: string): string | undefined {
	if (subject.kind !== 'directory') return undefined
	const path = relative(cwd, subject.set.root)
	return isAbsolute(path) || path.startsWith('..') ? undefined : path.split(sep).join('/')
}

async function validationOf(invocation: Invocation, flags: CheckFlags): Promise<ValidateOptions> {
	const { schemas, kubernetesVersion, server, namespace } = flags
	const isAsked = flags.cluster !== undefined || server === true
	const config = isAsked ? await invocation.config() : undefined
	return {
		kubernetesVersion,
		server,
		namespace: namespace ?? config?.namespace,
		schemas: schemas === undefined ? undefined : resolve(invocation.cwd, schemas),
		cluster: config && clusterOf(invocation, flags, config),
	}
}

/** @throws UserError `USAGE` for flags that then mean nothing */
function refuseValidation({ server, schemas, cluster, kubernetesVersion }: CheckFlags): false {
	const meant = Object.entries({
		'--server': server,
		'--schemas': schemas,
		'--cluster': cluster,
		'--kubernetes-version': kubernetesVersion,
	})
	const [first] = meant.find(([, value]) => value !== undefined && value !== false) ?? []
	if (first === undefined) return false
	throw new UserError('USAGE', `${first} validates objects, and --no-validate says not to`, {
		hint: `Leave out one of them.`,
	})
}
