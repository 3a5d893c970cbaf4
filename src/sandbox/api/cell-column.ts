import type { KubeObject } from '../../cluster/index.ts'

/** A column with what it shows of an object. */
export interface CellColumn {
	readonly name: string
	readonly type?: 'string' | 'integer' | 'boolean'
	/** Shown with `-o wide` only. */
	readonly wide?: true
	readonly cell: (object: KubeObject, now: Date) => string | number | boolean
}
