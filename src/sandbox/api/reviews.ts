import { fieldsOf, type Fields } from './fields.ts'

/** Who made a request, as far as the sandbox tells people apart. */
export interface ApiUser {
	readonly name: string
	readonly groups: readonly string[]
}

interface Review {
	readonly group: string
	readonly kind: string
	readonly plural: string
	readonly namespaced: boolean
	readonly answer: (user: ApiUser) => Fields
}

const ALLOWED = { allowed: true, reason: 'the lading sandbox allows everything: it has no RBAC' }
const EVERYTHING = {
	resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
	nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
	incomplete: false,
}

function userInfo({ name, groups }: ApiUser): Fields {
	return { username: name, groups }
}

/** Questions that are asked by creating an object, and answered in its status. Nothing is stored. */
export const reviews: readonly Review[] = [
	{
		group: 'authorization.k8s.io',
		kind: 'SelfSubjectAccessReview',
		plural: 'selfsubjectaccessreviews',
		namespaced: false,
		answer: () => ALLOWED,
	},
	{
		group: 'authorization.k8s.io',
		kind: 'SubjectAccessReview',
		plural: 'subjectaccessreviews',
		namespaced: false,
		answer: () => ALLOWED,
	},
	{
		group: 'authorization.k8s.io',
		kind: 'LocalSubjectAccessReview',
		plural: 'localsubjectaccessreviews',
		namespaced: true,
		answer: () => ALLOWED,
	},
	{
		group: 'authorization.k8s.io',
		kind: 'SelfSubjectRulesReview',
		plural: 'selfsubjectrulesreviews',
		namespaced: false,
		answer: () => EVERYTHING,
	},
	{
		group: 'authentication.k8s.io',
		kind: 'SelfSubjectReview',
		plural: 'selfsubjectreviews',
		namespaced: false,
		answer: (user) => ({ userInfo: userInfo(user) }),
	},
	{
		group: 'authentication.k8s.io',
		kind: 'TokenReview',
		plural: 'tokenreviews',
		namespaced: false,
		answer: () => ({ authenticated: false, error: 'the lading sandbox issues no service account tokens' }),
	},
]

/** The review with its answer. */
export function answerReview(review: Review, body: unknown, user: ApiUser): Fields {
	const { apiVersion: _, kind: __, ...rest } = fieldsOf(body)
	return {
		kind: review.kind,
		apiVersion: `${review.group}/v1`,
		metadata: {},
		...rest,
		status: review.answer(user),
	}
}
