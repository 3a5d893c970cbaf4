import type { TreeProblem } from './tree.ts'

/** A fault of the archive: data to one caller, an error to another. */
export class TarFault extends Error {
	override readonly name = 'TarFault'
	readonly problem: TreeProblem

	constructor(problem: TreeProblem) {
		super(problem.kind)
		this.problem = problem
	}
}
