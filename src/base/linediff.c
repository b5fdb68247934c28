/* Lines become numbers (equal lines the same one), Myers' algorithm marks in both texts what
 * changed, and runs of marks become hunks. Of several smallest differences it finds the one that
 * diff prints: lines that are everywhere in the other text, such as empty ones and braces, match
 * only where they stand among others that do, and changes are pushed down as far as they go.
 * (E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986, with its linear-space
 * refinement.) */
#include "base/linediff.h"

#include "base/map.h"
#include "base/vec.h"

#include <limits.h>

enum {
	CONTEXT = 3, /* also of what both texts begin and end with, this much is looked at */
	COST_MAX = 4096, /* steps of one search, then what it has is taken */
};

struct side {
	VEC(struct str) lines; /* with their line ends */
	int from, to;	       /* what is looked at: the rest is the same on both sides */
	int *ids;
	bool *changed; /* one more on either end, always false: changed[-1] and changed[n] */
	bool *changed_mem;
	int *kept; /* lines that the other side has too: what is searched */
	int *kept_ids;
	int nkept;
};

struct search {
	struct side *x, *y;
	int *forward, *backward; /* by diagonal x - y: how far the best path came */
};

static void split_lines(struct side *s, struct str text)
{
	while (text.n) {
		const char *nl = memchr(text.p, '\n', text.n);
		size_t n = nl ? (size_t)(nl - text.p) + 1 : text.n;

		vec_push(&s->lines, str_slice(text, 0, n));
		text = str_slice(text, n, text.n);
	}
	s->ids = xcalloc(s->lines.n + 1, sizeof(*s->ids));
	s->changed_mem = xcalloc(s->lines.n + 2, sizeof(*s->changed_mem));
	s->changed = s->changed_mem + 1;
	s->kept = xcalloc(s->lines.n + 1, sizeof(*s->kept));
	s->kept_ids = xcalloc(s->lines.n + 1, sizeof(*s->kept_ids));
}

static void side_release(struct side *s)
{
	vec_release(&s->lines);
	free(s->ids);
	free(s->changed_mem);
	free(s->kept);
	free(s->kept_ids);
}
DEFINE_AUTO(side, struct side, side_release);

/* Ids count from 1 on; the map holds them as pointers. */
static void number_lines(struct side *s, struct map *known)
{
	for (size_t i = 0; i < s->lines.n; i++) {
		intptr_t id = (intptr_t)map_get(known, s->lines.v[i]);

		if (!id) {
			id = (intptr_t)map_len(known) + 1;
			map_set(known, s->lines.v[i], (void *)id);
		}
		s->ids[i] = (int)id;
	}
}

static void find_window(struct side *x, struct side *y)
{
	int nx = (int)x->lines.n, ny = (int)y->lines.n, head = 0, tail = 0;

	while (head < MIN(nx, ny) && x->ids[head] == y->ids[head])
		head++;
	head = MAX(head - CONTEXT, 0);
	while (tail < MIN(nx, ny) - head && x->ids[nx - 1 - tail] == y->ids[ny - 1 - tail])
		tail++;
	tail = MAX(tail - CONTEXT, 0);
	x->from = y->from = head;
	x->to = nx - tail;
	y->to = ny - tail;
}

/* What becomes of a line before the search, which need not see changed ones. The numbers here are
 * those of GNU diff, whose choice this is. */
enum fate {
	KEPT,
	CHANGED,  /* the other side has it not */
	DOUBTFUL, /* the other side has it so often that a match tells little */
};

/* At an end of a run doubtful lines are kept, up to three changed ones in a row. */
static void keep_at_end(enum fate *end, int n, int step)
{
	for (int i = 0, changed = 0; i < n && changed < 3; i++, end += step) {
		if (i >= 8 && *end == CHANGED)
			return;
		changed = *end == CHANGED ? changed + 1 : 0;
		if (*end == DOUBTFUL)
			*end = KEPT;
	}
}

/* A run without kept lines, changed at either end: its doubtful lines stay out, unless they are
 * more than a quarter of it or many in a row. */
static void settle_run(enum fate *run, int n, int doubtful)
{
	int most = 1;

	for (int quarter = n >> 4; quarter > 0; quarter >>= 2)
		most <<= 1;
	for (int i = 0, end; i < n; i = end + 1) {
		for (end = i; end < n && run[end] == DOUBTFUL; end++)
			;
		for (int k = i; k < end && (doubtful * 4 > n || end - i > most); k++)
			run[k] = KEPT;
	}
	keep_at_end(run, n, 1);
	keep_at_end(run + n - 1, n, -1);
}

static void settle_doubts(enum fate *fates, int n)
{
	for (int i = 0; i < n; i++) {
		int end = i, doubtful = 0;

		if (fates[i] == DOUBTFUL)
			fates[i] = KEPT;
		if (fates[i] == KEPT)
			continue;
		for (; end < n && fates[end] != KEPT; end++)
			doubtful += fates[end] == DOUBTFUL;
		for (; fates[end - 1] == DOUBTFUL; doubtful--)
			fates[--end] = KEPT;
		settle_run(fates + i, end - i, doubtful);
		i = end - 1;
	}
}

static void keep_common(struct side *s, const struct side *other, size_t nids)
{
	auto_free int *count = xcalloc(nids + 1, sizeof(*count));
	auto_free enum fate *fates = xcalloc(s->lines.n + 1, sizeof(*fates));
	int often = 5;

	for (int n = (s->to - s->from) / 64; (n >>= 2) > 0;)
		often *= 2;
	for (int i = other->from; i < other->to; i++)
		count[other->ids[i]]++;
	for (int i = s->from; i < s->to; i++) {
		int n = count[s->ids[i]];

		fates[i] = !n ? CHANGED : n > often ? DOUBTFUL : KEPT;
	}
	settle_doubts(fates + s->from, s->to - s->from);
	for (int i = s->from; i < s->to; i++) {
		s->changed[i] = fates[i] != KEPT;
		if (s->changed[i])
			continue;
		s->kept_ids[s->nkept] = s->ids[i];
		s->kept[s->nkept++] = i;
	}
}

/* A part of both texts: kept lines [x0, x1) and [y0, y1). */
struct part {
	int x0, x1, y0, y1;
};

/* Diagonals in reach, every second one of which is looked at in a step. */
struct reach {
	int low, high;
};

static void widen(struct reach *r, struct reach limit, int *best, int never)
{
	if (r->low > limit.low)
		best[--r->low - 1] = never;
	else
		r->low++;
	if (r->high < limit.high)
		best[++r->high + 1] = never;
	else
		r->high--;
}

static bool step_forward(struct search *s, const struct part *p, struct reach r,
			 const struct reach *met, int *ret_x, int *ret_y)
{
	int *best = s->forward;

	for (int d = r.high; d >= r.low; d -= 2) {
		int x = MAX(best[d - 1] + 1, best[d + 1]), y = x - d;

		while (x < p->x1 && y < p->y1 && s->x->kept_ids[x] == s->y->kept_ids[y])
			x++, y++;
		best[d] = x;
		if (met && met->low <= d && d <= met->high && s->backward[d] <= x) {
			*ret_x = x;
			*ret_y = y;
			return true;
		}
	}
	return false;
}

static bool step_backward(struct search *s, const struct part *p, struct reach r,
			  const struct reach *met, int *ret_x, int *ret_y)
{
	int *best = s->backward;

	for (int d = r.high; d >= r.low; d -= 2) {
		int x = MIN(best[d - 1], best[d + 1] - 1), y = x - d;

		while (x > p->x0 && y > p->y0 && s->x->kept_ids[x - 1] == s->y->kept_ids[y - 1])
			x--, y--;
		best[d] = x;
		if (met && met->low <= d && d <= met->high && x <= s->forward[d]) {
			*ret_x = x;
			*ret_y = y;
			return true;
		}
	}
	return false;
}

/* Enough is enough: the point that the forward search came furthest to. */
static void furthest(const struct search *s, const struct part *p, struct reach r, int *ret_x,
		     int *ret_y)
{
	int most = -1;

	for (int d = r.high; d >= r.low; d -= 2) {
		int x = MIN(s->forward[d], p->x1), y = x - d;

		if (y > p->y1) {
			x = p->y1 + d;
			y = p->y1;
		}
		if (x + y > most) {
			most = x + y;
			*ret_x = x;
			*ret_y = y;
		}
	}
}

/* A point on a shortest path through the part: searches from both ends until they meet. */
static void find_middle(struct search *s, const struct part *p, int *ret_x, int *ret_y)
{
	int first = p->x0 - p->y0, last = p->x1 - p->y1;
	struct reach limit = { p->x0 - p->y1, p->x1 - p->y0 };
	struct reach f = { first, first }, b = { last, last };
	bool odd = (first - last) & 1;

	s->forward[first] = p->x0;
	s->backward[last] = p->x1;
	for (int cost = 1;; cost++) {
		widen(&f, limit, s->forward, -1);
		if (step_forward(s, p, f, odd ? &b : NULL, ret_x, ret_y))
			return;
		widen(&b, limit, s->backward, INT_MAX);
		if (step_backward(s, p, b, odd ? NULL : &f, ret_x, ret_y))
			return;
		if (cost >= COST_MAX) {
			furthest(s, p, f, ret_x, ret_y);
			return;
		}
	}
}

/* Each search halves the work left, so that the depth stays small; the parts after the middle take
 * turns in the loop. */
static void mark_changes(struct search *s, struct part p)
{
	for (;;) {
		int x = p.x0, y = p.y0;

		while (p.x0 < p.x1 && p.y0 < p.y1 && s->x->kept_ids[p.x0] == s->y->kept_ids[p.y0])
			p.x0++, p.y0++;
		while (p.x0 < p.x1 && p.y0 < p.y1 &&
		       s->x->kept_ids[p.x1 - 1] == s->y->kept_ids[p.y1 - 1])
			p.x1--, p.y1--;
		if (p.x0 == p.x1 || p.y0 == p.y1)
			break;
		find_middle(s, &p, &x, &y);
		mark_changes(s, (struct part){ p.x0, x, p.y0, y });
		p.x0 = x;
		p.y0 = y;
	}
	for (int i = p.x0; i < p.x1; i++)
		s->x->changed[s->x->kept[i]] = true;
	for (int i = p.y0; i < p.y1; i++)
		s->y->changed[s->y->kept[i]] = true;
}

static void find_changes(struct side *x, struct side *y)
{
	size_t diagonals = (size_t)x->nkept + (size_t)y->nkept + 3;
	auto_free int *forward = xcalloc(diagonals, sizeof(*forward));
	auto_free int *backward = xcalloc(diagonals, sizeof(*backward));
	struct search s = { x, y, forward + y->nkept + 1, backward + y->nkept + 1 };

	mark_changes(&s, (struct part){ 0, x->nkept, 0, y->nkept });
}

/* Changed lines without an unchanged one between; `gap`: how many unchanged lines stand before
 * them. Both sides have the same number of unchanged lines, so that a gap is the same place on
 * either side. */
struct run {
	int start, end, gap;
};

/* One line up, if the line before the run is the same as its last; a run that stands there becomes
 * part of it. */
static bool run_up(struct side *s, struct run *r)
{
	if (r->start == s->from || s->ids[r->start - 1] != s->ids[r->end - 1])
		return false;
	s->changed[--r->start] = true;
	s->changed[--r->end] = false;
	r->gap--;
	while (s->changed[r->start - 1])
		r->start--;
	return true;
}

static bool run_down(struct side *s, struct run *r)
{
	if (r->end == s->to || s->ids[r->start] != s->ids[r->end])
		return false;
	s->changed[r->start++] = false;
	s->changed[r->end++] = true;
	r->gap++;
	while (s->changed[r->end])
		r->end++;
	return true;
}

/* As far down as it goes, but beside a change of the other side if it passes one. */
static void settle(struct side *s, struct run *r, const bool *other_gaps)
{
	int length = 0, beside = -1;

	do {
		length = r->end - r->start;
		while (run_up(s, r))
			;
		beside = other_gaps[r->gap] ? r->gap : -1;
		while (run_down(s, r))
			beside = other_gaps[r->gap] ? r->gap : beside;
	} while (length != r->end - r->start);
	while (beside >= 0 && r->gap > beside && run_up(s, r))
		;
}

static void push_down(struct side *s, const struct side *other)
{
	auto_free bool *gaps = xcalloc(other->lines.n + 1, sizeof(*gaps));
	int gap = 0;

	for (size_t i = 0; i < other->lines.n; i++) {
		if (other->changed[i])
			gaps[gap] = true;
		else
			gap++;
	}
	gap = 0;
	for (int i = 0; i < (int)s->lines.n; i++) {
		struct run r = { i, i, gap };

		if (!s->changed[i]) {
			gap++;
			continue;
		}
		while (s->changed[r.end])
			r.end++;
		settle(s, &r, gaps);
		i = r.end - 1;
		gap = r.gap;
	}
}

static void write_line(struct buf *out, char mark, struct str line)
{
	buf_addc(out, mark);
	buf_add_str(out, line);
	if (!line.n || line.p[line.n - 1] != '\n')
		buf_adds(out, "\n\\ No newline at end of file\n");
}

static void write_range(struct buf *out, char mark, int from, int to)
{
	if (to - from == 1)
		buf_printf(out, "%c%d", mark, from + 1);
	else
		buf_printf(out, "%c%d,%d", mark, to > from ? from + 1 : from, to - from);
}

static void write_hunk(const struct side *x, const struct side *y, struct part p, struct buf *out)
{
	buf_adds(out, "@@ ");
	write_range(out, '-', p.x0, p.x1);
	buf_addc(out, ' ');
	write_range(out, '+', p.y0, p.y1);
	buf_adds(out, " @@\n");
	while (p.x0 < p.x1 || p.y0 < p.y1) {
		if (p.x0 < p.x1 && x->changed[p.x0]) {
			write_line(out, '-', x->lines.v[p.x0++]);
		} else if (p.y0 < p.y1 && y->changed[p.y0]) {
			write_line(out, '+', y->lines.v[p.y0++]);
		} else {
			write_line(out, ' ', x->lines.v[p.x0++]);
			p.y0++;
		}
	}
}

static void skip_changes(const struct side *x, const struct side *y, int *i, int *k)
{
	while (x->changed[*i])
		++*i;
	while (y->changed[*k])
		++*k;
}

static void write_hunks(const struct side *x, const struct side *y, struct buf *out)
{
	int nx = (int)x->lines.n, ny = (int)y->lines.n, i = 0, k = 0;

	while (i < nx || k < ny) {
		struct part p;
		int same = 0;

		if (!x->changed[i] && !y->changed[k]) {
			i++, k++;
			continue;
		}
		p.x0 = i - MIN(i, CONTEXT);
		p.y0 = k - (i - p.x0);
		while (same <= 2 * CONTEXT && (i < nx || k < ny)) {
			if (x->changed[i] || y->changed[k]) {
				skip_changes(x, y, &i, &k);
				same = 0;
			} else {
				i++, k++, same++;
			}
		}
		p.x1 = i - MAX(same - CONTEXT, 0);
		p.y1 = k - MAX(same - CONTEXT, 0);
		write_hunk(x, y, p, out);
	}
}

void linediff_unified(struct str from, struct str to, const char *from_label, const char *to_label,
		      struct buf *out)
{
	AUTO(side) struct side x = { 0 }, y = { 0 };
	AUTO(map) struct map known = MAP_INIT;

	if (str_eq(from, to))
		return;
	split_lines(&x, from);
	split_lines(&y, to);
	number_lines(&x, &known);
	number_lines(&y, &known);
	find_window(&x, &y);
	keep_common(&x, &y, map_len(&known));
	keep_common(&y, &x, map_len(&known));
	find_changes(&x, &y);
	push_down(&x, &y);
	push_down(&y, &x);
	buf_printf(out, "--- %s\n+++ %s\n", from_label, to_label);
	write_hunks(&x, &y, out);
}
