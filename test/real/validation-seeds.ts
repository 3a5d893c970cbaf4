/** Objects that a real API server takes, rich in fields: what the tests break, one field at a time. */
const pod = {
	serviceAccountName: 'default',
	terminationGracePeriodSeconds: 30,
	dnsPolicy: 'ClusterFirst',
	hostNetwork: false,
	securityContext: {
		runAsNonRoot: true,
		fsGroup: 1000,
		fsGroupChangePolicy: 'OnRootMismatch',
		seccompProfile: { type: 'RuntimeDefault' },
	},
	imagePullSecrets: [{ name: 'pull' }],
	nodeSelector: { disk: 'ssd' },
	tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }],
	topologySpreadConstraints: [
		{
			maxSkew: 1,
			topologyKey: 'zone',
			whenUnsatisfiable: 'DoNotSchedule',
			labelSelector: { matchLabels: { app: 'web' } },
		},
	],
	affinity: {
		nodeAffinity: {
			requiredDuringSchedulingIgnoredDuringExecution: {
				nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
			},
			preferredDuringSchedulingIgnoredDuringExecution: [
				{ weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
			],
		},
		podAntiAffinity: {
			preferredDuringSchedulingIgnoredDuringExecution: [
				{
					weight: 100,
					podAffinityTerm: { topologyKey: 'host', labelSelector: { matchLabels: { app: 'web' } } },
				},
			],
		},
	},
	initContainers: [{ name: 'init', image: 'busybox', command: ['true'], restartPolicy: 'Always' }],
	containers: [
		{
			name: 'web',
			image: 'nginx:1',
			imagePullPolicy: 'IfNotPresent',
			args: ['-v'],
			workingDir: '/tmp',
			ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
			env: [
				{ name: 'A', value: 'b' },
				{ name: 'B', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } },
				{ name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
				{ name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
				{ name: 'E', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
			],
			envFrom: [{ prefix: 'X_', configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }],
			resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: 1, memory: '128Mi' } },
			livenessProbe: {
				httpGet: { path: '/', port: 'http', scheme: 'HTTP', httpHeaders: [{ name: 'A', value: 'b' }] },
				periodSeconds: 5,
			},
			readinessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 1 },
			startupProbe: { exec: { command: ['true'] } },
			lifecycle: { preStop: { exec: { command: ['true'] } } },
			securityContext: {
				allowPrivilegeEscalation: false,
				readOnlyRootFilesystem: true,
				capabilities: { drop: ['ALL'] },
			},
			terminationMessagePolicy: 'FallbackToLogsOnError',
			volumeMounts: [
				{ name: 'config', mountPath: '/etc/c', readOnly: true, subPath: 'a' },
				{ name: 'tmp', mountPath: '/tmp' },
			],
		},
	],
	volumes: [
		{
			name: 'config',
			configMap: { name: 'c', defaultMode: 420, items: [{ key: 'k', path: 'p', mode: 256 }] },
		},
		{ name: 'secret', secret: { secretName: 's', optional: true } },
		{ name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
		{ name: 'host', hostPath: { path: '/x', type: 'Directory' } },
		{ name: 'claim', persistentVolumeClaim: { claimName: 'c', readOnly: true } },
		{
			name: 'all',
			projected: {
				defaultMode: 420,
				sources: [
					{ configMap: { name: 'c' } },
					{ secret: { name: 's' } },
					{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } },
					{ downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
				],
			},
		},
		{ name: 'csi', csi: { driver: 'd.example.com', volumeAttributes: { a: 'b' } } },
		{ name: 'nfs', nfs: { server: 's', path: '/p' } },
		{
			name: 'own',
			ephemeral: {
				volumeClaimTemplate: {
					spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
				},
			},
		},
	],
}

const meta = (name: string): object => ({
	name,
	labels: { app: 'web', 'app.kubernetes.io/name': 'web' },
	annotations: { 'example.com/a': 'b' },
})
const template = { metadata: { labels: { app: 'web' }, annotations: { a: 'b' } }, spec: pod }
const selector = {
	matchLabels: { app: 'web' },
	matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }],
}
const job = {
	backoffLimit: 1,
	completions: 1,
	parallelism: 1,
	completionMode: 'NonIndexed',
	ttlSecondsAfterFinished: 10,
	podFailurePolicy: {
		rules: [{ action: 'FailJob', onExitCodes: { containerName: 'web', operator: 'In', values: [1] } }],
	},
	template: { spec: { ...pod, restartPolicy: 'Never', initContainers: [] } },
}

export const seeds: readonly Readonly<Record<string, unknown>>[] = [
	{ apiVersion: 'v1', kind: 'Pod', metadata: meta('web'), spec: { ...pod, restartPolicy: 'OnFailure' } },
	{
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: meta('web'),
		spec: {
			replicas: 2,
			minReadySeconds: 1,
			revisionHistoryLimit: 3,
			strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
			selector,
			template,
		},
	},
	{
		apiVersion: 'apps/v1',
		kind: 'StatefulSet',
		metadata: meta('web'),
		spec: {
			serviceName: 'web',
			replicas: 1,
			podManagementPolicy: 'Parallel',
			updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
			selector,
			template,
			volumeClaimTemplates: [
				{
					metadata: { name: 'data' },
					spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
				},
			],
		},
	},
	{
		apiVersion: 'apps/v1',
		kind: 'DaemonSet',
		metadata: meta('web'),
		spec: {
			updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
			selector,
			template,
		},
	},
	{ apiVersion: 'batch/v1', kind: 'Job', metadata: meta('once'), spec: job },
	{
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: meta('often'),
		spec: {
			schedule: '*/5 * * * *',
			timeZone: 'Etc/UTC',
			concurrencyPolicy: 'Forbid',
			suspend: false,
			jobTemplate: { spec: job },
		},
	},
	{
		apiVersion: 'v1',
		kind: 'Service',
		metadata: meta('web'),
		spec: {
			type: 'NodePort',
			selector: { app: 'web' },
			externalTrafficPolicy: 'Local',
			internalTrafficPolicy: 'Cluster',
			ipFamilyPolicy: 'PreferDualStack',
			sessionAffinity: 'ClientIP',
			sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
			ports: [
				{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
				{ name: 'https', port: 443, targetPort: 8443 },
			],
		},
	},
	{ apiVersion: 'v1', kind: 'Namespace', metadata: meta('shop') },
	{
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: meta('c'),
		data: { 'a.b': 'c' },
		binaryData: { b: 'YQ==' },
		immutable: true,
	},
	{
		apiVersion: 'v1',
		kind: 'Secret',
		metadata: meta('s'),
		type: 'Opaque',
		data: { a: 'YQ==' },
		stringData: { b: 'c' },
	},
	{
		apiVersion: 'v1',
		kind: 'ServiceAccount',
		metadata: meta('robot'),
		automountServiceAccountToken: false,
		imagePullSecrets: [{ name: 'p' }],
	},
	{
		apiVersion: 'v1',
		kind: 'PersistentVolumeClaim',
		metadata: meta('data'),
		spec: {
			accessModes: ['ReadWriteOnce'],
			volumeMode: 'Filesystem',
			storageClassName: 'fast',
			resources: { requests: { storage: '1Gi' } },
		},
	},
	{
		apiVersion: 'v1',
		kind: 'PersistentVolume',
		metadata: meta('disk'),
		spec: {
			capacity: { storage: '1Gi' },
			accessModes: ['ReadWriteOnce'],
			persistentVolumeReclaimPolicy: 'Retain',
			hostPath: { path: '/x' },
			nodeAffinity: {
				required: {
					nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
				},
			},
		},
	},
	{
		apiVersion: 'v1',
		kind: 'LimitRange',
		metadata: meta('limits'),
		spec: { limits: [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } }] },
	},
	{
		apiVersion: 'v1',
		kind: 'ResourceQuota',
		metadata: meta('quota'),
		spec: {
			hard: { pods: '10' },
			scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
		},
	},
	{
		apiVersion: 'networking.k8s.io/v1',
		kind: 'Ingress',
		metadata: meta('web'),
		spec: {
			ingressClassName: 'nginx',
			tls: [{ hosts: ['a.example.com'], secretName: 't' }],
			defaultBackend: { service: { name: 'web', port: { number: 80 } } },
			rules: [
				{
					host: 'a.example.com',
					http: {
						paths: [
							{
								path: '/',
								pathType: 'Prefix',
								backend: { service: { name: 'web', port: { name: 'http' } } },
							},
						],
					},
				},
			],
		},
	},
	{
		apiVersion: 'networking.k8s.io/v1',
		kind: 'IngressClass',
		metadata: meta('nginx'),
		spec: { controller: 'example.com/c' },
	},
	{
		apiVersion: 'networking.k8s.io/v1',
		kind: 'NetworkPolicy',
		metadata: meta('web'),
		spec: {
			podSelector: { matchLabels: { app: 'web' } },
			policyTypes: ['Ingress', 'Egress'],
			ingress: [
				{
					from: [{ namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
					ports: [{ port: 80, endPort: 90, protocol: 'TCP' }],
				},
			],
		},
	},
	{
		apiVersion: 'policy/v1',
		kind: 'PodDisruptionBudget',
		metadata: meta('web'),
		spec: { minAvailable: '50%', selector, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
	},
	{
		apiVersion: 'autoscaling/v2',
		kind: 'HorizontalPodAutoscaler',
		metadata: meta('web'),
		spec: {
			scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
			minReplicas: 1,
			maxReplicas: 3,
			metrics: [
				{
					type: 'Resource',
					resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
				},
			],
			behavior: {
				scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
			},
		},
	},
	{
		apiVersion: 'rbac.authorization.k8s.io/v1',
		kind: 'Role',
		metadata: meta('read:pods'),
		rules: [{ apiGroups: [''], resources: ['pods'], resourceNames: ['a'], verbs: ['get'] }],
	},
	{
		apiVersion: 'rbac.authorization.k8s.io/v1',
		kind: 'ClusterRole',
		metadata: meta('read'),
		aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
		rules: [{ nonResourceURLs: ['/healthz'], verbs: ['get'] }],
	},
	{
		apiVersion: 'rbac.authorization.k8s.io/v1',
		kind: 'RoleBinding',
		metadata: meta('read'),
		roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
		subjects: [
			{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' },
			{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'g' },
		],
	},
	{
		apiVersion: 'storage.k8s.io/v1',
		kind: 'StorageClass',
		metadata: meta('fast'),
		provisioner: 'example.com/p',
		reclaimPolicy: 'Retain',
		volumeBindingMode: 'WaitForFirstConsumer',
		allowVolumeExpansion: true,
		parameters: { a: 'b' },
		allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }],
	},
	{
		apiVersion: 'scheduling.k8s.io/v1',
		kind: 'PriorityClass',
		metadata: meta('high'),
		value: 10,
		preemptionPolicy: 'Never',
		globalDefault: false,
	},
	{
		apiVersion: 'node.k8s.io/v1',
		kind: 'RuntimeClass',
		metadata: meta('gvisor'),
		handler: 'runsc',
		overhead: { podFixed: { cpu: '10m' } },
	},
	{
		apiVersion: 'coordination.k8s.io/v1',
		kind: 'Lease',
		metadata: meta('leader'),
		spec: { holderIdentity: 'a', leaseDurationSeconds: 10, acquireTime: '2026-01-31T12:00:00.000000Z' },
	},
	{
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: meta('web'),
		addressType: 'IPv4',
		endpoints: [
			{ addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'a' } },
		],
		ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
	},
	{
		apiVersion: 'admissionregistration.k8s.io/v1',
		kind: 'ValidatingWebhookConfiguration',
		metadata: meta('hook.example.com'),
		webhooks: [
			{
				name: 'a.example.com',
				admissionReviewVersions: ['v1'],
				sideEffects: 'None',
				failurePolicy: 'Ignore',
				matchPolicy: 'Equivalent',
				timeoutSeconds: 5,
				clientConfig: { service: { name: 's', namespace: 'n', path: '/p', port: 443 }, caBundle: 'YQ==' },
				rules: [
					{
						apiGroups: [''],
						apiVersions: ['v1'],
						resources: ['pods'],
						operations: ['CREATE'],
						scope: 'Namespaced',
					},
				],
			},
		],
	},
	{
		apiVersion: 'apiextensions.k8s.io/v1',
		kind: 'CustomResourceDefinition',
		metadata: { name: 'crons.example.com' },
		spec: {
			group: 'example.com',
			scope: 'Namespaced',
			names: { plural: 'crons', singular: 'cron', kind: 'Cron', listKind: 'CronList', shortNames: ['cr'] },
			versions: [
				{
					name: 'v1',
					served: true,
					storage: true,
					additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec.a' }],
					subresources: { status: {} },
					schema: {
						openAPIV3Schema: {
							type: 'object',
							properties: {
								spec: {
									type: 'object',
									required: ['a'],
									properties: { a: { type: 'string', pattern: '^a', maxLength: 5 } },
								},
							},
						},
					},
				},
			],
		},
	},
	{
		apiVersion: 'v1',
		kind: 'Endpoints',
		metadata: meta('web'),
		subsets: [
			{
				addresses: [{ ip: '10.0.0.1', targetRef: { kind: 'Pod', name: 'a' } }],
				ports: [{ name: 'http', port: 80 }],
			},
		],
	},
	{
		apiVersion: 'apps/v1',
		kind: 'ReplicaSet',
		metadata: meta('web'),
		spec: { replicas: 1, selector, template },
	},
	{
		apiVersion: 'v1',
		kind: 'ReplicationController',
		metadata: meta('web'),
		spec: { replicas: 1, selector: { app: 'web' }, template },
	},
	{
		apiVersion: 'rbac.authorization.k8s.io/v1',
		kind: 'ClusterRoleBinding',
		metadata: meta('read'),
		roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
		subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' }],
	},
	{
		apiVersion: 'admissionregistration.k8s.io/v1',
		kind: 'MutatingWebhookConfiguration',
		metadata: meta('hook.example.com'),
		webhooks: [
			{
				name: 'a.example.com',
				admissionReviewVersions: ['v1'],
				sideEffects: 'None',
				reinvocationPolicy: 'Never',
				objectSelector: { matchLabels: { a: 'b' } },
				matchConditions: [{ name: 'a', expression: 'true' }],
				clientConfig: { url: 'https://a.example.com/' },
				rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
			},
		],
	},
	{
		apiVersion: 'admissionregistration.k8s.io/v1',
		kind: 'ValidatingAdmissionPolicy',
		metadata: meta('policy.example.com'),
		spec: {
			failurePolicy: 'Fail',
			paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
			matchConstraints: {
				resourceRules: [
					{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
				],
			},
			validations: [{ expression: 'true', message: 'no', reason: 'Invalid' }],
			auditAnnotations: [{ key: 'a', valueExpression: "'x'" }],
			variables: [{ name: 'v', expression: '1' }],
		},
	},
	{
		apiVersion: 'admissionregistration.k8s.io/v1',
		kind: 'ValidatingAdmissionPolicyBinding',
		metadata: meta('binding.example.com'),
		spec: {
			policyName: 'policy.example.com',
			paramRef: { name: 'c', namespace: 'default', parameterNotFoundAction: 'Deny' },
			validationActions: ['Deny'],
			matchResources: { namespaceSelector: { matchLabels: { a: 'b' } } },
		},
	},
	{
		apiVersion: 'apiregistration.k8s.io/v1',
		kind: 'APIService',
		metadata: meta('v1.metrics.example.com'),
		spec: {
			group: 'metrics.example.com',
			version: 'v1',
			groupPriorityMinimum: 100,
			versionPriority: 100,
			insecureSkipTLSVerify: true,
			service: { name: 's', namespace: 'default', port: 443 },
		},
	},
	{
		apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
		kind: 'FlowSchema',
		metadata: meta('flow'),
		spec: {
			priorityLevelConfiguration: { name: 'workload-low' },
			matchingPrecedence: 100,
			distinguisherMethod: { type: 'ByUser' },
			rules: [
				{
					subjects: [{ kind: 'Group', group: { name: 'system:authenticated' } }],
					resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }],
					nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
				},
			],
		},
	},
	{
		apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
		kind: 'PriorityLevelConfiguration',
		metadata: meta('level'),
		spec: {
			type: 'Limited',
			limited: {
				nominalConcurrencyShares: 1,
				limitResponse: { type: 'Queue', queuing: { queues: 8, handSize: 2, queueLengthLimit: 10 } },
			},
		},
	},
	{
		apiVersion: 'storage.k8s.io/v1',
		kind: 'CSIDriver',
		metadata: meta('d.example.com'),
		spec: {
			attachRequired: true,
			podInfoOnMount: false,
			fsGroupPolicy: 'File',
			volumeLifecycleModes: ['Persistent'],
			tokenRequests: [{ audience: 'a', expirationSeconds: 3600 }],
		},
	},
	{
		apiVersion: 'resource.k8s.io/v1',
		kind: 'DeviceClass',
		metadata: meta('gpu.example.com'),
		spec: { selectors: [{ cel: { expression: "device.driver == 'gpu.example.com'" } }] },
	},
	{
		apiVersion: 'resource.k8s.io/v1',
		kind: 'ResourceClaimTemplate',
		metadata: meta('gpu'),
		spec: {
			spec: {
				devices: {
					requests: [
						{
							name: 'gpu',
							exactly: { deviceClassName: 'gpu.example.com', allocationMode: 'ExactCount', count: 1 },
						},
					],
				},
			},
		},
	},
]
