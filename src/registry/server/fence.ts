/** Keeps whoever has lost a directory from changing in it what is somebody else's by now. */
export interface Fence {
	/** Whether the directory is still this process's. */
	readonly isHeld: () => boolean
	/** @throws UserError `ALREADY_RUNNING` where it is not */
	readonly assertHeld: () => void
}

/** Of a directory that nobody else can have. */
export const UNFENCED: Fence = { isHeld: () => true, assertHeld: () => undefined }
