/* The artifact of image builders. Its text and id are Packer's, as scripts read them: sorted by
 * region. */
#include "builder/amazon/artifact.h"

#include "base/clock.h"

struct images {
	struct aws_session *session;
	struct map values;
	size_t n;
	struct made {
		char *region, *id;
	} v[];
};

static int by_region(const void *a, const void *b)
{
	return strcmp(((const struct made *)a)->region, ((const struct made *)b)->region);
}

static int destroy(struct artifact *a, struct build *b, struct err *err)
{
	struct images *m = a->data;

	for (size_t i = 0; i < m->n; i++) {
		struct aws_client c =
			aws_client(m->session, "ec2", m->v[i].region, b->arena, b->cancel);

		c.deadline_ms = clock_ms() + AMAZON_UNDO_MS;
		if (ec2_delete_image(&c, m->v[i].id, true, err) < 0)
			return err_prefix(err, "removing AMI %s in %s", m->v[i].id, m->v[i].region);
	}
	return 0;
}

static void free_state(struct artifact *a)
{
	struct images *m = a->data;

	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].region);
		free(m->v[i].id);
	}
	for (size_t i = 0; i < map_len(&m->values); i++)
		free(map_at(&m->values, i));
	map_release(&m->values);
	aws_session_close(m->session);
	free(m);
}

static void put_values(struct images *m, const struct amazon *s)
{
	for (const char *const *name = amazon_source_names; *name; name++)
		if (build_get(s->b, *name))
			map_sets(&m->values, *name, xstrdup(build_get(s->b, *name)));
}

struct artifact *amazon_artifact(struct amazon *s, const char *builder_id)
{
	struct images *m = xcalloc(1, sizeof(*m) + s->nimages * sizeof(m->v[0]));
	AUTO(buf) struct buf id = BUF_INIT, text = BUF_INIT;
	struct artifact *a;

	for (size_t i = 0; i < s->nimages; i++) {
		const struct amazon_image *image = &s->images[i];

		if (!image->temporary && image->thing && image->thing->id)
			m->v[m->n++] =
				(struct made){ xstrdup(image->region), xstrdup(image->thing->id) };
	}
	if (!m->n) {
		free(m);
		return NULL;
	}
	qsort(m->v, m->n, sizeof(m->v[0]), by_region);
	buf_adds(&text, "AMIs were created:\n");
	for (size_t i = 0; i < m->n; i++) {
		buf_printf(&id, "%s%s:%s", i ? "," : "", m->v[i].region, m->v[i].id);
		buf_printf(&text, "%s: %s\n", m->v[i].region, m->v[i].id);
	}
	m->session = aws_session_ref(s->session);
	put_values(m, s);
	a = artifact_new(builder_id, buf_cstr(&id), buf_cstr(&text));
	a->data = m;
	a->state = &m->values;
	a->destroy = destroy;
	a->free_state = free_state;
	return a;
}
