/* -local: what the template names is told to the local cloud before the first call. */
#ifndef INGOT_BUILDER_AMAZON_LOCAL_H
#define INGOT_BUILDER_AMAZON_LOCAL_H

#include "builder/amazon/state.h"

/* Stand-ins are made for what the cloud does not know; each is warned of once. */
int amazon_tell_local(struct amazon *s, struct err *err) MUST_USE;
/* Warns once that the source image is a stand-in, unless that was said already. */
void amazon_local_source(struct amazon *s);
/* Prints what the cloud wants to say about the instance: refused hosts, limits. */
void amazon_local_notices(struct amazon *s);
/* The connection options with everything that leads elsewhere taken out: an instance of the local
 * cloud is reached at its own address. */
const struct comm_config *amazon_local_comm(struct amazon *s);
/* Where a port of a local instance is offered: a local cloud without root offers those below 1024
 * by 10000 higher (docs/local-cloud.md). */
int64_t amazon_local_port(struct amazon *s, const char *host, int64_t port);

#endif
