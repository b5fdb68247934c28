/* Flags in Go's grammar: -f, --f, -f=v, -f v; booleans take no separate value; "--" and the first
 * word without a dash end them, but for commands that take them anywhere. */
#include "command/flags.h"

#include "base/str.h"
#include "base/vec.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct flag_value {
	const struct flag *row;
	bool given;
	bool boolean;
	int64_t number;
	VEC(char *) list; /* owned; the last entry is always NULL */
};

struct flags {
	struct flag_value *v;
	size_t n;
};

const struct flag *flags_row(const struct command *c, size_t i)
{
	if (i < c->nflags)
		return &c->flags[i];
	i -= c->nflags;
	return i < c->nmore_flags ? &c->more_flags[i] : NULL;
}

bool flags_shown(const struct command *c, size_t i)
{
	return !flags_row(c, i)->hidden && !(c->more_hidden && i >= c->nflags);
}

static struct flag_value *find(const struct flags *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (streq(f->v[i].row->name, name))
			return &f->v[i];
	return NULL;
}

static struct flag_value *get(const struct flags *f, const char *name)
{
	struct flag_value *v = find(f, name);
	assert(v && "no such row in the command's flags");
	return v;
}

static void list_add(struct flag_value *v, struct str s)
{
	v->list.v[v->list.n - 1] = xstrndup(s.p, s.n);
	vec_push(&v->list, NULL);
}

static void list_set(struct flag_value *v, struct str s)
{
	while (v->list.n > 1) {
		v->list.n--;
		free(v->list.v[v->list.n - 1]);
		v->list.v[v->list.n - 1] = NULL;
	}
	list_add(v, s);
}

static bool parse_bool(struct str s, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (str_eqs(s, yes[i]) || str_eqs(s, no[i])) {
			*ret = str_eqs(s, yes[i]);
			return true;
		}
	}
	return false;
}

/* As flags of Go: 0x, 0o (or 0) and 0b say the base. */
static bool parse_int(struct str s, int64_t *ret)
{
	auto_free char *text = xstrndup(s.p ? s.p : "", s.n);
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;
	int base;

	if (digits[0] != '0' || !digits[1])
		return parse_i64(s, ret);
	base = strchr("xX", digits[1]) ? 16 : strchr("bB", digits[1]) ? 2 : 8;
	digits += base != 8 || strchr("oO", digits[1]) ? 2 : 1;
	if (!*digits || strchr(" \t\n\v\f\r+-", *digits))
		return false;
	errno = 0;
	*ret = strtoll(digits, &end, base) * (*text == '-' ? -1 : 1);
	return !*end && errno == 0;
}

static bool is_choice(const struct flag *row, struct str s)
{
	for (const char *const *c = row->choices; *c; c++)
		if (str_eqs(s, *c))
			return true;
	return false;
}

static int bad_value(const struct flag *row, struct str s, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "invalid value \"" STR_FMT "\" for flag -%s: %s",
		       STR_ARG(s), row->name, why);
}

static int bad_choice(const struct flag *row, struct str s, struct err *err)
{
	AUTO(buf) struct buf why = BUF_INIT;

	buf_adds(&why, "expected one of [");
	for (const char *const *c = row->choices; *c; c++)
		buf_printf(&why, "%s\"%s\"", c == row->choices ? "" : " ", *c);
	buf_addc(&why, ']');
	return bad_value(row, s, buf_cstr(&why), err);
}

static int set(struct flag_value *v, struct str s, struct err *err)
{
	const struct flag *row = v->row;
	struct str field;

	switch (row->type) {
	case FLAG_BOOL:
		if (!parse_bool(s, &v->boolean))
			return err_set(err, ERR_INVALID,
				       "invalid boolean value \"" STR_FMT "\" for -%s: parse error",
				       STR_ARG(s), row->name);
		return 0;
	case FLAG_INT:
		return parse_int(s, &v->number) ? 0 : bad_value(row, s, "parse error", err);
	case FLAG_STRING:
		if (row->choices && !is_choice(row, s))
			return bad_choice(row, s, err);
		list_set(v, s);
		return 0;
	case FLAG_LIST:
		while (str_split(&s, ',', &field))
			list_add(v, field);
		return 0;
	case FLAG_PAIR:
		if (!s.n || !memchr(s.p, '=', s.n))
			return bad_value(row, s, "expected name=value", err);
		FALLTHROUGH;
	case FLAG_REPEAT:
		list_add(v, s);
		return 0;
	}
	return 0;
}

static struct flags *flags_new(const struct command *c)
{
	struct flags *f = xcalloc(1, sizeof(*f));

	while (flags_row(c, f->n))
		f->n++;
	f->v = xcalloc(f->n + 1, sizeof(*f->v));
	for (size_t i = 0; i < f->n; i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct flag_value *v = &f->v[i];

		v->row = flags_row(c, i);
		vec_push(&v->list, NULL);
		if (v->row->def && set(v, str_from(v->row->def), &err) < 0)
			assert(!"a flag's default does not parse");
	}
	return f;
}

/* One flag, whose text is argv[0]; *ret_used: how many words it took. */
static int parse_one(struct flags *f, char **argv, size_t *ret_used, struct err *err)
{
	const char *name = argv[0] + (argv[0][1] == '-' ? 2 : 1);
	const char *eq = strchr(name, '=');
	auto_free char *key = eq ? xstrndup(name, (size_t)(eq - name)) : xstrdup(name);
	struct flag_value *v;

	if (!*key || *key == '-')
		return err_set(err, ERR_INVALID, "bad flag syntax: %s", argv[0]);
	v = find(f, key);
	if (!v)
		return err_set(err, ERR_INVALID, "flag provided but not defined: -%s", key);
	v->given = true;
	*ret_used = 1;
	if (eq)
		return set(v, str_from(eq + 1), err);
	if (v->row->type == FLAG_BOOL) {
		v->boolean = true;
		return 0;
	}
	if (!argv[1])
		return err_set(err, ERR_INVALID, "flag needs an argument: -%s", key);
	*ret_used = 2;
	return set(v, str_from(argv[1]), err);
}

static bool is_flag(const char *word)
{
	return word[0] == '-' && word[1];
}

int flags_parse(const struct command *c, char **argv, struct flags **ret, char *const **ret_args,
		struct err *err)
{
	AUTO(flags) struct flags *f = flags_new(c);
	char **args = argv;
	size_t nargs = 0;

	while (*argv && (is_flag(*argv) || c->flags_anywhere)) {
		size_t used = 1;

		if (streq(*argv, "--")) {
			argv++;
			break;
		}
		if (!is_flag(*argv))
			args[nargs++] = *argv;
		else if (parse_one(f, argv, &used, err) < 0)
			return -1;
		argv += used;
	}
	while (*argv)
		args[nargs++] = *argv++;
	args[nargs] = NULL;
	*ret_args = args;
	*ret = steal(f);
	return 0;
}

void flags_free(struct flags *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = 0; k < f->v[i].list.n; k++)
			free(f->v[i].list.v[k]);
		vec_release(&f->v[i].list);
	}
	free(f->v);
	free(f);
}

bool flags_bool(const struct flags *f, const char *name)
{
	return get(f, name)->boolean;
}

const char *flags_string(const struct flags *f, const char *name)
{
	return get(f, name)->list.v[0];
}

int64_t flags_int(const struct flags *f, const char *name)
{
	return get(f, name)->number;
}

char *const *flags_list(const struct flags *f, const char *name)
{
	return get(f, name)->list.v;
}

bool flags_given(const struct flags *f, const char *name)
{
	return get(f, name)->given;
}
