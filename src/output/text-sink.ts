/** A stream that text is written to, and what is known of it. */
export interface TextSink {
	write(text: string): unknown
	readonly isTTY?: boolean | undefined
	readonly columns?: number | undefined
	readonly rows?: number | undefined
}
