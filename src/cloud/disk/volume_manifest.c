/* Manifests: which block is where in a snapshot. Text, so that a person can read what a snapshot
 * holds. */
#include "base/buf.h"
#include "base/os.h"
#include "cloud/disk/volume_store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_MAX ((size_t)1 << 30)
static const char head[] = "ingot snapshot 1 size ";

struct manifest *manifest_new(const char *id, uint64_t size)
{
	struct manifest *m = xcalloc(1, sizeof(*m));

	atomic_init(&m->refs, 1);
	m->id = xstrdup(id);
	m->size = size;
	return m;
}

struct manifest *manifest_ref(struct manifest *m)
{
	atomic_fetch_add(&m->refs, 1);
	return m;
}

void manifest_unref(struct manifest *m)
{
	if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
		return;
	if (m->parts) {
		AUTO(err) struct err err = ERR_INIT;

		os_remove_all(m->parts, &err); /* else the next open removes it */
		free(m->parts);
	}
	vec_release(&m->blocks);
	free(m->id);
	free(m);
}

const struct block *manifest_find(const struct manifest *m, uint32_t index)
{
	size_t from = 0, to = m->blocks.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (m->blocks.v[middle].index < index)
			from = middle + 1;
		else
			to = middle;
	}
	return from < m->blocks.n && m->blocks.v[from].index == index ? &m->blocks.v[from] : NULL;
}

bool manifest_complete(const struct manifest *m)
{
	for (size_t i = 0; i < m->blocks.n; i++)
		if (!m->blocks.v[i].stored)
			return false;
	return true;
}

int manifest_write(const struct volume_store *s, const struct manifest *m, struct err *err)
{
	auto_free char *path = store_path(s, "snapshots", m->id, NULL);
	AUTO(buf) struct buf b = BUF_INIT;

	buf_printf(&b, "%s%llu\n", head, (unsigned long long)m->size);
	for (size_t i = 0; i < m->blocks.n; i++) {
		buf_printf(&b, "%u ", m->blocks.v[i].index);
		if (m->blocks.v[i].stored)
			buf_add_hex(&b, m->blocks.v[i].digest, SHA256_LEN);
		else
			buf_addc(&b, '-');
		buf_addc(&b, '\n');
	}
	return os_write_file(path, b.p, b.n, 0600, err);
}

bool digest_parse(struct str hex, uint8_t ret[SHA256_LEN])
{
	if (hex.n != 2 * SHA256_LEN)
		return false;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		int high = hex_value(hex.p[2 * i]), low = hex_value(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool parse_block(struct str line, struct block *ret)
{
	struct str index, digest = line;
	uint64_t n;

	if (!str_split(&digest, ' ', &index) || !parse_u64(index, &n) || n > UINT32_MAX)
		return false;
	ret->index = (uint32_t)n;
	ret->stored = !str_eqs(digest, "-");
	return !ret->stored || digest_parse(digest, ret->digest);
}

int manifest_read(const struct volume_store *s, const char *id, struct manifest **ret,
		  struct err *err)
{
	auto_free char *path = store_path(s, "snapshots", id, NULL);
	AUTO(manifest) struct manifest *m = NULL;
	AUTO(buf) struct buf b = BUF_INIT;
	struct str rest, line;
	uint64_t size;

	if (os_read_file(path, MANIFEST_MAX, &b, err) < 0)
		return -1;
	rest = buf_str(&b);
	if (!str_split(&rest, '\n', &line) || !str_starts(line, head) ||
	    !parse_u64(str_slice(line, strlen(head), line.n), &size))
		return err_set(err, ERR_INVALID,
			       "%s is no snapshot of this version of the local cloud", path);
	m = manifest_new(id, size);
	while (str_split(&rest, '\n', &line) && line.n) {
		struct block block = { 0 };

		if (!parse_block(line, &block))
			return err_set(err, ERR_INVALID, "%s is damaged", path);
		vec_push(&m->blocks, block);
	}
	*ret = steal(m);
	return 0;
}

int manifest_open_block(const struct volume_store *s, const struct manifest *m,
			const struct block *b)
{
	auto_free char *path = b->stored ? block_path(s, b->digest)
					 : xasprintf("%s/parts/%s/%u", s->dir, m->id, b->index);

	return open(path, O_RDONLY | O_CLOEXEC);
}
