/** The form in which a client wants objects. */
export type Form = 'object' | 'table' | 'metadata'

interface MediaRange {
	readonly type: string
	readonly parameters: ReadonlyMap<string, string>
}

function mediaRanges(accept: string): readonly MediaRange[] {
	return accept.split(',').map((range) => {
		const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
		return {
			type,
			parameters: new Map(
				parameters.map((parameter) => {
					const [key = '', value = ''] = parameter.split('=')
					return [key, value] as const
				}),
			),
		}
	})
}

function takesJson({ type }: MediaRange): boolean {
	return type === '' || type === '*/*' || type === 'application/*' || type === 'application/json'
}

/** The first form of the Accept header that is JSON; `undefined` when there is none. */
export function formOf(accept: string | undefined): Form | undefined {
	if (accept === undefined || accept === '') return 'object'
	for (const range of mediaRanges(accept).filter(takesJson)) {
		const as = range.parameters.get('as')
		if (as === undefined) return 'object'
		if (as === 'Table') return 'table'
		if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata'
	}
	return undefined
}

/** The version of the aggregated discovery that the client takes, if any. */
export function aggregatedVersion(accept: string | undefined): 'v2' | undefined {
	const wanted = mediaRanges(accept ?? '').some(
		(range) =>
			takesJson(range) &&
			range.parameters.get('as') === 'APIGroupDiscoveryList' &&
			range.parameters.get('v') === 'v2',
	)
	return wanted ? 'v2' : undefined
}
