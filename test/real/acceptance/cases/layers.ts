import { gzipSync } from 'node:zlib'
import { MediaType } from '../../../../src/oci/index.ts'
import { BLOCK, type Entry, tar, tarWithoutEnd, zeros } from '../tar.ts'
import { type Case, type CaseOptions, configMap, gzipped, layer, of, one, plain } from './case.ts'

const link = (path: string, target: string): Entry => ({ path, type: '2', link: target })
const entries = (name: string, list: readonly Entry[], options: CaseOptions = {}): Case =>
	of(name, plain(...list), options)
const bytes = (name: string, content: Uint8Array, options: CaseOptions = {}): Case =>
	of(name, { layers: [layer(content)] }, options)
const compressed = (name: string, content: Uint8Array, options: CaseOptions = {}): Case =>
	of(name, { layers: [layer(content, MediaType.layerTarGzip)] }, options)

const archive = tar(one)
const packed = gzipSync(archive)
const spoilt = (at: number): Buffer => {
	const copy = Buffer.from(packed)
	copy[at] = (copy[at] ?? 0) ^ 0xff
	return copy
}
const LIMIT = 1_000_000_000
const THOUSAND = gzipSync(tarWithoutEnd(...Array.from({ length: 1000 }, () => ({ path: 'a/' }))))

const streams: readonly Case[] = [
	compressed('tar-called-gzip', archive, { breaks: ['layer-not-gzip'] }),
	bytes('gzip-called-tar', packed, { breaks: ['layer-truncated'] }),
	bytes('text-called-tar', Buffer.from(configMap('one')), { breaks: ['layer-truncated'] }),
	bytes('noise-called-tar', Buffer.alloc(4 * BLOCK, 'noise '), { breaks: ['layer-not-tar'] }),
	bytes('no-bytes', Buffer.alloc(0), { breaks: ['nothing-to-deploy'] }),
	compressed('no-bytes-gzip', Buffer.alloc(0), { breaks: ['layer-not-gzip'] }),
	bytes('empty-tar', tar(), { breaks: ['nothing-to-deploy'] }),
	bytes('cut-in-a-header', archive.subarray(0, 300), { breaks: ['layer-truncated'] }),
	bytes('cut-in-a-file', archive.subarray(0, BLOCK + 20), { breaks: ['layer-truncated'] }),
	bytes('cut-between-entries', tarWithoutEnd(one), {
		keeps: ['layer-truncated', 'extracted-size', 'extracted-size-silent'],
	}),
	bytes('one-zero-block', Buffer.concat([tarWithoutEnd(one), Buffer.alloc(BLOCK)]), {
		keeps: ['layer-not-tar'],
	}),
	bytes('bytes-after-the-end', Buffer.concat([archive, Buffer.from('more')])),
	bytes('checksum-wrong', Buffer.concat([Buffer.from('x'), archive.subarray(1)]), {
		breaks: ['layer-not-tar'],
	}),
	compressed('gzip-cut', packed.subarray(0, packed.length - 30), { breaks: ['layer-truncated'] }),
	compressed('gzip-corrupt', spoilt(24), { breaks: ['layer-gzip-corrupt'] }),
	compressed('gzip-bytes-after', Buffer.concat([packed, Buffer.from('more')]), {
		breaks: ['layer-gzip-corrupt'],
		stricter: true,
	}),
	compressed(
		'gzip-second-member',
		Buffer.concat([packed, gzipSync(tar({ path: 'two.yaml', content: configMap('two') }))]),
	),
	compressed(
		'gzip-two-members',
		Buffer.concat([gzipSync(archive.subarray(0, 700)), gzipSync(archive.subarray(700))]),
	),
]

const names: readonly Case[] = [
	entries('dot-slash', [{ path: './' }, { ...one, path: './one.yaml' }]),
	entries('no-directories', [one, { path: 'a/b/two.yaml', content: configMap('two') }], { recurse: true }),
	entries('absolute-name', [{ ...one, path: '/one.yaml' }], { keeps: ['path-escape'] }),
	entries('dot-dot-inside', [one, { path: 'a/../two.yaml', content: configMap('two') }], {
		keeps: ['path-escape'],
	}),
	entries('dot-dot', [one, { path: '../../evil.yaml', content: configMap('evil') }], {
		breaks: ['path-escape'],
	}),
	entries('dot-dot-file', [one, { path: '../evil.yaml', content: configMap('evil') }], {
		breaks: ['path-escape'],
	}),
	entries('dot-dot-directory', [one, { path: '../a/' }], { breaks: ['path-escape'] }),
	entries('dot-dot-link', [one, link('../a', 'one.yaml')], { breaks: ['path-escape'] }),
	entries('dot-dot-alone', [one, { path: '..' }], { breaks: ['path-escape'] }),
	entries('duplicate', [{ ...one, content: configMap('first') }, one]),
	entries('modes', [
		{ ...one, mode: 0o000 },
		{ path: 'two.yaml', content: configMap('two'), mode: 0o4755 },
	]),
	entries(
		'long-name',
		[{ path: `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(200)}.yaml`, content: configMap('long') }],
		{ recurse: true, keeps: ['entry-name'] },
	),
	entries('unicode-name', [{ path: 'über 日本 😀.yaml', content: configMap('one') }]),
	entries('pax-unicode', [{ path: 'x', pax: { path: 'über/日本.yaml' }, content: configMap('one') }], {
		recurse: true,
	}),
	entries('pax-global', [{ path: 'pax_global_header', type: 'g', content: '20 comment=whatever\n' }, one]),
	entries(
		'pax-global-broken',
		[{ path: 'pax_global_header', type: 'g', content: '19 comment=whatever\n' }, one],
		{ breaks: ['layer-not-tar'] },
	),
	entries('name-of-5000-bytes', [one, { path: `${'a/'.repeat(40)}${'n'.repeat(5000)}`, content: '' }], {
		breaks: ['entry-name'],
		otherWords: true,
	}),
	entries('file-name-of-255-bytes', [one, { path: 'n'.repeat(255), content: '' }], { keeps: ['entry-name'] }),
	entries('file-name-of-256-bytes', [one, { path: 'n'.repeat(256), content: '' }], {
		breaks: ['entry-name'],
	}),
	entries('directory-name-of-256-bytes', [one, { path: `a/${'n'.repeat(256)}/` }], {
		breaks: ['entry-name'],
	}),
	entries('99-directories-deep', [{ path: `${'d/'.repeat(99)}one.yaml`, content: configMap('one') }], {
		recurse: true,
		keeps: ['entry-name'],
	}),
	entries('file-over-directory', [one, { path: 'a/' }, { path: 'a', content: 'x' }], {
		breaks: ['path-conflict'],
	}),
	entries('directory-over-file', [one, { path: 'a', content: 'x' }, { path: 'a/' }], {
		breaks: ['path-conflict'],
	}),
	entries('file-below-file', [one, { path: 'a', content: 'x' }, { path: 'a/b', content: 'x' }], {
		breaks: ['path-conflict'],
	}),
	entries('directory-twice', [{ path: 'a/' }, { path: 'a/' }, one], { keeps: ['path-conflict'] }),
	entries('whiteout', [one, { path: '.wh.one.yaml', content: '' }]),
]

const links: readonly Case[] = [
	entries('link-inside', [one, link('two.yaml', 'one.yaml')], {
		keeps: ['symlink-escape', 'symlink-loop', 'path-through-symlink', 'symlink-before-directory'],
	}),
	entries('link-up-and-inside', [one, { path: 'a/' }, link('a/up.yaml', '../one.yaml')], {
		recurse: true,
		breaksIn: { 'symlink-unsupported': '3.1.0' },
	}),
	entries('link-absolute', [one, link('two.yaml', '/one.yaml')], { keeps: ['symlink-escape'] }),
	entries('link-absolute-nowhere', [one, link('two.yaml', '/etc/passwd')], { breaks: ['file-ignored'] }),
	entries('link-dangling', [one, link('two.yaml', 'nowhere.yaml')], { breaks: ['file-ignored'] }),
	// It says where the link leads: to the same from every directory that is not deeper than that.
	entries('link-outside', [one, link('two.yaml', `${'../'.repeat(12)}etc/passwd`)], {
		breaks: ['symlink-escape'],
	}),
	entries('link-to-the-root', [one, link('here', '.')]),
	entries('link-to-directory', [one, { path: 'a/two.yaml', content: configMap('two') }, link('b', 'a')], {
		recurse: true,
	}),
	entries('link-to-itself', [one, link('two.yaml', 'two.yaml')], { breaks: ['symlink-loop'] }),
	entries('links-in-a-circle', [one, link('a.yaml', 'b.yaml'), link('b.yaml', 'a.yaml')], {
		breaks: ['symlink-loop'],
	}),
	entries('link-before-directory', [one, link('a/two.yaml', '../one.yaml')], {
		breaksIn: { 'symlink-before-directory': '3.5.3' },
		otherWordsBelow: '3.1.6',
	}),
	entries('file-through-link', [
		one,
		{ path: 'a/' },
		link('b', 'a'),
		{ path: 'b/two.yaml', content: configMap('two') },
	]),
	entries(
		'directory-through-outer-link',
		[one, link('d', '/tmp'), { path: 'd/two.yaml', content: configMap('two') }],
		{ breaks: ['path-through-symlink'] },
	),
	entries('link-through-link', [one, { path: 'a/' }, link('b', 'a'), link('b/two.yaml', '../one.yaml')], {
		otherWordsBelow: '3.1.6',
		breaks: ['path-through-symlink'],
	}),
	entries('link-over-file', [one, { path: 'two.yaml', content: 'x' }, link('two.yaml', 'one.yaml')], {
		otherWordsBelow: '3.1.6',
		breaks: ['path-conflict'],
	}),
	entries('file-over-link', [
		one,
		link('two.yaml', 'one.yaml'),
		{ path: 'two.yaml', content: configMap('two') },
	]),
	entries('file-over-dangling-link', [
		one,
		link('a.yaml', 'b.yaml'),
		{ path: 'a.yaml', content: configMap('a') },
	]),
]

const dropped: readonly Case[] = [
	entries('files-and-links-only', [one, link('two', 'one.yaml')], { keeps: ['entry-dropped'] }),
	entries('hard-link', [one, { path: 'two.yaml', type: '1', link: 'one.yaml' }], {
		breaks: ['entry-dropped'],
	}),
	entries('hard-link-outside', [one, { path: 'two.yaml', type: '1', link: '/etc/passwd' }], {
		breaks: ['entry-dropped'],
	}),
	entries('fifo', [one, { path: 'pipe', type: '6' }], { breaks: ['entry-dropped'] }),
	entries('device', [one, { path: 'null', type: '3' }], { breaks: ['entry-dropped'] }),
	entries('block-device', [one, { path: 'disk', type: '4' }], { breaks: ['entry-dropped'] }),
]

/** A gzip whose first file fills the stream up to `end`, and another file follows. */
const fills = (end: number): Buffer => {
	const size = end - 2 * BLOCK
	const content = { path: 'one.yaml', content: configMap('one') }
	const before = tarWithoutEnd(content)
	return Buffer.concat([
		gzipSync(before),
		gzipSync(tarWithoutEnd({ path: 'zeros.bin', size: size + BLOCK - before.length })),
		zeros(size + BLOCK - before.length),
		gzipSync(tar({ path: 'two.yaml', content: configMap('two') })),
	])
}

const sizes: readonly Case[] = [
	compressed('over-a-gigabyte', fills(LIMIT + BLOCK), { heavy: true, breaks: ['extracted-size'] }),
	compressed('a-gigabyte-between-entries', fills(LIMIT), { heavy: true, breaks: ['extracted-size-silent'] }),
	compressed(
		'200001-entries',
		Buffer.concat([
			gzipSync(tarWithoutEnd(one)),
			...Array.from({ length: 200 }, () => THOUSAND),
			gzipSync(tar({ path: 'a/' })),
		]),
		{ heavy: true, breaks: ['entries-maximum'] },
	),
	of(
		'a-thousand-entries',
		{ layers: [gzipped(tar(one, ...Array.from({ length: 1000 }, (_, index) => ({ path: `d${index}/` }))))] },
		{ keeps: ['entries-maximum'] },
	),
]

export const layerCases: readonly Case[] = [...streams, ...names, ...links, ...dropped, ...sizes]
