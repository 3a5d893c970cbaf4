import { describe, expect, it } from 'vitest'
import { errorCodes } from './codes.ts'
import { InternalError, isSystemError, LadingError, RemoteError, UserError } from './error.ts'
import { redactHeader, redactUrl } from './redact.ts'

describe('errors', () => {
	it('have a kind by their code', () => {
		expect(new UserError('USAGE', 'x').kind).toBe('usage')
		expect(new RemoteError('NOT_FOUND', 'x').kind).toBe('not-found')
		expect(new InternalError('x').kind).toBe('bug')
	})

	it('keep the wire without its secrets', () => {
		const wire = {
			method: 'GET',
			url: 'https://u:p@r.example/v2/?token=abc&scope=repository:a:pull',
			status: 401,
		}
		const error = new RemoteError('UNAUTHENTICATED', 'x', { wire, hint: 'h', cause: new Error('c') })
		expect(error).toBeInstanceOf(LadingError)
		expect(error.wire?.url).not.toMatch(/:p@|abc/)
		expect(error.wire?.url).toContain('scope=repository')
		expect(error.hint).toBe('h')
		expect(error.cause).toBeInstanceOf(Error)
	})

	it('are told from system errors', () => {
		const missing = Object.assign(new Error('x'), { code: 'ENOENT' })
		expect(isSystemError(missing)).toBe(true)
		expect(isSystemError(missing, 'EACCES')).toBe(false)
		expect(isSystemError(new UserError('USAGE', 'x'))).toBe(false)
		expect(isSystemError('ENOENT')).toBe(false)
	})

	it('have codes that scripts can match on', () => {
		for (const code of Object.keys(errorCodes)) expect(code).toMatch(/^[A-Z][A-Z_]+$/)
	})
})

describe('redaction', () => {
	it.each([
		['https://user:pw@host/x', 'pw'],
		['https://host/blob?X-Amz-Signature=abcdef', 'abcdef'],
		['https://host/#access_token=abcdef', 'abcdef'],
		['//user:pw@host no url', 'pw'],
		['not a url?sig=abcdef', 'abcdef'],
	])('takes the secret out of %s', (text, secret) => {
		expect(redactUrl(text)).not.toContain(secret)
	})

	it('masks headers that carry secrets', () => {
		expect(redactHeader('Authorization', 'Basic eA==')).toBe('***')
		expect(redactHeader('accept', 'x/y')).toBe('x/y')
	})
})
