import {
	ASSUMED_ARGOCD_VERSION,
	type ArtifactFacts,
	checkArtifact,
	type DeployedResource,
	type Finding,
	judgeArtifact,
	type ResourceIdentity,
	type Verdict,
} from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { type ManifestSet, parseManifests } from '../manifests/index.ts'
import { judgeAhead } from './judge-ahead.ts'
import type { RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { renderSubject } from './render.ts'
import { directoryFacts, readSubject, type Subject } from './subject.ts'
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

/** Would Argo CD take it, and what would it deploy? */
export async function check(
	session: Session,
	what: string,
	options: CheckOptions & { readonly access?: RegistryAccess | undefined },
): Promise<CheckResult> {
	const subject = await readSubject(session, what, {
		access: options.access,
		version: options.version ?? ASSUMED_ARGOCD_VERSION,
	})
	return { subject, verdict: await checkSubject(session, subject, options) }
}

/** Judges what was read; a directory of Kustomize or Helm is rendered where a tool for it is installed. */
export async function checkSubject(
	session: Session,
	subject: Subject,
	options: CheckOptions,
): Promise<Verdict<ResourceIdentity>> {
	const cache =
		subject.kind === 'directory' && options.cache !== false
			? { cache: openVerdictCache(session.env), root: subject.set.root }
			: undefined
	const judge = await judgeAhead(subject.facts.tree, { ...options, cache, signal: session.signal })
	const verdict = judgeArtifact(subject.facts, { ...options, judge })
	return (await checkRendered(session, subject, { ...options, verdict })) ?? verdict
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
