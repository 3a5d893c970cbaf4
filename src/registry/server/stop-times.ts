/** For which requests may go on when a registry stops, where nothing else is said; in milliseconds. */
export const DEFAULT_SHUTDOWN_MS = 30_000
/** What is still to be told when it stops gets so long, in milliseconds. */
export const EVENTS_GRACE_MS = 5000
/** How long a stop takes at most, by default, in milliseconds. */
export const STOP_MS: number = DEFAULT_SHUTDOWN_MS + EVENTS_GRACE_MS
