import type { Tree, TreeProblem } from '../artifact/index.ts'
import { unreachable } from '../errors/index.ts'
import { checkRepeated, checkResources } from './check-resources.ts'
import {
	type ExtractedFiles,
	type ExtractedNode,
	type Extraction,
	extractTree,
	outOfBounds,
} from './extract-tree.ts'
import { generateFromFiles, pathFault, type SkippedFile } from './generate-directory.ts'
import { baseName, cleanPath, joinPath } from './go-path.ts'
import { type Judge, judgeFile } from './judge-file.ts'
import { type Breach, checkManifest, isChartLayer, type ManifestFacts } from './manifest-facts.ts'
import type { GenerationError, ParseDocuments } from './manifest-file.ts'
import type { DeployedResource, ResourceIdentity } from './resource.ts'
import { acceptanceRules, argocdMessage, type Rule, type Severity } from './rules.ts'
import { detectSourceType, type SourceType } from './source-type.ts'
import { ASSUMED_ARGOCD_VERSION, inVersionRanges } from './version.ts'

/** What is known of an artifact; what is not known is not checked. */
export interface ArtifactFacts {
	/** Absent for a directory that is not packed. */
	readonly manifest?: ManifestFacts | undefined
	/** The one content layer, or the directory that will be one. */
	readonly tree?: Tree | undefined
}

export interface JudgeOptions {
	/** Version of Argo CD; 3.6.1. */
	readonly version?: string | undefined
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
	readonly include?: string | undefined
	readonly exclude?: string | undefined
	/** Whether the Application applies server-side; absent where it is not known. */
	readonly serverSide?: boolean | undefined
	/** Of a repo-server that was configured otherwise. */
	readonly allowedMediaTypes?: readonly string[] | undefined
	/** What Kustomize or Helm made of the directory, where it was rendered. */
	readonly rendered?: readonly DeployedResource[] | undefined
	/** False skips the look into files (`--no-check`); true. */
	readonly contents?: boolean | undefined
}

export interface CheckOptions extends JudgeOptions {
	readonly parse: ParseDocuments
}

export interface Finding {
	/** Code of the {@link Rule}. */
	readonly rule: string
	readonly severity: Severity
	readonly message: string
	/** What Argo CD says; absent where it takes the artifact without a word. */
	readonly argocdMessage?: string | undefined
	readonly fix: string
	readonly file?: string | undefined
	readonly line?: number | undefined
	readonly column?: number | undefined
	/** `spec.template.spec.containers[0].image`; absent where it is about more than a field. */
	readonly field?: string | undefined
	/** `Deployment shop/web`; absent where it is about more than an object. */
	readonly object?: string | undefined
}

/** Whether Argo CD takes the artifact, and what it would deploy. */
export interface Verdict<R extends ResourceIdentity = DeployedResource> {
	readonly accepted: boolean
	readonly findings: readonly Finding[]
	readonly resources: readonly R[]
	readonly skipped: readonly SkippedFile[]
	/** Absent where there was no content to look at. */
	readonly sourceType?: SourceType | undefined
}

const RULES: ReadonlyMap<string, Rule> = new Map(acceptanceRules.map((rule) => [rule.code, rule]))

/** Judges an artifact by {@link acceptanceRules}. */
export function checkArtifact(facts: ArtifactFacts, options: CheckOptions): Verdict {
	return judgeArtifact(facts, { ...options, judge: (file) => judgeFile(file, options) })
}

/** Like {@link checkArtifact}, where the files are judged elsewhere. */
export function judgeArtifact<R extends ResourceIdentity>(
	facts: ArtifactFacts,
	options: JudgeOptions & { readonly judge: Judge<R> },
): Verdict<R | DeployedResource> {
	const version = options.version ?? ASSUMED_ARGOCD_VERSION
	const breaches: Breach[] = [{ rule: 'argocd-too-old', detail: {} }]
	if (facts.manifest !== undefined) breaches.push(...checkManifest(facts.manifest, { ...options, version }))
	const content = checkContent(facts, { ...options, version })
	breaches.push(...content.breaches)
	const digest = facts.manifest?.digest
	const findings = breaches
		.map(({ rule, detail }) =>
			toFinding(rule, { version, detail: { ...(digest !== undefined && { digest }), ...detail } }),
		)
		.filter((finding) => finding !== undefined)
	return {
		accepted: !findings.some(({ severity }) => severity === 'refuse'),
		findings,
		resources: content.resources,
		skipped: content.skipped,
		...(content.sourceType !== undefined && { sourceType: content.sourceType }),
	}
}

function toFinding(
	code: string,
	{ version, detail }: { readonly version: string; readonly detail: Breach['detail'] },
): Finding | undefined {
	const rule = RULES.get(code)
	if (rule === undefined || !inVersionRanges(version, rule.versions)) return undefined
	const words = argocdMessage(rule, { version, detail })
	return {
		rule: rule.code,
		severity: rule.severity,
		message: rule.message(detail),
		...(words !== undefined && { argocdMessage: words }),
		fix: rule.fix,
		...(detail.file !== undefined && { file: detail.file }),
		...(detail.line !== undefined && { line: detail.line }),
	}
}

interface ContentResult<R extends ResourceIdentity> {
	readonly breaches: readonly Breach[]
	readonly resources: readonly (R | DeployedResource)[]
	readonly skipped: readonly SkippedFile[]
	readonly sourceType?: SourceType | undefined
}

type Options<R extends ResourceIdentity> = JudgeOptions & {
	readonly version: string
	readonly judge: Judge<R>
}

/** What came before is deployed all the same. */
const PARTIAL: ReadonlySet<string> = new Set(['entries-maximum', 'extracted-size-silent'])

const nothing = (...breaches: readonly Breach[]): ContentResult<never> => ({
	breaches,
	resources: [],
	skipped: [],
})

function checkContent<R extends ResourceIdentity>(
	{ manifest, tree }: ArtifactFacts,
	options: Options<R>,
): ContentResult<R> {
	if (tree === undefined) return nothing()
	const extraction = extractTree(tree, options.version)
	const dropped = extraction.dropped.map(({ path, type }): Breach => ({
		rule: 'entry-dropped',
		detail: { file: path, name: type === 'hardlink' ? 'hard link' : 'special file' },
	}))
	const skipped = extraction.dropped.map(({ path }): SkippedFile => ({
		path,
		reason: 'dropped',
		detail: 'Argo CD extracts files, directories and symlinks only',
	}))
	const fatal = [
		...(extraction.fault === undefined ? [] : [faultBreach(extraction.fault)]),
		...(tree.problem === undefined ? [] : [problemBreach(tree.problem, extraction)]),
	]
	if (fatal.some(({ rule }) => !PARTIAL.has(rule))) return { ...nothing(...fatal, ...dropped), skipped }
	const files = isChartLayer(manifest, options.version)
		? stripDirectory(extraction.files)
		: { files: extraction.files }
	if ('breach' in files) return { ...nothing(files.breach, ...dropped), skipped }
	const generated = generate(tree, { ...options, files: files.files })
	return {
		...generated,
		breaches: [...fatal, ...dropped, ...generated.breaches],
		skipped: [...skipped, ...generated.skipped],
	}
}

function problemBreach(problem: TreeProblem, { endsAtLimit }: Extraction): Breach {
	switch (problem.kind) {
		case 'not-gzip':
			return {
				rule: 'layer-not-gzip',
				detail: problem.isEmpty === true ? { argocd: 'error reading file: EOF' } : {},
			}
		case 'gzip-corrupt':
			return { rule: 'layer-gzip-corrupt', detail: { argocd: `${doing(problem)}: flate: corrupt input` } }
		case 'not-tar':
			return { rule: 'layer-not-tar', detail: { detail: problem.detail } }
		case 'name-too-long':
			return { rule: 'entry-name', detail: {} }
		case 'gzip-truncated':
		case 'tar-truncated':
			return { rule: 'layer-truncated', detail: { argocd: `${doing(problem)}: unexpected EOF` } }
		case 'too-large':
			return { rule: endsAtLimit ? 'extracted-size-silent' : 'extracted-size', detail: {} }
		case 'too-many-entries':
			return { rule: 'entries-maximum', detail: { count: problem.limit } }
		default:
			return unreachable(problem)
	}
}

/** What Argo CD was at when it came upon a fault of the stream. */
function doing({ inFile }: { readonly inFile?: boolean | undefined }): string {
	return inFile === true ? 'error writing tgz file' : 'error while iterating on tar reader'
}

function faultBreach(fault: NonNullable<Extraction['fault']>): Breach {
	return {
		rule: fault.rule,
		detail: {
			file: fault.file,
			...('target' in fault && { name: fault.target }),
			...('argocdMessage' in fault && { argocd: fault.argocdMessage }),
		},
	}
}

/** Takes the one directory of a chart away. @see argo-cd util/oci/client.go Push */
function stripDirectory(
	files: ExtractedFiles,
): { readonly files: ExtractedFiles } | { readonly breach: Breach } {
	const top = [...files].filter(([path]) => path !== '.' && !path.includes('/'))
	const [only] = top
	if (top.length !== 1 || only?.[1].type !== 'directory') {
		return { breach: { rule: 'helm-layer-directory', detail: { count: top.length } } }
	}
	const prefix = `${only[0]}/`
	const stripped = new Map<string, ExtractedNode>([['.', { type: 'directory' }]])
	for (const [path, node] of files) {
		if (!path.startsWith(prefix)) continue
		const name = path.slice(prefix.length)
		if (node.type !== 'symlink') {
			stripped.set(name, node)
			continue
		}
		if (node.target !== only[0] && !node.target.startsWith(prefix)) {
			return {
				breach: {
					rule: 'symlink-escape',
					detail: { file: name, name: node.target, argocd: outOfBounds(name) },
				},
			}
		}
		stripped.set(name, { type: 'symlink', target: joinPath('.', node.target.slice(prefix.length)) })
	}
	return { files: stripped }
}

function generate<R extends ResourceIdentity>(
	tree: Tree,
	options: Options<R> & { readonly files: ExtractedFiles },
): ContentResult<R> {
	const { files, path = '.' } = options
	const root = cleanPath(path)
	const fault = pathFault(files, path)
	if (fault !== undefined) return nothing(errorBreach(fault))
	const overrides = [...files.keys()]
		.filter(
			(each) =>
				joinPath(root, baseName(each)) === each && /^\.argocd-source(?:-.+)?\.yaml$/.test(baseName(each)),
		)
		.map((file): Breach => ({ rule: 'source-override', detail: { file } }))
	const sourceType = detectSourceType(files, root)
	if (sourceType !== 'Directory') {
		const { rendered } = options
		const breaches: readonly Breach[] =
			rendered === undefined
				? [{ rule: 'not-rendered', detail: { name: sourceType } }]
				: [...emptyBreach(rendered, `${sourceType} makes no object`), ...checkResources(rendered, options)]
		return { breaches: [...overrides, ...breaches], resources: rendered ?? [], skipped: [], sourceType }
	}
	if (options.contents === false) return { ...nothing(...overrides), sourceType }
	const { resources, skipped, errors, breaches } = generateFromFiles(tree, options)
	return {
		breaches: [
			...overrides,
			...errors.map((error) => errorBreach(error)),
			...skippedBreaches(skipped, resources),
			...(errors.length > 0 || skipped.some(({ reason }) => reason === 'jsonnet' || reason === 'unread')
				? []
				: emptyBreach(resources, whyEmpty(files, skipped))),
			...breaches,
			...checkRepeated(resources),
		],
		resources,
		skipped,
		sourceType,
	}
}

function errorBreach({ rule, file, line, detail, argocdMessage }: GenerationError): Breach {
	return {
		rule,
		detail: {
			...(file !== undefined && { file }),
			...(line !== undefined && { line }),
			detail,
			argocd: argocdMessage,
		},
	}
}

function emptyBreach(resources: readonly ResourceIdentity[], detail: string): readonly Breach[] {
	return resources.length === 0 ? [{ rule: 'nothing-to-deploy', detail: { detail } }] : []
}

function whyEmpty(files: ExtractedFiles, skipped: readonly SkippedFile[]): string {
	if (files.size === 1) return 'the artifact is empty'
	const reasons = new Set(skipped.map(({ reason }) => reason))
	reasons.delete('extension')
	if (reasons.has('subdirectory')) return 'its manifests lie in subdirectories'
	if (reasons.has('not-a-manifest') || reasons.has('empty')) return 'no file has apiVersion and kind'
	if (reasons.has('excluded') || reasons.has('not-included')) return 'include and exclude leave no file'
	if (reasons.has('skip-marker')) return 'every file asks to be skipped'
	return 'it has no .yaml, .yml or .json file there'
}

function skippedBreaches(
	skipped: readonly SkippedFile[],
	resources: readonly ResourceIdentity[],
): readonly Breach[] {
	const below = skipped.filter(({ reason }) => reason === 'subdirectory')
	const [first] = below
	return [
		...(first !== undefined && resources.length > 0
			? [{ rule: 'subdirectories-ignored', detail: { file: first.path, count: below.length } }]
			: []),
		...skipped
			.filter(({ reason }) => reason === 'not-a-manifest' || reason === 'dangling-symlink')
			.map(({ path, detail }): Breach => ({ rule: 'file-ignored', detail: { file: path, detail } })),
		...skipped
			.filter(({ reason }) => reason === 'jsonnet')
			.map(({ path }): Breach => ({ rule: 'jsonnet', detail: { file: path } })),
	]
}
