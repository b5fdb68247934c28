/* Hash map from byte strings to pointers; remembers the order of insertion. Keys are copied.
 *
 *	AUTO(map) struct map m = MAP_INIT;
 *	map_set(&m, STR("key"), value);
 *	for (size_t i = 0; i < map_len(&m); i++) use(map_key_at(&m, i), map_at(&m, i));
 */
#ifndef INGOT_BASE_MAP_H
#define INGOT_BASE_MAP_H

#include "base/base.h"
#include "base/str.h"

struct map_entry {
	struct str key;
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entries; /* in order */
	size_t n, cap;
	uint32_t *slots; /* index + 1, 0 is free */
	size_t nslots;
};

#define MAP_INIT { 0 }

void *map_get(const struct map *m, struct str key); /* NULL if absent */
bool map_has(const struct map *m, struct str key);
void *map_gets(const struct map *m, const char *key);
void *map_set(struct map *m, struct str key, void *value); /* the old value or NULL */
void *map_sets(struct map *m, const char *key, void *value);
void *map_remove(struct map *m, struct str key); /* order of the rest is kept; O(n) */
static inline size_t map_len(const struct map *m)
{
	return m->n;
}
static inline struct str map_key_at(const struct map *m, size_t i)
{
	return m->entries[i].key;
}
static inline void *map_at(const struct map *m, size_t i)
{
	return m->entries[i].value;
}
void map_release(struct map *m); /* values are the caller's */
DEFINE_AUTO(map, struct map, map_release);

#endif
