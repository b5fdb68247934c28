/* Locals and data sources, in the order they need each other.
 *
 * Each is a node of a graph. All evaluation is done here, on one thread; the work of a data source
 * (its run) is done by a thread of its own with an arena of its own, so that those which do not
 * need each other run side by side. Values go into the objects that expressions see (roots.c)
 * as they become known. */
#include "template/hcl/hcl.h"

#include <pthread.h>

#define RUNNING_MAX 16 /* data sources at a time */
#define RING_SHOWN 20  /* members of a ring that are named */

/* A local (local set) or a data source. */
struct node {
	struct hcl_local *local;
	struct hcl_data *data;
	bool whole;    /* it uses `local` as a whole */
	size_t *needs; /* indices of nodes */
	size_t nneeds;
	size_t waiting; /* how many of them are not done */
	size_t *needed_by;
	size_t nneeded_by;
	bool done;
	bool bad; /* it failed, or something that it needs */
};

/* The run of one data source. */
struct job {
	struct graph *g;
	size_t node;
	void *config;
	struct arena *arena;
	struct value value;
	struct err err;
	bool failed;
	pthread_t thread;
	struct job *next; /* among the finished */
};

struct graph {
	struct hcl_template *t;
	struct node *v;
	size_t n, left;
	size_t *ready; /* a ring of n indices */
	size_t ready_from, nready;
	bool run_data;
	bool broken; /* something is needed that is not there, or in a ring */
	struct diags missing; /* what is needed and not there */
	const struct run_local *local; /* the rehearsal's, once a data source needs it */
	size_t running, max_running;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct job *finished; /* under the lock */
	struct node *now;     /* whose references are being collected */
};

/* As expressions and diagnostics call it. */
static const char *title(struct graph *g, const struct node *n)
{
	return n->local ? arena_printf(g->t->arena, "local.%s", n->local->name)
			: arena_printf(g->t->arena, "data.%s.%s", n->data->type, n->data->name);
}

static void need(struct graph *g, size_t index)
{
	struct node *n = g->now;

	for (size_t i = 0; i < n->nneeds; i++)
		if (n->needs[i] == index)
			return;
	HCL_PUSH(g->t->arena, n->needs, n->nneeds, index);
}

static void need_data(struct graph *g, struct str type)
{
	for (size_t i = 0; i < g->t->ndatas; i++)
		if (!type.p || str_eqs(type, g->t->datas[i].type))
			need(g, g->t->nlocals + i);
}

/* Evaluation says so, too, but not in try(); and the order of evaluation is found out before it, as
 * in the reference, where nothing catches a mistake. */
static void miss(struct graph *g, const struct hcl_expr *ref, const char *what, const char *name)
{
	struct diag *error = diag_error(&g->missing, ref->span, "There is no %s \"%s\"", what,
					name);

	error->subject = title(g, g->now);
	diag_detail(&g->missing, error, "try() and can() cannot ask whether it is there.");
	g->broken = true;
}

/* `local` as a whole needs all the others. */
static void collect_reference(void *data, const struct hcl_expr *ref)
{
	struct graph *g = data;
	struct hcl_template *t = g->t;
	struct str names[3] = { 0 };
	size_t n = hcl_traversal_names(ref, names, 3);
	const char *name;
	ptrdiff_t at;

	if (n == 1 && str_eqs(names[0], "local")) {
		g->now->whole = true;
		for (size_t i = 0; i < t->nlocals; i++)
			if (&t->locals[i] != g->now->local)
				need(g, i);
	} else if (n && str_eqs(names[0], "local")) {
		name = arena_strndup(t->arena, names[1].p, names[1].n);
		at = hcl_find(t, "local", name);
		if (at >= 0)
			need(g, (size_t)at);
		else
			miss(g, ref, "local", name);
	} else if (n && str_eqs(names[0], "data")) {
		if (n < 3) {
			need_data(g, names[1]);
			return;
		}
		name = arena_printf(t->arena, STR_FMT "." STR_FMT, STR_ARG(names[1]),
				    STR_ARG(names[2]));
		at = hcl_find(t, "data", name);
		if (at >= 0)
			need(g, t->nlocals + (size_t)at);
		else
			miss(g, ref, "data source", name);
	}
}

static void collect_body(struct graph *g, const struct hcl_body *body)
{
	struct diags scratch;
	struct hcl_content c;

	if (body->is_json) {
		diags_init(&scratch, g->t->arena);
		hcl_attributes(g->t->arena, body, &scratch, &c);
		for (size_t i = 0; i < c.nattrs; i++)
			hcl_each_reference(c.attrs[i].expr, collect_reference, g);
		return;
	}
	for (size_t i = 0; i < body->nattrs; i++)
		hcl_each_reference(body->attrs[i].expr, collect_reference, g);
	for (size_t i = 0; i < body->nblocks; i++)
		collect_body(g, body->blocks[i].body);
}

static void make_ready(struct graph *g, size_t index)
{
	g->ready[(g->ready_from + g->nready++) % g->n] = index;
}

static void connect(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct node *n = &g->v[i];

		g->now = n;
		if (n->local)
			hcl_each_reference(n->local->expr, collect_reference, g);
		else
			collect_body(g, n->data->block->body);
		n->waiting = n->nneeds;
		for (size_t j = 0; j < n->nneeds; j++) {
			struct node *other = &g->v[n->needs[j]];

			HCL_PUSH(g->t->arena, other->needed_by, other->nneeded_by, i);
		}
	}
	for (size_t i = 0; i < g->n; i++)
		if (!g->v[i].waiting)
			make_ready(g, i);
}

static void settle(struct graph *g, struct node *n, struct value v)
{
	*(n->local ? &n->local->value : &n->data->value) = v;
	*(n->local ? n->local->slot : n->data->slot) = v;
	n->done = true;
	g->left--;
	if (n->local)
		n->local->bad = n->bad;
	for (size_t i = 0; i < n->nneeded_by; i++) {
		struct node *other = &g->v[n->needed_by[i]];

		other->bad |= n->bad;
		if (--other->waiting == 0 && !other->done)
			make_ready(g, n->needed_by[i]);
	}
}

/* `local` without the local itself, whose value would hold itself once it is filled in. */
static struct value other_locals(struct hcl_template *t, const struct hcl_local *local)
{
	struct value_attr *v = arena_new_array(t->arena, struct value_attr, t->nlocals);
	size_t n = 0;

	for (size_t i = 0; i < t->nlocals; i++)
		if (&t->locals[i] != local)
			v[n++] = (struct value_attr){ str_from(t->locals[i].name),
						      t->locals[i].span, *t->locals[i].slot };
	return value_object(t->arena, v, n, (struct span){ 0 });
}

static void evaluate_local(struct graph *g, struct node *n)
{
	struct hcl_template *t = g->t;
	struct value_attr others = { .key = STR("local") };
	struct eval_scope more = { .v = &others, .n = 1 };
	struct eval e;
	struct value v;

	if (n->whole)
		others.value = other_locals(t, n->local);
	e = hcl_eval(t, n->whole ? &more : NULL, t->arena, t->diags);
	e.subject = title(g, n);
	if (eval_expr(&e, n->local->expr, &v) < 0) {
		v = value_unknown(n->local->span);
		n->bad = true;
	}
	if (n->local->sensitive) {
		hcl_keep_secret(t, v);
		v = value_mark(v, true);
	}
	settle(g, n, v);
}

static int compare_type_attrs(const void *a, const void *b)
{
	return str_cmp(((const struct type_attr *)a)->name, ((const struct type_attr *)b)->name);
}

/* What is known of a data source that is not asked: the names of its attributes. */
static struct value unasked(struct graph *g, const struct hcl_data *d)
{
	const char *const *names = d->ops ? d->ops->outputs : NULL;
	struct type_attr *attrs;
	struct type *type;
	size_t n = 0;

	while (names && names[n])
		n++;
	if (!n)
		return value_unknown(d->block->span);
	attrs = arena_new_array(g->t->arena, struct type_attr, n);
	for (size_t i = 0; i < n; i++)
		attrs[i] = (struct type_attr){ .name = str_from(names[i]), .type = &type_any };
	qsort(attrs, n, sizeof(*attrs), compare_type_attrs);
	type = arena_new_obj(g->t->arena, struct type);
	*type = (struct type){ .kind = TYPE_OBJECT, .attrs = attrs, .n = n };
	return value_unknown_of(type, d->block->span);
}

static void unknown_type(struct graph *g, const struct hcl_data *d, struct diags *diags)
{
	const struct datasource *const *all = g->t->args->registry->datasources;
	const struct required_plugin *plugin = hcl_plugin_of(g->t, d->type);
	const char **names = NULL;
	const char *near;
	struct diag *e;
	size_t n = 0;

	for (size_t i = 0; all && all[i]; i++)
		HCL_PUSH(g->t->arena, names, n, all[i]->type);
	near = str_nearest(d->type, names, n);
	e = diag_error(diags, d->block->labels[0].span, "There is no data source \"%s\"", d->type);
	if (plugin)
		diag_detail(diags, e, "It would be of the plugin %s, which is no part of ingot.",
			    plugin->source);
	else if (near)
		diag_detail(diags, e, "Did you mean \"%s\"?", near);
	else
		diag_detail(diags, e, "ingot has no such data source.");
}

/* The options, decoded and prepared; false if they are wrong. ret_unknown: some are not known
 * yet. */
static bool prepare_data(struct graph *g, struct hcl_data *d, struct diags *diags, void **ret,
			 bool *ret_unknown)
{
	struct hcl_template *t = g->t;
	struct eval e = hcl_eval(t, NULL, t->arena, diags);
	struct spec_input in = {
		.arena = t->arena, .diags = diags, .on_secret = hcl_keep_secret_text, .data = t
	};
	struct prepare p = { .arena = t->arena,
			     .diags = diags,
			     .component = d->type,
			     .local = g->local,
			     .cancel = t->args->cancel };
	void *config = arena_alloc(t->arena, d->ops->spec->size);

	if (hcl_component_body(&e, d->block->body, d->ops->spec, NULL, &p.body) < 0 ||
	    spec_decode(d->ops->spec, p.body, &in, config) < 0)
		return false;
	if (d->ops->prepare)
		d->ops->prepare(&p, config);
	*ret = config;
	*ret_unknown = value_has_unknown(p.body);
	return diags->errors == 0;
}

/* The local cloud is there before the first question. False: it cannot be had, as is reported. */
static bool rehearse(struct graph *g, const struct hcl_data *d)
{
	const struct template_args *args = g->t->args;
	AUTO(err) struct err err = ERR_INIT;

	if (args->rehearse(args->rehearse_data, &g->local, &err) == 0)
		return true;
	diag_error(g->t->diags, d->block->span, "%s", err.msg);
	return false;
}

/* Attributes that are secrets are hidden in all output, and may be used like any other. */
static struct value take_secrets(struct hcl_template *t, struct value v)
{
	struct value_attr *attrs = arena_new_array(t->arena, struct value_attr, v.attrs->n);

	for (size_t i = 0; i < v.attrs->n; i++) {
		attrs[i] = v.attrs->v[i];
		if (attrs[i].value.sensitive)
			hcl_keep_secret_text(t, arena_strndup(t->arena, attrs[i].value.string.p,
							      attrs[i].value.string.n));
		attrs[i].value.sensitive = false;
	}
	return value_attrs_make(t->arena, v.kind, attrs, v.attrs->n, v.span);
}

static void *work(void *data)
{
	struct job *job = data;
	struct graph *g = job->g;

	job->failed =
	    g->v[job->node].data->ops->run(job->arena, job->config, &job->value, &job->err) < 0;
	pthread_mutex_lock(&g->lock);
	job->next = g->finished;
	g->finished = job;
	pthread_cond_signal(&g->ended);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void free_arena(void *arena)
{
	arena_free(arena);
}

static void start(struct graph *g, struct node *n, void *config)
{
	struct job *job = arena_new_obj(g->t->arena, struct job);

	*job = (struct job){
		.g = g, .node = (size_t)(n - g->v), .config = config, .arena = arena_new()
	};
	arena_on_free(g->t->arena, free_arena, job->arena); /* the value stays in it */
	g->running++;
	if (pthread_create(&job->thread, NULL, work, job) != 0) {
		job->thread = pthread_self(); /* no thread to be had: do it here */
		work(job);
	}
}

static void finish(struct graph *g, struct job *job)
{
	struct node *n = &g->v[job->node];
	struct value v = value_unknown(n->data->block->span);

	if (!pthread_equal(job->thread, pthread_self()))
		pthread_join(job->thread, NULL);
	g->running--;
	n->bad |= job->failed;
	if (job->failed) {
		struct diag *error = diag_error(g->t->diags, n->data->block->span,
						"The data source gave no value");

		error->subject = title(g, n);
		diag_detail(g->t->diags, error, "%s", job->err.msg);
	} else {
		v = take_secrets(g->t, job->value);
	}
	err_release(&job->err);
	settle(g, n, v);
}

/* Waits for one at least. */
static void take_finished(struct graph *g)
{
	struct job *list;

	pthread_mutex_lock(&g->lock);
	while (!g->finished)
		pthread_cond_wait(&g->ended, &g->lock);
	list = g->finished;
	g->finished = NULL;
	pthread_mutex_unlock(&g->lock);
	while (list) {
		struct job *job = list;

		list = job->next;
		finish(g, job);
	}
}

static void evaluate_data(struct graph *g, struct node *n)
{
	struct hcl_template *t = g->t;
	struct hcl_data *d = n->data;
	bool good = false, unknown = true;
	void *config = NULL;
	struct diags diags;

	diags_init(&diags, t->arena);
	d->ops = registry_datasource(t->args->registry, d->type);
	if (!d->ops)
		unknown_type(g, d, &diags);
	else
		good = prepare_data(g, d, &diags, &config, &unknown);
	if (good && !unknown && g->run_data && t->args->rehearse && !g->local && !t->diags->errors)
		good = rehearse(g, d) && prepare_data(g, d, &diags, &config, &unknown);
	diags_add(t->diags, &diags,
		  n->data ? arena_printf(t->arena, "%s (%s)", title(g, n),
					 hcl_place(t->arena, n->data->block->span))
			  : title(g, n));
	n->bad |= !good;
	if (!good || unknown || !g->run_data || t->diags->errors) {
		settle(g, n, unasked(g, d));
		return;
	}
	while (g->running >= g->max_running)
		take_finished(g);
	start(g, n, config);
}

/* Nothing is ready and nothing runs: those left need each other. Names one ring and leaves it
 * unknown. */
static void break_ring(struct graph *g)
{
	AUTO(buf) struct buf path = BUF_INIT;
	size_t *seen = arena_new_array(g->t->arena, size_t, g->n); /* 1 + the place on the way */
	size_t *way = arena_new_array(g->t->arena, size_t, g->n + 1);
	size_t n = 0, at = 0, first;
	struct diag *e;

	while (g->v[at].done)
		at++;
	while (!seen[at]) {
		const struct node *v = &g->v[at];
		size_t i = 0;

		way[n++] = at;
		seen[at] = n;
		while (g->v[v->needs[i]].done)
			i++;
		at = v->needs[i];
	}
	first = seen[at] - 1;
	for (size_t i = first; i < n; i++)
		if (i - first == RING_SHOWN)
			buf_printf(&path, "%zu more → ", n - i);
		else if (i - first < RING_SHOWN)
			buf_printf(&path, "%s → ", title(g, &g->v[way[i]]));
	buf_adds(&path, title(g, &g->v[at]));
	e = diag_error(g->t->diags,
		       g->v[at].local ? g->v[at].local->span : g->v[at].data->block->span,
		       "%s needs its own value",
		       title(g, &g->v[at]));
	e->subject = title(g, &g->v[at]);
	diag_detail(g->t->diags, e, n - first == 1 ? "%s: refer to something else."
						   : "%s: break this ring at one of its places.",
		    buf_cstr(&path));
	g->broken = true;
	for (size_t i = first; i < n; i++)
		g->v[way[i]].done = g->v[way[i]].bad = true;
	for (size_t i = first; i < n; i++)
		settle(g, &g->v[way[i]], value_unknown(e->span));
}

static void walk(struct graph *g)
{
	while (g->left) {
		struct node *n;

		if (!g->nready && g->running) {
			take_finished(g);
			continue;
		}
		if (!g->nready) {
			break_ring(g);
			continue;
		}
		n = &g->v[g->ready[g->ready_from]];
		g->ready_from = (g->ready_from + 1) % g->n;
		g->nready--;
		if (n->local)
			evaluate_local(g, n);
		else
			evaluate_data(g, n);
	}
}

void hcl_locals(struct hcl_template *t, bool run_data)
{
	size_t errors = t->diags->errors;
	struct graph g = { .t = t,
			   .run_data = run_data,
			   .max_running = t->args->sequential ? 1 : RUNNING_MAX };

	diags_init(&g.missing, t->arena);
	g.n = g.left = t->nlocals + t->ndatas;
	g.v = arena_new_array(t->arena, struct node, g.n + 1);
	g.ready = arena_new_array(t->arena, size_t, g.n + 1);
	pthread_mutex_init(&g.lock, NULL);
	pthread_cond_init(&g.ended, NULL);
	for (size_t i = 0; i < g.n; i++)
		g.v[i] = i < t->nlocals ? (struct node){ .local = &t->locals[i] }
					: (struct node){ .data = &t->datas[i - t->nlocals] };
	hcl_open_roots(t);
	connect(&g);
	walk(&g);
	if (t->diags->errors == errors && !t->listing)
		diags_add(t->diags, &g.missing, NULL);
	for (size_t i = 0; g.broken && i < t->nlocals; i++)
		t->locals[i].bad = true; /* the reference then evaluates none, and lists none */
	pthread_cond_destroy(&g.ended);
	pthread_mutex_destroy(&g.lock);
}
