import { describe, expect, it } from 'vitest'
import { digestOf } from '../oci/index.ts'
import { buildApplication } from './application.ts'
import { explain, warningsOf } from './explain.ts'
import { clusterRows, explanationRows, inCommands } from './explanations.ts'
import { comparisonError } from './revision.ts'
import { deployedDigests, isSettled, progressOf, summarize } from './summary.ts'
import type { Application, ApplicationStatus, ResourceStatus } from './types.ts'

const DIGEST = digestOf('x')

function app(status: ApplicationStatus, more: Partial<Application> = {}): Application {
	const made = buildApplication({
		name: 'web',
		repoURL: 'oci://127.0.0.1:15443/web',
		targetRevision: 'v1',
		destination: { namespace: 'shop' },
	})
	return { ...made, status, ...more }
}

const lookup = (rest: string, revision = 'v1'): string =>
	comparisonError(
		`failed to resolve revision "${revision}": cannot get digest for revision ${revision}: ${rest}`,
	)
const unpacking = (rest: string): string =>
	comparisonError(
		`cannot extract contents of oci image with revision ${DIGEST}: failed to perform "Push" on destination: could not decompress layer: ${rest}`,
	)

const conditions: readonly (readonly [string, string])[] = [
	['tag-missing', lookup('127.0.0.1:15443/e:v9.9.9: not found', 'v9.9.9')],
	[
		'content-missing',
		comparisonError(
			`could not save oci digest ${DIGEST}: failed to perform "FindSuccessors" on source: ${digestOf('y')}: not found`,
		),
	],
	[
		'content-tampered',
		comparisonError(
			`could not save oci digest ${DIGEST}: failed to perform "Fetch" on source: GET "https://r/v2/e/blobs/${DIGEST}": mismatch Content-Length`,
		),
	],
	[
		'symlink',
		comparisonError(
			'failed to get potentially valid manifests: invalid manifest file "/tmp/1/a.yaml": failed to evaluate symlink at "a.yaml": EvalSymlinks: too many links',
		),
	],
	[
		'api-version-missing',
		"ConfigMap x: failed to discover server resources for group version : groupVersion shouldn't be empty",
	],
	[
		'name-missing',
		'ConfigMap : error when retrieving current configuration of:\nResource: "/v1, Resource=configmaps", GroupVersionKind: "/v1, Kind=ConfigMap"\nName: "", Namespace: "a"\nfrom server for: "/dev/shm/1": resource name may not be empty',
	],
	['generated-name', 'ConfigMap : from x-: cannot use generate name with apply'],
	[
		'field-type',
		'ConfigMap l: unable to decode "/dev/shm/1": json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
	],
	[
		'field-type',
		'one or more objects failed to apply, reason: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32. Retrying attempt #4 at 2026-11-24T00:27:13Z.',
	],
	[
		'version-unserved',
		'Deployment x: The Kubernetes API could not find version "v1beta1" of apps/Deployment for requested resource a/x. Version "v1" of apps/Deployment is installed on the destination cluster.',
	],
	['digest-missing', lookup(`127.0.0.1:15443/e@${DIGEST}: not found`, DIGEST)],
	[
		'range-unmatched',
		comparisonError(
			'failed to resolve revision "^9.0.0": no version for constraints: version matching constraint not found in 1 tags',
		),
	],
	['revision-empty', lookup('invalid reference', '')],
	['revision-head', lookup('127.0.0.1:15443/e-head-rev:HEAD: not found', 'HEAD')],
	[
		'revision-slash',
		lookup(
			'invalid reference: mismatch between received "feature/x" and expected "127.0.0.1:15443/e"',
			'feature/x',
		),
	],
	[
		'revision-plus',
		comparisonError(
			'failed to resolve revision "^1": cannot get digest for revision 1.3.0+build.5: invalid reference: invalid tag "1.3.0+build.5"',
		),
	],
	['revision-invalid', lookup('invalid checksum digest length', 'sha256:abc')],
	['layers-several', comparisonError('expected only a single oci content layer, got 3')],
	['layers-several', comparisonError('expected only a single oci layer, got 2')],
	['layers-none', comparisonError('expected only a single oci content layer, got 0')],
	['layers-too-many', comparisonError('expected no more than 10 oci layers, got 12')],
	[
		'registry-plain-http',
		lookup(
			'Head "https://127.0.0.1:15000/v2/e-http/manifests/v1": http: server gave HTTP response to HTTPS client',
		),
	],
	[
		'registry-wants-https',
		lookup('HEAD "http://127.0.0.1:15443/v2/e/manifests/v1": response status code 400: Bad Request'),
	],
	[
		'connection-refused',
		lookup(
			'Head "https://127.0.0.1:15999/v2/demo-app/manifests/v1": dial tcp 127.0.0.1:15999: connect: connection refused',
		),
	],
	[
		'host-unknown',
		lookup('Head "https://nope:1/v2/x/manifests/v1": dial tcp: lookup nope on 10.96.0.10:53: no such host'),
	],
	['unreachable', lookup('Head "https://10.0.0.1/v2/x/manifests/v1": dial tcp 10.0.0.1:443: i/o timeout')],
	[
		'ca-unknown',
		lookup(
			'Head "https://localhost:15443/v2/e/manifests/v1": tls: failed to verify certificate: x509: certificate signed by unknown authority',
		),
	],
	[
		'certificate-name',
		lookup(
			'Head "https://h/v2/e/manifests/v1": tls: failed to verify certificate: x509: certificate is valid for A, not B',
		),
	],
	[
		'certificate-expired',
		lookup(
			'Head "https://h/v2/e/manifests/v1": tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
		),
	],
	[
		'media-type',
		comparisonError(
			'oci layer media type application/vnd.acme.content.v1.tar is not in the list of allowed media types',
		),
	],
	['not-tar', unpacking('error while iterating on tar reader: unexpected EOF')],
	['not-tar', unpacking('error while iterating on tar reader: archive/tar: invalid tar header')],
	['not-gzip', unpacking('error reading file: gzip: invalid header')],
	['extracted-size', unpacking('error writing tgz file: unexpected EOF')],
	[
		'symlink',
		unpacking(
			'error checking symlink "../../etc/passwd" target: statat ../../etc/passwd: path escapes from parent',
		),
	],
	['symlink', unpacking('illegal filepath in symlink: /tmp/etc/passwd')],
	['symlink', comparisonError('oci image contains out-of-bounds symlinks. file: up')],
	['path-escape', unpacking('error creating nested folders: mkdirat d: file exists')],
	['path-escape', unpacking('illegal filepath in archive: /evil.yaml')],
	['path-absent', comparisonError('k8s: app path does not exist')],
	[
		'manifest-unparsable',
		comparisonError(
			`Failed to unmarshal "x.yaml": failed to unmarshal manifest: error converting YAML to JSON: yaml: line 3: did not find expected ',' or ']'`,
			'FailedPrecondition',
		),
	],
	[
		'repository-capitals',
		comparisonError(
			'failed to initialize oci client: failed to initialize repository: invalid reference: invalid repository "Demo-App"',
		),
	],
	[
		'credentials-missing',
		lookup('HEAD "https://127.0.0.1:15444/v2/e/manifests/v1": basic credential not found'),
	],
	[
		'credentials-refused',
		lookup('HEAD "https://127.0.0.1:15444/v2/e/manifests/v1": response status code 401: Unauthorized'),
	],
	['access-denied', lookup('HEAD "https://h/v2/e/manifests/v1": response status code 403: Forbidden')],
	[
		'registry-failing',
		lookup('HEAD "https://h/v2/e/manifests/v1": response status code 503: Service Unavailable'),
	],
	[
		'tags-denied',
		comparisonError(
			'failed to resolve revision "^1": error fetching tags: failed to get tags: GET "https://h/v2/e/tags/list": response status code 401: Unauthorized',
		),
	],
	['digest-header-missing', lookup('HTTP HEAD request missing required header "Docker-Content-Digest"')],
	[
		'content-tampered',
		comparisonError(
			`could not save oci digest ${DIGEST}: failed to perform "Push" on destination: failed to ingest: mismatched digest`,
		),
	],
	[
		'size-limit',
		comparisonError(
			`could not save oci digest ${DIGEST}: failed to perform "Successors" on source: read failed: content size 5242880 exceeds push size limit 4194304`,
		),
	],
	['manifest-unreadable', comparisonError(`error fetching oci manifest for digest ${DIGEST}: not found`)],
	[
		'chart-layer',
		comparisonError(
			`cannot extract contents of oci image with revision ${DIGEST}: failed to perform "Push" on destination: expected 1 directory, found 2`,
		),
	],
	[
		'timeout',
		'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = DeadlineExceeded desc = context deadline exceeded',
	],
	[
		'secret-type-missing',
		comparisonError('failed to update revision for paths: failed to list refs: unsupported scheme "oci"'),
	],
	['source-forbidden', "application repo oci://r/team/app is not permitted in project 'P'"],
	[
		'destination-forbidden',
		"application destination server 'https://kubernetes.default.svc' and namespace 'x' do not match any of the allowed destinations in project 'P'",
	],
	[
		'kind-missing',
		"Failed to load target state: failed to unmarshal manifests for source 1 of 1: Object 'Kind' is missing in '{}'",
	],
	['resource-repeated', 'Resource apps/Deployment/shop/web appeared 2 times among application resources.'],
	[
		'directory-size',
		comparisonError('failed to get potentially valid manifests: exceeded max combined manifest file size'),
	],
	[
		'repo-server-down',
		'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.1:8081: connect: connection refused"',
	],
	['source-incomplete', 'spec.source.repoURL and either spec.source.path or spec.source.chart are required'],
	['sandbox-limit', 'sandbox: install helm to render charts'],
]

describe('explain', () => {
	it.each(conditions)('knows %s', (cause, message) => {
		const type = cause === 'resource-repeated' ? 'RepeatedResourceWarning' : 'ComparisonError'
		const found = explain(app({ sync: { status: 'Unknown' }, conditions: [{ type, message }] }))
		expect(found.map((each) => each.cause)).toEqual([cause])
		const [first] = found
		expect(first?.message).toBe(message)
		expect(`${first?.what}${first?.why}${first?.next}`).not.toMatch(/undefined|\[object/)
		expect(first?.severity).toBe(cause === 'resource-repeated' ? 'warning' : 'error')
	})

	it('has each cause once in its table', () => {
		const causes = explanationRows.map(({ cause }) => cause)
		expect(new Set(causes).size).toBe(causes.length)
	})

	it.each([
		[
			'crd-missing',
			'Running',
			'one or more synchronization tasks are not valid: failed to discover server resources for group version nope.example/v1: the server could not find the requested resource. Retrying attempt #3 at 2026-11-23T20:23:40Z.',
		],
		[
			'annotation-size',
			'Failed',
			'one or more objects failed to apply, reason: CustomResourceDefinition.apiextensions.k8s.io "x" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes',
		],
		[
			'kind-forbidden',
			'Failed',
			'resource rbac.authorization.k8s.io:ClusterRole is not permitted in project shop',
		],
		['objects-failed', 'Failed', 'one or more objects failed to apply'],
		[
			'objects-failed',
			'Failed',
			'one or more objects failed to apply, reason: the server answered: 401 unauthorized, connect: connection refused',
		],
		[
			'admission-unreachable',
			'Failed',
			'one or more objects failed to apply, reason: Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://10.0.0.1:443/?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused',
		],
		[
			'admission-refused',
			'Failed',
			'one or more objects failed to apply, reason: admission webhook "w.example.com" denied the request: unauthorized registry',
		],
		[
			'admission-refused',
			'Failed',
			`one or more objects failed to apply, reason: configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no ConfigMap`,
		],
		[
			'admission-refused',
			'Failed',
			'one or more objects failed to apply, reason: pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
		],
		[
			'quota-exceeded',
			'Failed',
			'one or more objects failed to apply, reason: services "a" is forbidden: exceeded quota: few, requested: count/services=1, used: count/services=0, limited: count/services=0',
		],
		[
			'namespace-terminating',
			'Failed',
			'one or more objects failed to apply, reason: configmaps "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
		],
		[
			'field-immutable',
			'Failed',
			'one or more objects failed to apply, reason: StatefulSet.apps "a" is invalid: spec: Forbidden: updates to statefulset spec for fields other than replicas, template are forbidden',
		],
		['hook-failed', 'Failed', 'one or more SyncFail hooks failed'],
		['namespace-missing', 'Failed', 'namespaces "x" not found'],
	] as const)('knows %s of an operation', (cause, phase, message) => {
		const found = explain(
			app({
				sync: { status: 'OutOfSync' },
				resources: [{ kind: 'X', name: 'x' }],
				operationState: { phase, message },
			}),
		)
		expect(found.map((each) => each.cause)).toEqual([cause])
	})

	it('names the resource that failed, and hooks', () => {
		const found = explain(
			app({
				sync: { status: 'OutOfSync' },
				operationState: {
					phase: 'Failed',
					message: 'one or more objects failed to apply',
					syncResult: {
						resources: [
							{
								kind: 'Job',
								name: 'migrate',
								hookPhase: 'Failed',
								hookType: 'PreSync',
								message: 'Job has reached the specified backoff limit',
							},
						],
					},
				},
			}),
		)
		expect(found.map(({ cause }) => cause)).toEqual(['hook-failed', 'objects-failed'])
	})

	it('says a thing once, and the more exact one', () => {
		const causes = (message: string, resource: object): readonly string[] =>
			explain(
				app({
					sync: { status: 'OutOfSync' },
					conditions: [{ type: 'SyncError', message: `Failed last sync attempt to [${DIGEST}]: ${message}` }],
					operationState: {
						phase: 'Failed',
						message,
						syncResult: { resources: [{ kind: 'Deployment', name: 'a', ...resource }] },
					},
				}),
			).map(({ cause }) => cause)
		expect(
			causes(
				'one or more synchronization tasks are not valid: failed to discover server resources for group version apps/v1beta1: the server could not find the requested resource',
				{
					status: 'SyncFailed',
					message:
						'The Kubernetes API could not find version "v1beta1" of apps/Deployment for requested resource a/a. Version "v1" of apps/Deployment is installed on the destination cluster.',
				},
			),
		).toEqual(['version-unserved'])
		const unwell = 'one or more synchronization tasks completed unsuccessfully'
		const message = 'Deployment "a" exceeded its progress deadline'
		expect(causes(unwell, { status: 'Synced', hookPhase: 'Failed', message })).toEqual([
			'unknown',
			'tasks-failed',
		])
		expect(causes(unwell, { hookType: 'Sync', hookPhase: 'Failed', message })).toEqual(['hook-failed'])
	})

	it('calls no hook what only has a phase, and no hook’s own words those of a registry', () => {
		const resource = {
			kind: 'Job',
			name: 'a',
			hookPhase: 'Failed',
			message: 'read: connection reset by peer',
		}
		const causes = (each: object): readonly string[] =>
			explain(
				app({
					sync: { status: 'OutOfSync' },
					operationState: {
						phase: 'Failed',
						message: 'one or more objects failed to apply',
						syncResult: { resources: [{ ...resource, ...each }] },
					},
				}),
			).map(({ cause }) => cause)
		expect(causes({ status: 'SyncFailed' })).toEqual(['unknown', 'objects-failed'])
		expect(causes({ hookType: 'PostSync' })).toEqual(['hook-failed', 'objects-failed'])
	})

	it('says that what it knows is old', () => {
		const synced = { status: 'Synced', revision: DIGEST } as const
		const resources = [{ kind: 'X', name: 'x' }]
		const source = { repoURL: 'oci://127.0.0.1:15443/web', path: '.' }
		const compared = (targetRevision: string): ApplicationStatus => ({
			sync: { ...synced, comparedTo: { source: { ...source, targetRevision } } },
			resources,
		})
		const causes = (application: Application): readonly string[] =>
			explain(application).map(({ cause }) => cause)
		expect(causes(app(compared('v1')))).toEqual([])
		expect(causes(app(compared('v0')))).toEqual(['not-compared'])
		const asked = app(compared('v1'))
		const annotations = { 'argocd.argoproj.io/refresh': 'normal' }
		expect(causes({ ...asked, metadata: { ...asked.metadata, annotations } })).toEqual(['not-compared'])
	})

	it('says nothing of an operation that goes well', () => {
		expect(
			explain(
				app({
					sync: { status: 'Synced' },
					resources: [{ kind: 'X', name: 'x' }],
					operationState: { phase: 'Succeeded', message: 'successfully synced (all tasks run)' },
				}),
			),
		).toEqual([])
	})

	it('passes on what it does not know, word for word', () => {
		const message = 'the moon is in the wrong house'
		expect(explain(app({ conditions: [{ type: 'SyncError', message }] }))[0]).toMatchObject({
			cause: 'unknown',
			what: message,
			message,
		})
	})

	it('uses the name of the registry that the user types', () => {
		const found = explain(
			app({ conditions: [{ type: 'ComparisonError', message: lookup('x/y:v1: not found') }] }),
			{ registry: 'localhost:5001' },
		)
		expect(found[0]?.next).toContain('lading tags localhost:5001/web')
	})

	it('sees the traps in which all looks well', () => {
		const synced: ApplicationStatus = { sync: { status: 'Synced' }, health: { status: 'Healthy' } }
		expect(explain(app(synced))).toMatchObject([
			{ cause: 'nothing-deployed', next: expect.stringContaining('lading check ') },
		])
		const message = 'Resource coordination.k8s.io/Lease one is excluded in the settings'
		const conditions = [{ type: 'ExcludedResourceWarning', message }]
		expect(explain(app({ ...synced, conditions }))).toMatchObject([
			{ cause: 'nothing-deployed', why: 'Argo CD is told to leave alone all that the artifact has.' },
			{ cause: 'resource-excluded', next: expect.stringContaining('argocd-cm') },
		])
		const made = app({ sync: { status: 'Synced' }, resources: [{ kind: 'X', name: 'x' }] })
		const source = { repoURL: 'oci://h/app:v1', targetRevision: 'v2', chart: 'web' }
		expect(explain({ ...made, spec: { ...made.spec, source } }).map(({ cause }) => cause)).toEqual([
			'tag-in-url',
			'chart-with-oci',
		])
		const manual = app({ sync: { status: 'OutOfSync' } })
		expect(
			explain({ ...manual, spec: { ...manual.spec, syncPolicy: {} } }).map(({ cause }) => cause),
		).toEqual(['manual-sync'])
	})
})

describe('warningsOf', () => {
	it('leaves out what is wrong with an operation of before', () => {
		const operationState = { phase: 'Failed', message: 'exceeded quota: few' } as const
		const shop = app({ sync: { status: 'Synced' }, health: { status: 'Healthy' }, operationState })
		expect(explain(shop).map(({ severity }) => severity)).toEqual(['warning', 'error'])
		expect(warningsOf(shop)).toMatchObject([{ cause: 'nothing-deployed' }])
	})
})

describe('progressOf', () => {
	const synced = { status: 'Synced', revision: DIGEST } as const
	const resources = [{ kind: 'X', name: 'x' }]
	const other = digestOf('y')
	const cases: readonly (readonly [string, ApplicationStatus, object])[] = [
		['nothing yet', {}, { state: 'running', why: 'not-compared' }],
		['Synced and Healthy', { sync: synced, health: { status: 'Healthy' }, resources }, { state: 'settled' }],
		['Synced with nothing', { sync: synced, health: { status: 'Healthy' } }, { state: 'settled' }],
		[
			'Synced at the digest before',
			{ sync: { ...synced, revision: other }, health: { status: 'Healthy' } },
			{ state: 'running', why: 'other-revision' },
		],
		[
			'Unknown and Healthy',
			{
				sync: { status: 'Unknown' },
				health: { status: 'Healthy' },
				conditions: [{ type: 'ComparisonError', message: 'm' }],
			},
			{ state: 'stopped', why: 'comparison-failed', message: 'm' },
		],
		[
			'a sync that runs',
			{ sync: { status: 'OutOfSync', revision: DIGEST }, operationState: { phase: 'Running' } },
			{ state: 'running', why: 'syncing' },
		],
		[
			'a sync that failed',
			{
				sync: { status: 'OutOfSync', revision: DIGEST },
				operationState: { phase: 'Failed', message: 'm', syncResult: { revision: DIGEST } },
			},
			{ state: 'stopped', why: 'sync-failed', message: 'm' },
		],
		[
			'a sync of another digest that failed',
			{
				sync: { status: 'OutOfSync', revision: DIGEST },
				operationState: { phase: 'Failed', syncResult: { revision: other } },
			},
			{ state: 'running', why: 'syncing' },
		],
		[
			'Progressing',
			{ sync: synced, health: { status: 'Progressing' } },
			{ state: 'running', why: 'progressing' },
		],
		['Degraded', { sync: synced, health: { status: 'Degraded' } }, { state: 'stopped', why: 'degraded' }],
		[
			'a warning',
			{
				sync: synced,
				health: { status: 'Healthy' },
				resources,
				conditions: [{ type: 'RepeatedResourceWarning', message: 'm' }],
			},
			{ state: 'settled' },
		],
	]
	it.each(cases)('%s', (_name, status, expected) => {
		expect(progressOf(app(status), { digest: DIGEST })).toEqual(expected)
	})

	it('does not trust a comparison from before the refresh', () => {
		const status: ApplicationStatus = {
			sync: synced,
			health: { status: 'Healthy' },
			resources,
			reconciledAt: '2026-11-23T20:00:00Z',
		}
		expect(isSettled(app(status), { digest: DIGEST, since: '2026-11-23T20:00:00.700Z' })).toBe(true)
		expect(isSettled(app(status), { digest: DIGEST, since: '2026-11-23T20:00:01Z' })).toBe(false)
	})

	it('knows that nobody syncs an Application without auto-sync', () => {
		const made = app({ sync: { status: 'OutOfSync', revision: DIGEST } })
		const manual = { ...made, spec: { ...made.spec, syncPolicy: {} } }
		expect(progressOf(manual)).toEqual({ state: 'stopped', why: 'manual' })
		expect(progressOf({ ...manual, operation: {} })).toEqual({ state: 'running', why: 'syncing' })
	})

	it('knows what a sync has left as it was', () => {
		const status: ApplicationStatus = {
			sync: { status: 'OutOfSync', revision: DIGEST },
			health: { status: 'Healthy' },
			resources: [{ kind: 'ConfigMap', name: 'x', status: 'OutOfSync' }],
			reconciledAt: '2026-11-24T00:00:02Z',
			operationState: {
				phase: 'Succeeded',
				finishedAt: '2026-11-24T00:00:01Z',
				syncResult: { revision: DIGEST },
			},
		}
		expect(explain(app(status))).toMatchObject([
			{ cause: 'still-different', what: expect.stringContaining('ConfigMap x') },
		])
		const before = { phase: 'Succeeded', syncResult: { revision: digestOf('y') } } as const
		expect(explain(app({ ...status, operationState: before }))).toEqual([])
		expect(explain(app(status, { operation: {} }))).toEqual([])
		const inOneSecond = app({ ...status, reconciledAt: '2026-11-24T00:00:01Z' })
		expect(explain(inOneSecond, { now: Date.parse('2026-11-24T00:00:03Z') })).toEqual([])
		expect(explain(inOneSecond, { now: Date.parse('2026-11-24T00:00:12Z') })).toMatchObject([
			{ cause: 'still-different' },
		])
		const extra = { kind: 'ConfigMap', name: 'y', status: 'OutOfSync', requiresPruning: true } as const
		expect(explain(app({ ...status, resources: [extra], reconciledAt: undefined }))).toMatchObject([
			{ cause: 'not-pruned', what: expect.stringContaining('ConfigMap y') },
		])
	})

	it('knows that Argo CD starts no sync only to delete, where it is not to prune', () => {
		const extra = { kind: 'ConfigMap', name: 'y', status: 'OutOfSync', requiresPruning: true } as const
		const changed = { kind: 'ConfigMap', name: 'x', status: 'OutOfSync' } as const
		const before = { phase: 'Succeeded', syncResult: { revision: `sha256:${'9'.repeat(64)}` } } as const
		const made = (resources: readonly ResourceStatus[], prune: boolean): Application => {
			const out = app({
				sync: { status: 'OutOfSync', revision: DIGEST },
				operationState: before,
				resources,
			})
			return { ...out, spec: { ...out.spec, syncPolicy: { automated: { prune } } } }
		}
		expect(progressOf(made([extra], false))).toEqual({ state: 'stopped', why: 'manual' })
		expect(explain(made([extra], false))).toMatchObject([{ cause: 'not-pruned' }])
		for (const on of [made([extra], true), made([extra, changed], false), made([], false)]) {
			expect(progressOf(on)).toEqual({ state: 'running', why: 'syncing' })
			expect(explain(on)).toEqual([])
		}
	})

	it('waits for a deletion', () => {
		const made = app({ sync: synced })
		expect(
			progressOf({ ...made, metadata: { ...made.metadata, deletionTimestamp: '2026-11-23T20:00:00Z' } }),
		).toEqual({ state: 'running', why: 'deleting' })
	})
})

describe('summarize', () => {
	it('gathers what people ask for', () => {
		expect(
			summarize(
				app({
					sync: { status: 'Synced', revision: DIGEST },
					health: { status: 'Healthy' },
					resources: [{ kind: 'X', name: 'x' }],
				}),
			),
		).toEqual({
			name: 'web',
			namespace: 'argocd',
			project: 'default',
			repoURL: 'oci://127.0.0.1:15443/web',
			targetRevision: 'v1',
			sync: 'Synced',
			health: 'Healthy',
			revision: DIGEST,
			conditions: [],
			resources: 1,
			automated: true,
			deleting: false,
		})
	})

	it('lists the deployed digests, newest first', () => {
		const history = [DIGEST, digestOf('y')].map((revision, id) => ({ id, revision, deployedAt: '' }))
		expect(deployedDigests(app({ history }))).toEqual([digestOf('y'), DIGEST])
	})
})

describe('what is proposed to be typed', () => {
	const ANY = 'a; touch b $(c)'
	const facts = {
		name: ANY,
		namespace: ANY,
		registry: ANY,
		host: ANY,
		place: ANY,
		targetRevision: ANY,
		path: ANY,
		project: ANY,
		destination: ANY,
	}
	const match = Object.assign([ANY, ANY, ANY, ANY, ANY] as const, {
		index: 0,
		input: ANY,
	}) as unknown as RegExpExecArray
	/** A kind and its version in a sentence, and one of two programs, by the pattern itself. */
	const inSentence = new Set(['version-unserved', 'render-failed'])
	const rows = [...explanationRows, ...clusterRows].filter(({ cause }) => !inSentence.has(cause))

	it.each(rows.map((row) => [row.cause, row] as const))(
		'has texts of others as single words: %s',
		(_, row) => {
			const next = row.next(inCommands(facts), match)
			expect(next.replaceAll(`'${ANY}'`, '')).not.toContain('touch')
		},
	)

	it('has a version range in quotes', () => {
		const { status, ...rest } = app({ sync: { status: 'Synced' } })
		const { source } = rest.spec
		const ranged = {
			...rest,
			spec: { ...rest.spec, source: { ...source, targetRevision: '>=1.0.0 <2.0.0' } },
			status,
		}
		const [found] = explain(ranged as Application)
		expect(found?.next).toBe("See why: lading check 127.0.0.1:15443/web:'>=1.0.0 <2.0.0'")
	})

	it('leaves an ordinary word as it is', () => {
		const [found] = explain(app({ sync: { status: 'Synced' } }))
		expect(found?.next).toBe('See why: lading check 127.0.0.1:15443/web:v1')
	})
})
