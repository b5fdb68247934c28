/* Walking, searching and checking option tables. */
#include "spec/internal.h"

#include "base/map.h"

void spec_each_at(const struct spec *spec, size_t base,
		  void (*fn)(void *data, const struct spec_row *row, size_t offset), void *data)
{
	for (size_t i = 0; i < spec->nrows; i++) {
		const struct spec_row *row = &spec->rows[i];

		if (row->type == SPEC_T_EMBED)
			spec_each_at(row->sub, base + row->offset, fn, data);
		else
			fn(data, row, base + row->offset);
	}
}

struct each {
	void (*fn)(void *data, const struct spec_row *row);
	void *data;
};

static void each_plain(void *data, const struct spec_row *row, size_t offset UNUSED)
{
	struct each *e = data;

	e->fn(e->data, row);
}

void spec_each(const struct spec *spec, void (*fn)(void *data, const struct spec_row *row),
	       void *data)
{
	struct each e = { fn, data };

	spec_each_at(spec, 0, each_plain, &e);
}

const struct spec_row *spec_find(const struct spec *spec, struct str name, size_t *ret_offset)
{
	for (size_t i = 0; i < spec->nrows; i++) {
		const struct spec_row *row = &spec->rows[i], *found = row;
		size_t inner = 0;

		if (row->type == SPEC_T_EMBED)
			found = spec_find(row->sub, name, &inner);
		else if (!str_ieqs(name, row->name))
			continue;
		if (!found)
			continue;
		if (ret_offset)
			*ret_offset = row->offset + inner;
		return found;
	}
	return NULL;
}

struct check {
	const struct spec *spec;
	struct buf *out;
	struct map names;
	int bugs;
};

static void bug(struct check *c, const struct spec_row *row, const char *what)
{
	buf_printf(c->out, "%s: option %s %s\n", c->spec->name, row->name, what);
	c->bugs++;
}

static void check_default(struct check *c, const struct spec_row *row)
{
	int64_t n;

	if (row->flags & SPEC_REQUIRED)
		bug(c, row, "is required and has a default");
	if (row->choices) {
		bool found = false;

		for (size_t i = 0; row->choices[i]; i++)
			found |= streq(row->choices[i], row->def);
		if (!found)
			bug(c, row, "has a default that is none of its choices");
	}
	if (row->type == SPEC_T_INT && row->min != row->max && parse_i64(str_from(row->def), &n) &&
	    (n < row->min || n > row->max))
		bug(c, row, "has a default out of its range");
	if (row->type == SPEC_T_BLOCK || row->type == SPEC_T_BLOCKS || row->type == SPEC_T_VALUE)
		bug(c, row, "is a block and has a default");
}

static void check_row(void *data, const struct spec_row *row)
{
	struct check *c = data;

	if (!row->name || !*row->name) {
		buf_printf(c->out, "%s: an option has no name\n", c->spec->name);
		c->bugs++;
		return;
	}
	if (map_sets(&c->names, row->name, c))
		bug(c, row, "is listed twice");
	if (!(row->flags & SPEC_HIDDEN) && (!row->doc || !*row->doc))
		bug(c, row, "has no doc text");
	if (row->def)
		check_default(c, row);
	if ((row->type == SPEC_T_BLOCK || row->type == SPEC_T_BLOCKS) && !row->sub)
		bug(c, row, "is a block without a table");
	if (row->flags & SPEC_DEPRECATED && !row->instead)
		bug(c, row, "is deprecated and names nothing instead");
	if (row->choices && row->type != SPEC_T_STR && row->type != SPEC_T_STRS)
		bug(c, row, "has choices and is no text");
	if (row->flags & SPEC_KEY_VALUE && row->type != SPEC_T_MAP)
		bug(c, row, "is of key/value blocks and no map");
	if (row->sub)
		c->bugs += spec_check(row->sub, c->out);
}

int spec_check(const struct spec *spec, struct buf *out)
{
	struct check c = { .spec = spec, .out = out };

	spec_each(spec, check_row, &c);
	map_release(&c.names);
	return c.bugs;
}

const char *str_map_get(const struct str_map *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (streq(m->v[i].key, key))
			return m->v[i].value;
	return NULL;
}

bool strs_has(const struct strs *s, const char *what)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->v[i], what))
			return true;
	return false;
}
