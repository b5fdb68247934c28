/* csvdecode: comma-separated values (RFC 4180) with a line of names at their head.
 *
 * Empty lines are skipped, CR LF is LF (also in quotes), a quote belongs at the start of a field or
 * is doubled within quotes.
 */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/vec.h"

struct csv {
	struct func_call *call;
	struct str rest;
	size_t line;   /* of the line last read, from 1 */
	size_t record; /* the line where the record began */
	struct err *err;
	VEC(struct str) fields;
};

static int csv_error(struct csv *r, size_t line, const char *what)
{
	return err_set(r->err, ERR_INVALID, "mistake in the CSV text on line %zu: %s", line, what);
}

/* The next line, with its LF; empty at the end. */
static struct str next_line(struct csv *r)
{
	const char *lf = r->rest.n ? memchr(r->rest.p, '\n', r->rest.n) : NULL;
	struct str line = { r->rest.p, lf ? (size_t)(lf - r->rest.p) + 1 : r->rest.n };
	char *copy;

	if (!line.n)
		return line;
	r->line++;
	r->rest = str_slice(r->rest, line.n, r->rest.n);
	if (!lf && line.p[line.n - 1] == '\r') {
		line.n--;
	} else if (line.n > 1 && line.p[line.n - 2] == '\r') {
		copy = arena_strndup(r->call->arena, line.p, line.n - 1);
		copy[line.n - 2] = '\n';
		line = (struct str){ copy, line.n - 1 };
	}
	return line;
}

static struct str chomped(struct str line)
{
	if (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	return line;
}

static void add_field(struct csv *r, struct str s)
{
	vec_push(&r->fields, text_nfc(r->call->arena, s));
}

/* Reads a field in quotes; *line stands behind the first one. 1: a comma followed, 0: the record's
 * end. */
static int quoted_field(struct csv *r, struct str *line)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (;;) {
		const char *quote = line->n ? memchr(line->p, '"', line->n) : NULL;

		if (!quote) {
			size_t at = r->line;

			buf_add_str(&b, *line);
			if (line->n)
				*line = next_line(r);
			if (!line->n)
				return csv_error(r, at, "a quoted field has no closing quote");
			continue;
		}
		buf_add(&b, line->p, (size_t)(quote - line->p));
		*line = str_slice(*line, (size_t)(quote - line->p) + 1, line->n);
		if (line->n && line->p[0] == '"') {
			buf_addc(&b, '"');
			*line = str_slice(*line, 1, line->n);
			continue;
		}
		if (chomped(*line).n && line->p[0] != ',')
			return csv_error(r, r->line,
					 "a quote in a quoted field must be doubled (\"\")");
		add_field(r, arena_str(r->call->arena, buf_str(&b)));
		if (!chomped(*line).n)
			return 0;
		*line = str_slice(*line, 1, line->n);
		return 1;
	}
}

static int plain_field(struct csv *r, struct str *line)
{
	const char *comma = line->n ? memchr(line->p, ',', line->n) : NULL;
	struct str field = comma ? str_slice(*line, 0, (size_t)(comma - line->p)) : chomped(*line);

	if (field.n && memchr(field.p, '"', field.n))
		return csv_error(r, r->line,
				 "a quote (\") in a field that does not begin with one");
	add_field(r, field);
	if (comma)
		*line = str_slice(*line, field.n + 1, line->n);
	return comma != NULL;
}

/* 1 with the fields of the next record, 0 at the end, -1 with a mistake. */
static int next_record(struct csv *r)
{
	struct str line;
	int more = 1;

	r->fields.n = 0;
	do {
		line = next_line(r);
		if (!line.n && !r->rest.n)
			return 0;
	} while (str_eqs(line, "\n") || !line.n);
	r->record = r->line;
	while (more > 0) {
		if (line.n && line.p[0] == '"') {
			line = str_slice(line, 1, line.n);
			more = quoted_field(r, &line);
		} else {
			more = plain_field(r, &line);
		}
	}
	return more < 0 ? -1 : 1;
}

/* The type of a row; an error if a name stands twice. */
static const struct type *row_type(struct csv *r, const struct str *names, size_t n)
{
	struct value_attr *attrs = arena_new_array(r->call->arena, struct value_attr, n);
	struct value v;

	for (size_t i = 0; i < n; i++)
		attrs[i] = (struct value_attr){ .key = names[i],
						.value = value_string(STR(""), r->call->span) };
	v = value_object(r->call->arena, attrs, n, r->call->span);
	for (size_t i = 1; i < n; i++) {
		if (str_eq(v.attrs->v[i - 1].key, v.attrs->v[i].key)) {
			err_set(r->err, ERR_INVALID,
				"the column name \"" STR_FMT "\" stands twice in the first line",
				STR_ARG(v.attrs->v[i].key));
			return NULL;
		}
	}
	return type_of(r->call->arena, v);
}

static struct value make_row(struct csv *r, const struct str *names)
{
	struct arena *a = r->call->arena;
	struct value_attr *attrs = arena_new_array(a, struct value_attr, r->fields.n);

	for (size_t i = 0; i < r->fields.n; i++)
		attrs[i] =
			(struct value_attr){ .key = names[i],
					     .value = value_string(r->fields.v[i], r->call->span) };
	return value_object(a, attrs, r->fields.n, r->call->span);
}

static int read_table(struct csv *r, struct value *ret)
{
	VEC(struct value) rows = VEC_INIT;
	const struct type *type;
	struct str *names;
	size_t n;
	int rc = next_record(r);

	if (rc <= 0)
		return rc < 0 ? -1 :
				err_set(r->err, ERR_INVALID,
					"there is no first line with the names of columns");
	n = r->fields.n;
	names = arena_copy_array(r->call->arena, r->fields.v, n);
	type = row_type(r, names, n);
	while (type && (rc = next_record(r)) > 0) {
		if (r->fields.n != n) {
			rc = err_set(r->err, ERR_INVALID,
				     "mistake in the CSV text on line %zu: wrong number of fields, "
				     "%zu instead of %zu",
				     r->record, r->fields.n, n);
			break;
		}
		vec_push(&rows, make_row(r, names));
	}
	if (type && rc == 0)
		*ret = value_list(r->call->arena, type, rows.v, rows.n, r->call->span);
	vec_release(&rows);
	return type && rc == 0 ? 0 : -1;
}

static int fn_csvdecode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			struct value *ret, struct err *err)
{
	struct csv r = { .call = c, .rest = args[0].string, .err = err };
	int rc = read_table(&r, ret);

	vec_release(&r.fields);
	return rc;
}

static const struct func_param params[] = { { "str", &type_string } };
static const struct func_example examples[] = {
	{ "csvdecode(\"name,size\\nweb,10\\n\")", "[{\"name\":\"web\",\"size\":\"10\"}]" },
	{ "csvdecode(\"a\\n\\\"x, y\\\"\\n\")[0].a", "\"x, y\"" },
};
static const struct func rows[] = {
	{ "csvdecode", params, 1, .returns = &type_any, .call = fn_csvdecode,
	  .doc = "Reads comma-separated values: a list of objects, whose attributes have the "
		 "names that the first line gives, and are texts.",
	  FUNC_EXAMPLES(examples) },
};
const struct func_group func_group_csv = { "CSV", rows, ARRAY_LEN(rows) };
