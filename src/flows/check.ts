import {
	ASSUMED_ARGOCD_VERSION,
	type ArtifactFacts,
	checkArtifact,
	type DeployedResource,
	type Finding,
	judgeArtifact,
	refuseUnknownVersion,
	type ResourceIdentity,
	type Verdict,
} from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { type ManifestSet, parseManifests } from '../manifests/index.ts'
import type { ReleaseRange } from '../validation/index.ts'
import { judgeAhead } from './judge-ahead.ts'
import type { InspectingJudge } from './judge-one.ts'
import type { RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { renderSubject } from './render.ts'
import { directoryFacts, readSubject, type Subject } from './subject.ts'
import type { SeenFile, ValidateOptions } from './validate.ts'
import { openVerdictCache } from './verdict-cache.ts'

/** As which Application an artifact is judged. */
export interface CheckOptions {
	/** Version of Argo CD; the newest one that the rules were seen on. */
	readonly version?: string | undefined
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
	readonly serverSide?: boolean | undefined
	/** `false`: no verdict of an earlier check is used or kept. */
	readonly cache?: boolean | undefined
}

/** What `check` looks at, beside what Argo CD demands of the artifact. */
export interface FullCheckOptions extends CheckOptions {
	readonly access?: RegistryAccess | undefined
	/** Also what an API server would say of each object; false leaves that out. */
	readonly validate?: ValidateOptions | false | undefined
}

/** Judges facts by Argo CD's rules. */
export function checkFacts(
	facts: ArtifactFacts,
	options: CheckOptions,
	rendered?: readonly DeployedResource[],
): Verdict {
	return checkArtifact(facts, { ...options, parse: parseManifests, rendered })
}

/** Judges a directory before it is packed. What is read for that is put into `contents`. */
export async function checkSet(
	session: Session,
	set: ManifestSet,
	options: CheckOptions & { readonly contents?: Map<string, Uint8Array> | undefined },
): Promise<Verdict<ResourceIdentity>> {
	const { contents, ...asked } = options
	return await checkSubject(session, { kind: 'directory', set, facts: directoryFacts(set, contents) }, asked)
}

export interface CheckResult {
	readonly subject: Subject
	readonly verdict: Verdict<ResourceIdentity>
}

/** Would Argo CD take it, what would it deploy, and what would the API server say to that? */
export async function check(
	session: Session,
	what: string,
	options: FullCheckOptions = {},
): Promise<CheckResult> {
	const { access, validate = {}, ...asked } = options
	const version = asked.version ?? ASSUMED_ARGOCD_VERSION
	refuseUnknownVersion(version)
	const subject = await readSubject(session, what, { access, version })
	if (validate === false) return { subject, verdict: await checkSubject(session, subject, asked) }
	const { verdict, findings } = await validateSubject(session, subject, { ...asked, validate })
	return { subject, verdict: withFindings(verdict, findings) }
}

/** Judges what was read: what Argo CD says, and apart from that what an API server would say of the objects. */
export async function validateSubject(
	session: Session,
	subject: Subject,
	{ validate, ...asked }: CheckOptions & { readonly validate: ValidateOptions },
): Promise<{ readonly verdict: Verdict<ResourceIdentity>; readonly findings: readonly Finding[] }> {
	const { planValidation, validateObjects } = await import('./validate.ts')
	const plan = await planValidation(session, validate)
	const look = await lookAt(session, subject, { ...asked, inspect: plan.releases })
	const findings = await validateObjects(session, plan, {
		...look,
		readObjects: async () => look.rendered ?? checkFacts(subject.facts, asked).resources,
	})
	return { verdict: look.verdict, findings }
}

function withFindings(
	verdict: Verdict<ResourceIdentity>,
	findings: readonly Finding[],
): Verdict<ResourceIdentity> {
	return {
		...verdict,
		accepted: verdict.accepted && !findings.some(({ severity }) => severity === 'refuse'),
		findings: [...verdict.findings, ...findings],
	}
}

/** Judges what was read; a directory of Kustomize or Helm is rendered where a tool for it is installed. */
export async function checkSubject(
	session: Session,
	subject: Subject,
	options: CheckOptions,
): Promise<Verdict<ResourceIdentity>> {
	return (await lookAt(session, subject, options)).verdict
}

/** What was found on the way to a verdict. */
interface Look {
	readonly verdict: Verdict<ResourceIdentity>
	/** The files that make objects, with what an API server would say where that was asked. */
	readonly files: readonly SeenFile[]
	/** What Kustomize or Helm made. */
	readonly rendered?: readonly DeployedResource[] | undefined
}

async function lookAt(
	session: Session,
	subject: Subject,
	options: CheckOptions & { readonly inspect?: ReleaseRange | undefined },
): Promise<Look> {
	const cache =
		subject.kind === 'directory' && options.cache !== false
			? { cache: openVerdictCache(session.env), root: subject.set.root }
			: undefined
	const ahead = await judgeAhead(subject.facts.tree, { ...options, cache, signal: session.signal })
	const files: SeenFile[] = []
	const judge: InspectingJudge = (file) => {
		const judged = ahead(file)
		if (judged.inspection) files.push({ ...file, inspection: judged.inspection })
		return judged
	}
	const verdict = judgeArtifact(subject.facts, { ...options, judge })
	const rendered = await checkRendered(session, subject, { ...options, verdict })
	return rendered ? { verdict: rendered, files, rendered: rendered.resources } : { verdict, files }
}

/** Like {@link checkSubject}, with the objects themselves. */
export async function readObjects(
	session: Session,
	subject: Subject,
	options: CheckOptions,
): Promise<Verdict> {
	const verdict = checkFacts(subject.facts, options)
	return (await checkRendered(session, subject, { ...options, verdict })) ?? verdict
}

async function checkRendered(
	session: Session,
	subject: Subject,
	{ verdict, ...options }: CheckOptions & { readonly verdict: Verdict<ResourceIdentity> },
): Promise<Verdict | undefined> {
	if (verdict.sourceType === undefined || verdict.sourceType === 'Directory') return undefined
	try {
		const { sourceType } = verdict
		const rendered = await renderSubject(session, subject, { sourceType, path: options.path })
		return rendered && checkFacts(subject.facts, options, rendered)
	} catch (error) {
		if (!(error instanceof UserError && error.code === 'FILE_UNSUPPORTED')) throw error
		// Argo CD may fetch what is not fetched here.
		session.progress.warn(error.message, error.hint)
		return undefined
	}
}

/** @throws UserError `ARTIFACT_REFUSED`, with every finding that refuses */
export function refuse(verdict: Verdict<ResourceIdentity>, what: string): never {
	const refused = verdict.findings.filter(({ severity }) => severity === 'refuse')
	const [first] = refused
	throw new UserError('ARTIFACT_REFUSED', `Argo CD would not deploy ${what}`, {
		details: refused.flatMap(describeFinding),
		hint: first?.fix,
	})
}

/** A finding as lines of text: where and what, then Argo CD's own words. */
export function describeFinding({ file, line, message, argocdMessage }: Finding): readonly string[] {
	const where = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `
	const text = message.startsWith(file ?? '\0') ? message : `${where}${message}`
	return argocdMessage === undefined ? [text] : [text, `  Argo CD says: ${argocdMessage}`]
}
