/** The names Argo CD gives to things, and those lading adds. @see argo-cd common/common.go */
export const ArgocdName = {
	defaultNamespace: 'argocd',
	defaultProject: 'default',
	apiVersion: 'argoproj.io/v1alpha1',
	inCluster: 'https://kubernetes.default.svc',
	/** ConfigMap whose keys are host names without port and whose values are PEM bundles. */
	tlsCertsConfigMap: 'argocd-tls-certs-cm',
	configMap: 'argocd-cm',
	repoServer: 'argocd-repo-server',
	/** Ask the controller for a comparison: `normal` or `hard`; the controller removes it again. */
	refreshAnnotation: 'argocd.argoproj.io/refresh',
	trackingIdAnnotation: 'argocd.argoproj.io/tracking-id',
	/** Default label of resource tracking by label, and by annotation and label. */
	instanceLabel: 'app.kubernetes.io/instance',
	hookAnnotation: 'argocd.argoproj.io/hook',
	syncOptionsAnnotation: 'argocd.argoproj.io/sync-options',
	/** Harmful on OCI sources; lading never sets it. */
	manifestGeneratePathsAnnotation: 'argocd.argoproj.io/manifest-generate-paths',
	secretTypeLabel: 'argocd.argoproj.io/secret-type',
	applicationSetNameLabel: 'argocd.argoproj.io/application-set-name',
	resourcesFinalizer: 'resources-finalizer.argocd.argoproj.io',
	partOfLabel: 'app.kubernetes.io/part-of',
	managedByLabel: 'app.kubernetes.io/managed-by',
	managedByLading: 'lading',
} as const
