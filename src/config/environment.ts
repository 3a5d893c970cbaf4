/**
 * Every environment variable lading reads, with what it is for. Help and the
 * reference page are made from this list; nothing else in the program names one.
 */
export const environmentVariables = {
	LADING_USERNAME: 'User name for the registry of this command.',
	LADING_PASSWORD: 'Password or token for the registry of this command.',
	LADING_REGISTRY:
		'The one registry that LADING_USERNAME and LADING_PASSWORD are for; default: the one that is asked.',
	LADING_DEBUG: 'Set to 1: errors are shown with their causes and stack.',
	ARGOCD_AUTH_TOKEN: 'Token for --cluster argocd:HOST, as Argo CD’s own command reads it.',
	ARGOCD_SERVER: 'The one Argo CD that ARGOCD_AUTH_TOKEN is for; default: the one that is named.',
	KUBECONFIG: 'Kubeconfig for --cluster context:NAME.',
	KIND_EXPERIMENTAL_DOCKER_NETWORK: 'Network of kind’s nodes, as kind reads it; default kind.',
	DOCKER_CONFIG: 'Directory of the config.json with registry credentials.',
	REGISTRY_AUTH_FILE: 'File with registry credentials, as podman and skopeo use it.',
	SSL_CERT_FILE: 'CA certificates to trust in addition.',
	HTTPS_PROXY: 'Proxy for https.',
	HTTP_PROXY: 'Proxy for http.',
	NO_PROXY: 'Hosts that are reached without a proxy.',
	NO_COLOR: 'Set: no colours.',
} as const

export type EnvironmentVariable = keyof typeof environmentVariables
