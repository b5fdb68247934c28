/* BGZF over zlib's raw deflate, opened at first use. */
#include "postprocessor/bgzf.h"
#include "base/dl.h"
#include "base/os.h"

#include <errno.h>
#include <zlib.h>

#define BLOCK_INPUT 65280 /* what always fits into a member of 64 KiB */
#define HEADER_LEN 18

static struct {
	__typeof__(&deflateInit2_) init;
	__typeof__(&deflate) run;
	__typeof__(&deflateEnd) end;
	__typeof__(&crc32) crc;
} zlib;

static const struct dl_symbol symbols[] = {
	DL_SYMBOL(zlib, deflateInit2_, init),
	DL_SYMBOL(zlib, deflate, run),
	DL_SYMBOL(zlib, deflateEnd, end),
	DL_SYMBOL(zlib, crc32, crc),
};
static struct dl_library library = { "libz.so.1", "zlib1g", symbols, ARRAY_LEN(symbols), NULL };

int bgzf_open(struct bgzf *z, int fd, int level, struct err *err)
{
	*z = (struct bgzf){ .fd = fd, .level = level };
	return dl_open(&library, err);
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, size_t v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static int write_block(struct bgzf *z, struct err *err)
{
	/* id, deflate, flag "extra", no time, unknown system, 6 bytes of extra: 'B' 'C', length 2,
	 * block size - 1 */
	uint8_t out[65536] = { 0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C', 2, 0 };
	z_stream s = { .next_in = (Bytef *)z->block.p, .avail_in = (uInt)z->block.n,
		       .next_out = out + HEADER_LEN, .avail_out = sizeof(out) - HEADER_LEN - 8 };
	size_t n;

	if (zlib.init(&s, z->level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
		      sizeof(s)) != Z_OK)
		return err_set(err, ERR_UNSUPPORTED, "zlib refuses compression level %d", z->level);
	if (zlib.run(&s, Z_FINISH) != Z_STREAM_END)
		abort(); /* BLOCK_INPUT always fits */
	n = s.total_out;
	zlib.end(&s);
	put16(out + 16, HEADER_LEN + n + 8 - 1);
	put32(out + HEADER_LEN + n,
	      zlib.crc(0, (const Bytef *)buf_cstr(&z->block), (uInt)z->block.n));
	put32(out + HEADER_LEN + n + 4, z->block.n);
	buf_reset(&z->block);
	if (os_write_all(z->fd, out, HEADER_LEN + n + 8) < 0)
		return err_errno(err, errno, "writing the archive");
	return 0;
}

int bgzf_write(struct bgzf *z, const void *p, size_t n, struct err *err)
{
	const char *at = p;

	while (n) {
		size_t part = MIN(n, BLOCK_INPUT - z->block.n);

		buf_add(&z->block, at, part);
		at += part;
		n -= part;
		if (z->block.n == BLOCK_INPUT && write_block(z, err) < 0)
			return -1;
	}
	return 0;
}

int bgzf_close(struct bgzf *z, struct err *err)
{
	if (z->block.n && write_block(z, err) < 0)
		return -1;
	return write_block(z, err); /* the empty block that marks the end */
}

void bgzf_release(struct bgzf *z)
{
	buf_release(&z->block);
}
