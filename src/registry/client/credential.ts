export type Credential =
	| { readonly kind: 'password'; readonly username: string; readonly password: string }
	/** An OAuth2 refresh token, as `docker login` stores it for registries that issue them. */
	| { readonly kind: 'identity-token'; readonly token: string }

const DOCKER_HUB: ReadonlySet<string> = new Set([
	'docker.io',
	'index.docker.io',
	'registry-1.docker.io',
	'registry.docker.io',
])

/** Docker Hub has several names; every other registry one. Lower case. */
export function canonicalRegistry(registry: string): string {
	const lower = registry.toLowerCase()
	return DOCKER_HUB.has(lower) ? 'docker.io' : lower
}
