/* Insertion-ordered hash map: an array of entries and open-addressed slots that point into it. */
#include "base/map.h"

#include <string.h>

/* FNV-1a: short keys, no foreign attacker fills one map without a ceiling elsewhere. */
static uint64_t hash_bytes(struct str s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

static void rebuild(struct map *m, size_t nslots)
{
	free(m->slots);
	m->slots = xcalloc(nslots, sizeof(*m->slots));
	m->nslots = nslots;
	for (size_t i = 0; i < m->n; i++) {
		size_t at = m->entries[i].hash & (nslots - 1);

		while (m->slots[at])
			at = (at + 1) & (nslots - 1);
		m->slots[at] = (uint32_t)i + 1;
	}
}

static struct map_entry *find(const struct map *m, struct str key, uint64_t hash)
{
	if (!m->nslots)
		return NULL;
	for (size_t at = hash & (m->nslots - 1); m->slots[at]; at = (at + 1) & (m->nslots - 1)) {
		struct map_entry *e = &m->entries[m->slots[at] - 1];

		if (e->hash == hash && str_eq(e->key, key))
			return e;
	}
	return NULL;
}

void *map_get(const struct map *m, struct str key)
{
	struct map_entry *e = m->n ? find(m, key, hash_bytes(key)) : NULL;

	return e ? e->value : NULL;
}

bool map_has(const struct map *m, struct str key)
{
	return m->n && find(m, key, hash_bytes(key));
}

void *map_gets(const struct map *m, const char *key)
{
	return map_get(m, str_from(key));
}

void *map_set(struct map *m, struct str key, void *value)
{
	uint64_t hash = hash_bytes(key);
	struct map_entry *e = find(m, key, hash);

	if (e) {
		void *old = e->value;

		e->value = value;
		return old;
	}
	if (m->n == m->cap) {
		m->cap = MAX(m->cap * 2, (size_t)8);
		m->entries = xrealloc(m->entries, m->cap * sizeof(*m->entries));
	}
	m->entries[m->n++] = (struct map_entry){ { xstrndup(key.p, key.n), key.n }, value, hash };
	if (m->n * 4 > m->nslots * 3) {
		rebuild(m, MAX(m->nslots * 2, (size_t)16));
	} else {
		size_t at = hash & (m->nslots - 1);

		while (m->slots[at])
			at = (at + 1) & (m->nslots - 1);
		m->slots[at] = (uint32_t)m->n;
	}
	return NULL;
}

void *map_sets(struct map *m, const char *key, void *value)
{
	return map_set(m, str_from(key), value);
}

void *map_remove(struct map *m, struct str key)
{
	struct map_entry *e = m->n ? find(m, key, hash_bytes(key)) : NULL;
	void *old;

	if (!e)
		return NULL;
	old = e->value;
	free((char *)e->key.p);
	memmove(e, e + 1, (size_t)(m->entries + m->n - e - 1) * sizeof(*e));
	m->n--;
	rebuild(m, m->nslots);
	return old;
}

void map_release(struct map *m)
{
	for (size_t i = 0; i < m->n; i++)
		free((char *)m->entries[i].key.p);
	free(m->entries);
	free(m->slots);
	*m = (struct map)MAP_INIT;
}
