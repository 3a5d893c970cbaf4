/**
 * How a flow tells what it is doing. The command line shows it as a live list or
 * as plain lines; a library caller may leave it out.
 */
export interface Progress {
	/** Starts a step, such as "registry". It ends with `done` or, when the flow throws, as failed. */
	step(title: string): Step
	/** A remark that belongs to no step. */
	note(text: string): void
	warn(text: string, hint?: string): void
}

export interface Step {
	/** What the step is doing now, such as "2 of 3 blobs". */
	update(detail: string): void
	done(detail?: string): void
	/** Nothing had to be done. */
	unchanged(detail?: string): void
	fail(detail?: string): void
}

const silentStep: Step = { update() {}, done() {}, unchanged() {}, fail() {} }

export const silentProgress: Progress = { step: () => silentStep, note() {}, warn() {} }
