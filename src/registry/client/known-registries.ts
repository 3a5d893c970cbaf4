import type { ErrorCode } from '../../errors/index.ts'
import { canonicalRegistry } from './credential.ts'

/** A hosted registry, or a product, by the names of its hosts. */
interface KnownRegistry {
	readonly name: string
	/** Of the host, without a port. */
	readonly hosts: RegExp
	/** How one signs in there, for a 401. */
	readonly signIn: string
	readonly answers: readonly KnownAnswer[]
}

/** An answer that means something at one registry only. */
interface KnownAnswer {
	readonly status: readonly number[]
	/** Of its codes and words. Absent: any. */
	readonly says?: RegExp
	readonly hint: string
	/** Absent: what the status means everywhere. */
	readonly code?: ErrorCode
}

/**
 * What hosted registries want and answer. See docs/guide/registries.md. Harbor, Quay and GitLab run under any name:
 * what they alone say stands in {@link ANYWHERE}.
 */
const REGISTRIES: readonly KnownRegistry[] = [
	{
		name: 'Amazon ECR',
		hosts: /^\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
		signIn:
			'The user is AWS, the password a token that is good for 12 hours: aws ecr get-login-password | lading login HOST -u AWS --password-stdin',
		answers: [
			{
				status: [404],
				says: /NAME_UNKNOWN|does not exist in the registry/i,
				hint: 'ECR makes no repository by itself: aws ecr create-repository --repository-name NAME, with the whole path after the host as its name.',
			},
			{
				status: [400],
				says: /TAG_INVALID|tag is immutable/i,
				code: 'TAG_EXISTS',
				hint: 'The repository is set to immutable tags: choose a tag that is new.',
			},
			{
				status: [403],
				says: /not authorized to perform|denied/i,
				hint: 'The IAM identity lacks a right: pushing takes ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:BatchCheckLayerAvailability and ecr:PutImage. A token that is older than 12 hours is refused as well.',
			},
		],
	},
	{
		name: 'Google Artifact Registry',
		hosts: /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)$/,
		signIn:
			'gcloud auth print-access-token | lading login HOST -u oauth2accesstoken --password-stdin is good for an hour; a key file goes with -u _json_key.',
		answers: [
			{
				status: [403],
				says: /artifactregistry\.|Permission|denied/i,
				hint: 'The repository PROJECT/REPOSITORY has to be there (gcloud artifacts repositories create REPOSITORY --repository-format=docker), and the account needs roles/artifactregistry.writer on it to push, .reader to pull.',
			},
			{
				status: [404],
				says: /NAME_UNKNOWN|not found/i,
				hint: 'Artifact Registry makes no repository by itself: gcloud artifacts repositories create REPOSITORY --repository-format=docker --location=REGION. References are REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME.',
			},
		],
	},
	{
		name: 'Azure Container Registry',
		hosts: /^[a-z0-9-]+\.azurecr\.(?:io|cn|us|de)$/,
		signIn:
			'az acr login --name REGISTRY --expose-token gives a token that is good for 3 hours, for the user 00000000-0000-0000-0000-000000000000; a service principal or a token of the registry lasts longer.',
		answers: [
			{
				status: [403],
				says: /firewall|not allowed access|client with IP/i,
				hint: 'The firewall of the registry does not let this address in: az acr network-rule add.',
			},
			{
				status: [401, 403],
				says: /insufficient_scope|denied|unauthorized/i,
				hint: 'The identity needs the role AcrPush to push, AcrPull to pull, or a token of the registry with content/write.',
			},
		],
	},
	{
		name: 'GitHub Container Registry',
		hosts: /^(?:ghcr\.io|containers\.[a-z0-9.-]+\.ghe\.com)$/,
		signIn:
			'The password is a personal access token (classic) with write:packages, or GITHUB_TOKEN in a workflow: lading login HOST -u USER --password-stdin',
		answers: [
			{
				status: [403],
				says: /write_package|expected scopes|not allowed to write/i,
				hint: 'The token lacks write:packages. In a workflow: permissions: packages: write, and, for a package that is there already, its settings → Manage Actions access → this repository with Write.',
			},
			{
				status: [403],
				hint: 'The token lacks read:packages, or the package is private and not shared with it. A token is a personal access token (classic), or GITHUB_TOKEN.',
			},
		],
	},
	{
		name: 'Docker Hub',
		hosts: /^docker\.io$/,
		signIn:
			'The password is an access token of the account (Account settings → Personal access tokens) with Read & Write: lading login docker.io -u USER --password-stdin',
		answers: [
			{
				status: [401, 403],
				says: /insufficient_scope|access to the resource is denied|authentication required/i,
				hint: 'The account may not write there: the name is docker.io/USER/NAME or docker.io/ORGANIZATION/NAME, and the access token needs Read & Write.',
			},
			{
				status: [429],
				hint: 'Docker Hub limits how much is pulled without signing in: lading login docker.io, or wait.',
			},
		],
	},
	{
		name: 'Quay',
		hosts: /^quay\.io$/,
		signIn:
			'A robot account signs in as ORGANIZATION+ROBOT with its token; a user with an encrypted password.',
		answers: [
			{
				status: [401, 403],
				says: /unauthorized|access to the requested resource/i,
				hint: 'The robot account (ORGANIZATION+ROBOT) needs Write on the repository; to make a new one, Creator in a team of the organization.',
			},
		],
	},
	{
		name: 'GitLab',
		hosts: /^registry\.gitlab\.com$/,
		signIn:
			'A deploy token or personal access token with read_registry and write_registry; in a pipeline CI_REGISTRY_USER and CI_REGISTRY_PASSWORD.',
		answers: [
			{
				status: [401, 403],
				says: /denied|insufficient_scope|access forbidden/i,
				hint: 'The token needs read_registry and write_registry, and the name begins with the path of a project: registry.gitlab.com/GROUP/PROJECT/NAME.',
			},
		],
	},
]

/** What products that run under any name say, and nobody else. */
const ANYWHERE: readonly KnownAnswer[] = [
	{
		status: [401, 403],
		says: /unauthorized to access repository: .+, action: push/i,
		hint: 'So says Harbor: the account has to be a Developer of the project, or a robot (robot$PROJECT+NAME) with push. A project is made before the first push.',
	},
	{
		status: [404],
		says: /project .+ not found/i,
		hint: 'So says Harbor: a project is made before the first push. References are HOST/PROJECT/NAME.',
	},
	{
		status: [412],
		says: /configured as immutable/i,
		code: 'TAG_EXISTS',
		hint: 'A rule of the Harbor project makes the tag immutable: choose a tag that is new.',
	},
]

export interface Answer {
	readonly status: number
	/** Its codes and words. */
	readonly text: string
}

/** What an answer means at this very registry. */
export function knownAnswer(
	registry: string,
	{ status, text }: Answer,
): { readonly code?: ErrorCode; readonly hint: string } | undefined {
	const known = knownRegistry(registry)
	const found = [...(known?.answers ?? []), ...ANYWHERE].find(
		(each) => each.status.includes(status) && each.says?.test(text) !== false,
	)
	const hint = found?.hint ?? (status === 401 ? known?.signIn : undefined)
	if (hint === undefined) return undefined
	return { ...(found?.code !== undefined && { code: found.code }), hint: hint.replaceAll('HOST', registry) }
}

function knownRegistry(registry: string): KnownRegistry | undefined {
	const host = canonicalRegistry(registry).replace(/:\d+$/, '')
	return REGISTRIES.find(({ hosts }) => hosts.test(host))
}
