// oxlint-disable-next-line no-control-regex -- the colours are ours, and take no room
const PAINT = /\u001B\[\d+m/y
/** Chinese, Japanese, Korean, full-width forms, and emoji. Rather too many: a line that is too long spoils the picture. */
const WIDE =
	/[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u2329\u232A\u2FF0-\u303E\u3099-\u30FF\u3190-\u33FF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{1F200}-\u{1F265}]/u
/** What is drawn upon the character before; but U+FE0F may make that one wide. */
const JOINED = /(?!\uFE0F)[\p{Mn}\p{Me}\u200B-\u200D]/u

/** As much of a line as so many columns of a terminal hold; what paints it takes no room. */
export function cut(line: string, columns: number): string {
	let room = columns
	let text = ''
	for (let at = 0; at < line.length;) {
		PAINT.lastIndex = at
		const paint = PAINT.exec(line)?.[0]
		const part = paint ?? String.fromCodePoint(line.codePointAt(at) ?? 0)
		if (paint === undefined) room -= columnsOf(part)
		if (paint !== undefined || room >= 0) text += part
		at += part.length
	}
	return text
}

function columnsOf(character: string): number {
	if (JOINED.test(character)) return 0
	return WIDE.test(character) ? 2 : 1
}
