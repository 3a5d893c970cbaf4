import { describe, expect, it } from 'vitest'
import { parseManifests } from '../manifests/index.ts'
import { formatField, pathOfField } from './field-path.ts'
import { type FileInspection, inspectFile } from './inspect-file.ts'
import { judgeTogether } from './judge-together.ts'
import { assumedReleases, parseKubernetesVersion, type ReleaseRange } from './kubernetes-version.ts'

function inspect(yaml: string, releases: ReleaseRange = assumedReleases(), file = 'a.yaml'): FileInspection {
	return inspectFile(parseManifests(Buffer.from(yaml), file), { file, releases })
}

/** `refuse field-type spec.replicas: MESSAGE` */
function judge(
	yaml: string,
	options: { readonly version?: string; readonly crds?: string } = {},
): readonly string[] {
	const releases = options.version === undefined ? assumedReleases() : parseKubernetesVersion(options.version)
	const definitions = options.crds === undefined ? [] : inspect(options.crds).definitions
	return judgeTogether([inspect(yaml, releases)], { definitions, releases }).map(
		({ rule, path, message }) => `${rule.severity} ${rule.code} ${formatField(path)}: ${message}`,
	)
}

const deployment = (spec: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
${spec}
`

describe('an object of a kind of Kubernetes', () => {
	it('that is good has no findings', () => {
		expect(judge(deployment('  replicas: 1\nstatus: {anything: goes}'))).toEqual([])
	})

	it.each([
		[
			'a field that is none, with what was meant',
			'  replica: 1',
			'warn field-unknown spec.replica: spec.replica is no field of a Deployment; did you mean replicas?',
		],
		[
			'a field in the wrong case',
			'  Paused: true',
			'warn field-unknown spec.Paused: spec.Paused is no field of a Deployment; did you mean paused?',
		],
		[
			'a field like no other',
			'  frobnicate: 1',
			'warn field-unknown spec.frobnicate: spec.frobnicate is no field of a Deployment',
		],
		[
			'text for a number',
			'  replicas: "1"',
			'refuse field-type spec.replicas: spec.replicas must be a whole number, not text',
		],
		[
			'a fraction',
			'  replicas: 1.5',
			'refuse field-type spec.replicas: spec.replicas must be a whole number, not a number',
		],
		[
			'a number below zero',
			'  replicas: -1',
			'refuse object-invalid spec.replicas: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
		],
		[
			'an enumeration',
			'  strategy: {type: Rolling}',
			'refuse field-value spec.strategy.type: spec.strategy.type: "Rolling" is none of Recreate, RollingUpdate',
		],
		[
			'a list for a map',
			'  strategy: []',
			'refuse field-type spec.strategy: spec.strategy must be a map, not a list',
		],
	])('has %s', (_, spec, expected) => {
		expect(judge(deployment(spec))).toEqual([expected])
	})

	it('has what it needs, and of the right name', () => {
		expect(judge('apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: Web}\nspec: {}')).toEqual([
			'refuse field-missing spec.selector: spec.selector is missing',
			'refuse field-missing spec.template: spec.template is missing',
			expect.stringMatching(/^refuse object-invalid metadata\.name: metadata\.name: Invalid value: "Web"/),
			'refuse object-invalid spec: spec.template.spec.containers: Required value',
		])
	})

	it('selects what it makes, mounts what it has', () => {
		const wrong = deployment('')
			.replace('labels: {app: web}', 'labels: {app: other}')
			.replace('image: nginx', 'image: nginx, volumeMounts: [{name: none, mountPath: /x}]')
		expect(judge(wrong)).toEqual([
			'refuse object-invalid spec.template.metadata.labels: spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`',
			'refuse object-invalid spec.template.spec.containers[0].volumeMounts[0].name: spec.template.spec.containers[0].volumeMounts[0].name: Not found: "none"',
		])
	})

	it('does not say again what the acceptance table says', () => {
		expect(judge('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: 1}}')).toEqual([])
		expect(judge('apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}')).toEqual([])
	})

	it('shows no more of a Secret than the name of a key', () => {
		const [finding = ''] = judge('apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: hunter2!}')
		expect(finding).toBe('refuse field-value data.k: data.k: it is no base64')
	})

	it('in a list is judged like any other, and its place is kept', () => {
		const { faults } = inspect(
			'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [], x: 1}}',
		)
		expect(faults[0]).toMatchObject({
			path: ['spec', 'x'],
			place: { file: 'a.yaml', line: 1, item: 0, object: 'Pod a' },
		})
	})

	it('has each key once', () => {
		expect(
			inspect('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: b\n  a: c\n').faults,
		).toMatchObject([{ rule: { code: 'key-repeated' }, position: { line: 6, column: 3 } }])
	})
})

describe('an apiVersion', () => {
	const budget = 'apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}'
	const removed = 'policy/v1beta1 PodDisruptionBudget was removed in Kubernetes 1.25; use policy/v1'

	it.each<[string, string, string | undefined, readonly string[]]>([
		[
			'of a newer cluster than is known',
			'apiVersion: apps/v1\nkind: Fleet\nmetadata: {name: a}',
			'1.99',
			['note schema-unknown : Fleet of apps/v1 is not validated: its schema is not known'],
		],
		[
			'of a newer cluster, with a field that is not known',
			'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nnews: {}',
			'1.99',
			['note field-unknown news: news is no field of a ConfigMap'],
		],
		['gone everywhere', budget, undefined, [`refuse api-removed apiVersion: ${removed}`]],
		['gone there', budget, '1.25', [`refuse api-removed apiVersion: ${removed}`]],
		[
			'still there, and about to go',
			budget,
			'v1.24.3+k3s1',
			[
				'note api-deprecated apiVersion: policy/v1beta1 PodDisruptionBudget is deprecated since Kubernetes 1.21 and goes with 1.25; use policy/v1',
			],
		],
		['as it should be', budget, '1.20', []],
		[
			'gone in some',
			'apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: a}',
			undefined,
			[
				'warn api-removed apiVersion: flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema was removed in Kubernetes 1.32; use flowcontrol.apiserver.k8s.io/v1',
			],
		],
		[
			'replaced more than once',
			'apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}',
			'1.30',
			[
				'refuse api-removed apiVersion: extensions/v1beta1 Ingress was removed in Kubernetes 1.22; use networking.k8s.io/v1',
			],
		],
		[
			'gone without a replacement',
			'apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}',
			undefined,
			['refuse api-removed apiVersion: policy/v1beta1 PodSecurityPolicy was removed in Kubernetes 1.25'],
		],
		[
			'too new',
			'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {maxReplicas: 1, scaleTargetRef: {kind: Deployment, name: a}}',
			'1.22',
			[
				'refuse api-too-new apiVersion: autoscaling/v2 HorizontalPodAutoscaler came with Kubernetes 1.23, which is newer than 1.22',
			],
		],
		[
			'of no kind',
			'apiVersion: v1\nkind: Servce\nmetadata: {name: a}',
			undefined,
			['refuse kind-unknown kind: Kubernetes has no kind Servce in v1; did you mean Service?'],
		],
		[
			'of another group',
			'apiVersion: v1\nkind: Deployment\nmetadata: {name: a}',
			undefined,
			['refuse kind-unknown kind: Kubernetes has no kind Deployment in v1; it is in apps/v1'],
		],
		[
			'that never was',
			'apiVersion: apps/v2\nkind: Deployment\nmetadata: {name: a}',
			undefined,
			['refuse kind-unknown apiVersion: Kubernetes has no apps/v2; Deployment is in apps/v1'],
		],
	])('%s', (_, yaml, version, expected) => {
		expect(judge(yaml, version === undefined ? {} : { version })).toEqual(expected)
	})

	it.each(['2.0', '1', 'latest', '1.x'])('of the version %s is refused', (text) => {
		expect(() => parseKubernetesVersion(text)).toThrow(/is not a version of Kubernetes/)
	})
})

const CRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crons.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Cron, plural: crons, singular: cron, listKind: CronList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [schedule]
            x-kubernetes-validations: [{rule: "true"}]
            properties:
              schedule: {type: string, pattern: "^[0-9*]", maxLength: 20}
              replicas: {type: integer, minimum: 1, maximum: 5, nullable: true}
              mode: {type: string, enum: [a, b]}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              labels: {type: object, additionalProperties: {type: string}}
              one: {type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}
  - {name: v1alpha1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
`
const cron = (spec: string, version = 'v1'): string =>
	`apiVersion: example.com/${version}\nkind: Cron\nmetadata: {name: a}\nspec: ${spec}`
const CEL = 'note cel-not-evaluated : the rules in CEL of Cron of example.com/v1 are not evaluated'

describe('a custom resource', () => {
	it('whose schema is not known is said once for its kind', () => {
		expect(judge(`${cron('{}')}\n---\n${cron('{}')}`)).toEqual([
			'note schema-unknown : Cron of example.com/v1 is not validated: its schema is not known',
		])
	})

	it('has metadata like any other', () => {
		expect(judge(cron('{}').replace('name: a', 'name: A, lables: {}'))).toEqual([
			'warn field-unknown metadata.lables: metadata.lables is no field of a Cron; did you mean labels?',
			expect.stringMatching(/^refuse object-invalid metadata\.name/),
			expect.stringMatching(/^note schema-unknown/),
		])
	})

	it.each<[string, readonly string[]]>([
		['{schedule: "*", replicas: null, port: x, free: {a: [1]}, labels: {a: b}, one: {b: x}}', []],
		['{schedule: null}', ['refuse object-invalid spec.schedule: spec.schedule: Required value']],
		[
			'{schedule: "*", schedul: 1}',
			['warn field-unknown spec.schedul: spec.schedul is no field of a Cron; did you mean schedule?'],
		],
		[
			'{schedule: x}',
			[`refuse object-invalid spec.schedule: spec.schedule: Invalid value: "x": should match '^[0-9*]'`],
		],
		[
			'{schedule: "*", replicas: 9}',
			[
				'refuse object-invalid spec.replicas: spec.replicas: Invalid value: 9: should be less than or equal to 5',
			],
		],
		[
			'{schedule: "*", mode: c}',
			['refuse object-invalid spec.mode: spec.mode: Unsupported value: "c": supported values: "a", "b"'],
		],
		[
			'{schedule: "*", port: true}',
			[
				'refuse object-invalid spec.port: spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
			],
		],
		[
			'{schedule: "*", labels: {a: 1}}',
			[
				'refuse object-invalid spec.labels.a: spec.labels.a: Invalid value: "number": spec.labels.a in body must be of type string: "number"',
			],
		],
		[
			'{schedule: "*", one: {a: x, b: x}}',
			[
				'refuse object-invalid spec.one: spec.one: Invalid value: "spec.one" must validate one and only one schema (oneOf)',
			],
		],
	])('obeys its schema: %s', (spec, expected) => {
		expect(judge(cron(spec), { crds: CRD })).toEqual([...expected, CEL])
	})

	it('is judged by a definition that stands beside it', () => {
		expect(judge(`${CRD}\n---\n${cron('{schedule: x}')}`)).toHaveLength(2)
	})

	it('of a version that is not served is refused', () => {
		expect(judge(cron('{}', 'v1alpha1'), { crds: CRD })).toEqual([
			'refuse kind-unknown apiVersion: the definition of Cron does not serve example.com/v1alpha1, but example.com/v1',
		])
	})

	it('obeys what combinations say of its parts, and of nothing else in them', () => {
		const either =
			'anyOf: [{properties: {spec: {required: [mode]}}}, {properties: {spec: {required: [port]}}}]'
		const crds = CRD.replace('type: object\n', `type: object\n        ${either}\n`)
		expect(judge(cron('{schedule: "*", port: 1, free: {a: 1}}'), { crds })).toEqual([CEL])
		expect(judge(cron('{schedule: "*"}'), { crds })).toEqual([
			expect.stringContaining('must validate at least one schema (anyOf)'),
			CEL,
		])
	})

	it('cannot keep the check busy with a pattern for each of many values', () => {
		const evil = CRD.replace(
			'additionalProperties: {type: string}',
			'additionalProperties: {type: string, pattern: "^(a+)+$"}',
		)
		const labels = Array.from({ length: 600 }, (_, at) => `l${at}: "${'a'.repeat(60)}!"`).join(', ')
		expect(judge(cron(`{schedule: "*", labels: {${labels}}}`), { crds: evil })).toEqual([CEL])
	})

	it('cannot keep the check busy with a pattern', () => {
		const evil = CRD.replace('"^[0-9*]", maxLength: 20', '"^(a+)+$"')
		expect(judge(cron(`{schedule: "${'a'.repeat(60)}!"}`), { crds: evil })).toEqual([CEL])
	})
})

describe('references', () => {
	const pod = (spec: string): string =>
		`apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: b, ${spec}}]}`

	it('to what is not there are notes, one for each object', () => {
		const twice =
			'env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}], envFrom: [{secretRef: {name: s}}]'
		expect(judge(pod(twice))).toEqual([
			'note reference-missing spec.containers[0].env[0].valueFrom.secretKeyRef.name: spec.containers[0].env[0].valueFrom.secretKeyRef.name refers to Secret s, which the artifact does not contain (2 references)',
		])
	})

	it.each([
		['optional', pod('envFrom: [{configMapRef: {name: c, optional: true}}]')],
		[
			'there',
			`${pod('envFrom: [{configMapRef: {name: c}}]')}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: x}`,
		],
		[
			'there in every cluster',
			pod('envFrom: [{configMapRef: {name: kube-root-ca.crt}}]').replace(
				'spec: {',
				'spec: {serviceAccountName: default, ',
			),
		],
		[
			'made by an operator',
			`${pod('envFrom: [{secretRef: {name: tls}}]')}\n---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c}\nspec: {secretName: tls}`,
		],
	])('to what is %s are none', (_, yaml) => {
		expect(judge(yaml).filter((text) => text.includes('reference-missing'))).toEqual([])
	})

	it('are found in pods, accounts and ingresses', () => {
		const spec = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: a, namespace: n}
spec:
  schedule: "@hourly"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          serviceAccountName: robot
          imagePullSecrets: [{name: pull}]
          initContainers: [{name: i, image: b, envFrom: [{configMapRef: {name: init}}]}]
          containers: [{name: a, image: b}]
          volumes:
          - {name: a, configMap: {name: config}}
          - {name: b, secret: {secretName: secret}}
          - {name: c, projected: {sources: [{secret: {name: projected}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a}
spec: {tls: [{secretName: tls}], defaultBackend: {service: {name: a, port: {number: 80}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: a}
imagePullSecrets: [{name: account}]
`
		const names = judge(spec).map((text) => / refers to (\S+ [^ ,]+)/.exec(text)?.[1] ?? text)
		expect(names.toSorted()).toEqual([
			'ConfigMap config',
			'ConfigMap init',
			'Secret account',
			'Secret projected',
			'Secret pull',
			'Secret secret',
			'Secret tls',
			'ServiceAccount robot',
		])
	})
})

describe('a field', () => {
	const object = { data: { 'a.b': 1, a: { b: 2 } }, spec: { list: [{ name: 'x' }] } }

	it.each([
		['spec.list[0].name', ['spec', 'list', 0, 'name']],
		['data[a.b]', ['data', 'a.b']],
		['data.a.b', ['data', 'a.b']],
		['spec.list[0].other.name', ['spec', 'list', 0]],
		['.spec.list[name="x"].name', ['spec', 'list', 0, 'name']],
		['.spec.list[name="y"].name', ['spec', 'list']],
		['<nil>', []],
		['constructor.name', []],
	])('%s is found as far as it is there', (field, path) => {
		expect(pathOfField(object, field)).toEqual(path)
	})

	it('is written as people read it', () => {
		expect(formatField(['metadata', 'labels', 'a.b/c', 0, 'd'])).toBe('metadata.labels["a.b/c"][0].d')
	})
})
