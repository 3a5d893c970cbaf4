import { configMap, type FailureCase, files, NAMESPACE } from './case.ts'

const PUSH = 'lading push DIR PLACE:v1'
const CHECK = 'lading check PLACE:v1'
const namespace = (name: string): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

/** A kind of its own, so that a policy for one case does not touch the others. */
const policy = (name: string, content: object): object => ({
	apiVersion: 'admissionregistration.k8s.io/v1',
	metadata: { name },
	...content,
})

const only = (name: string): object => ({
	namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
	resourceRules: [
		{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
	],
})

const notRootCa = "object.metadata.name == 'kube-root-ca.crt'"

/** Objects that the cluster does not take. */
const objects: readonly FailureCase[] = [
	{
		name: 'no-api-version',
		artifact: files({ 'one.yaml': { kind: 'ConfigMap', metadata: { name: 'no-api-version' } } }),
		cause: 'api-version-missing',
		argocd: "failed to discover server resources for group version : groupVersion shouldn't be empty",
		fix: PUSH,
	},
	{
		name: 'no-name',
		artifact: files({
			'one.yaml': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { labels: { a: 'b' } } },
		}),
		cause: 'name-missing',
		argocd: 'resource name may not be empty',
		fix: CHECK,
	},
	{
		name: 'generated-name',
		artifact: files({
			'one.yaml': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'generated-' } },
		}),
		cause: 'generated-name',
		argocd: 'cannot use generate name with apply',
		fix: CHECK,
	},
	{
		name: 'number-for-text',
		artifact: files({
			'one.yaml': {
				apiVersion: 'apps/v1',
				kind: 'Deployment',
				metadata: { name: 'number-for-text' },
				spec: { replicas: 'two' },
			},
		}),
		cause: 'field-type',
		argocd: 'json: cannot unmarshal string into Go struct field',
		fix: PUSH,
	},
	{
		name: 'old-version',
		artifact: files({
			'one.yaml': { apiVersion: 'apps/v1beta1', kind: 'Deployment', metadata: { name: 'old-version' } },
		}),
		cause: 'version-unserved',
		argocd: 'could not find version "v1beta1" of apps/Deployment',
		fix: 'Write the manifest for',
	},
	{
		name: 'no-crd',
		artifact: files({ 'one.yaml': { apiVersion: 'nope.example/v1', kind: 'Nope', metadata: { name: 'x' } } }),
		cause: 'crd-missing',
		argocd: 'The Kubernetes API could not find nope.example/Nope for requested resource',
		fix: 'Install the CRD first',
	},
	{
		name: 'large-annotation',
		artifact: files({ 'one.yaml': configMap('large-annotation', { data: { text: 'x'.repeat(300_000) } }) }),
		cause: 'annotation-size',
		argocd: 'metadata.annotations: Too long',
		fix: 'lading deploy NAME PLACE:v1 --server-side',
	},
	{
		name: 'twice',
		artifact: files({ 'one.yaml': configMap('twice'), 'two.yaml': configMap('twice') }),
		cause: 'resource-repeated',
		argocd: 'appeared 2 times among application resources',
		fix: CHECK,
		sync: { code: 0 },
	},
	{
		name: 'excluded',
		artifact: files({
			'one.yaml': { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'excluded' } },
		}),
		cause: 'resource-excluded',
		argocd: 'is excluded in the settings',
		fix: 'kubectl edit configmap argocd-cm -n argocd',
		sync: { code: 0 },
	},
	{
		name: 'no-namespace',
		artifact: files({ 'one.yaml': configMap('no-namespace') }),
		spec: {
			destination: { server: 'https://kubernetes.default.svc', namespace: 'made-by-nobody' },
		},
		syncPolicy: { automated: { prune: true, selfHeal: true } },
		cause: 'namespace-missing',
		argocd: 'namespaces "made-by-nobody" not found',
		fix: 'kubectl create namespace made-by-nobody',
	},
	{
		name: 'not-valid',
		artifact: files({
			'one.yaml': {
				apiVersion: 'v1',
				kind: 'Service',
				metadata: { name: 'not-valid' },
				spec: { ports: [{ port: 70_000 }] },
			},
		}),
		cause: 'object-invalid',
		argocd: 'is invalid: ',
		fix: 'Mend the manifest and push again',
	},
]

const quota = {
	apiVersion: 'v1',
	kind: 'ResourceQuota',
	metadata: { name: 'few', namespace: 'over-quota' },
	spec: { hard: { 'count/services': '0' } },
}

/** What the cluster takes, and not from them, not there, or not now. */
const refusals: readonly FailureCase[] = [
	{
		name: 'over-quota',
		artifact: files({
			'one.yaml': {
				apiVersion: 'v1',
				kind: 'Service',
				metadata: { name: 'over-quota' },
				spec: { ports: [{ port: 80 }] },
			},
		}),
		objects: [namespace('over-quota'), quota],
		spec: { destination: { server: 'https://kubernetes.default.svc', namespace: 'over-quota' } },
		cause: 'quota-exceeded',
		argocd: 'exceeded quota: few',
		fix: 'kubectl describe resourcequota -n over-quota',
	},
	{
		name: 'against-policy',
		artifact: files({ 'one.yaml': configMap('against-policy') }),
		objects: [
			namespace('against-policy'),
			policy('against-policy', {
				kind: 'ValidatingAdmissionPolicy',
				spec: {
					failurePolicy: 'Fail',
					matchConstraints: only('against-policy'),
					validations: [{ expression: notRootCa, message: 'no ConfigMap from an unauthorized team' }],
				},
			}),
			policy('against-policy', {
				kind: 'ValidatingAdmissionPolicyBinding',
				spec: { policyName: 'against-policy', validationActions: ['Deny'] },
			}),
		],
		spec: { destination: { server: 'https://kubernetes.default.svc', namespace: 'against-policy' } },
		cause: 'admission-refused',
		argocd: "ValidatingAdmissionPolicy 'against-policy'",
		fix: 'ask who keeps the policy',
	},
	{
		name: 'webhook-down',
		artifact: files({ 'one.yaml': configMap('webhook-down') }),
		objects: [
			namespace('webhook-down'),
			policy('webhook-down.example.com', {
				kind: 'ValidatingWebhookConfiguration',
				webhooks: [
					{
						name: 'webhook-down.example.com',
						admissionReviewVersions: ['v1'],
						sideEffects: 'None',
						clientConfig: { url: 'https://127.0.0.1:1/' },
						namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'webhook-down' } },
						matchConditions: [{ name: 'not-root-ca', expression: `!(${notRootCa})` }],
						rules: [
							{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
						],
					},
				],
			}),
		],
		spec: { destination: { server: 'https://kubernetes.default.svc', namespace: 'webhook-down' } },
		cause: 'admission-unreachable',
		argocd: 'failed calling webhook "webhook-down.example.com"',
		fix: 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
	},
	{
		name: 'immutable',
		artifact: files({
			'one.yaml': configMap('immutable', { data: { a: 'new' } }),
		}),
		objects: [
			{
				...configMap('immutable', { data: { a: 'old' }, immutable: true }),
				metadata: { name: 'immutable', namespace: NAMESPACE },
			},
		],
		cause: 'field-immutable',
		argocd: 'field is immutable',
		fix: 'argocd.argoproj.io/sync-options: Replace=true,Force=true',
	},
	{
		name: 'may-not',
		artifact: files({ 'one.yaml': configMap('may-not') }),
		spec: { destination: { name: 'as-reader', namespace: NAMESPACE } },
		cause: 'cluster-forbids',
		argocd: 'User "reader" cannot',
		fix: 'Grant the service account of the application-controller',
	},
	{
		name: 'shared',
		artifact: files({ 'one.yaml': configMap('shared') }),
		objects: [
			{
				...configMap('shared'),
				metadata: {
					name: 'shared',
					namespace: NAMESPACE,
					annotations: { 'argocd.argoproj.io/tracking-id': 'another:/ConfigMap:failures/shared' },
				},
			},
		],
		syncPolicy: {},
		cause: 'resource-shared',
		argocd: 'ConfigMap/shared is part of applications argocd/shared and another',
		fix: 'Take it out of one of them',
		sync: { code: 0 },
	},
	{
		name: 'stamped',
		artifact: files({
			'one.yaml': { ...configMap('stamped'), metadata: { name: 'stamped', resourceVersion: '1' } },
		}),
		cause: 'objects-failed',
		argocd: 'Operation cannot be fulfilled on configmaps "stamped"',
		fix: 'lading status NAME',
		// It is of no known class: Argo CD's own words are passed on.
		sync: {
			says: ['could not be synced: ConfigMap stamped: ', 'kubectl describe application NAME -n argocd'],
		},
	},
]

export const deploymentCases: readonly FailureCase[] = [...objects, ...refusals]
