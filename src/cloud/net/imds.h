/* The instance metadata service, v1 and v2, on connections that the backend hands in. */
#ifndef INGOT_CLOUD_NET_IMDS_H
#define INGOT_CLOUD_NET_IMDS_H

#include "base/base.h"
#include "base/err.h"
#include "cloud/cloud.h"

struct imds;

int imds_start(struct cloud *c, struct imds **ret, struct err *err) MUST_USE;
void imds_stop(struct imds *m);
/* Serves one connection of the instance; owns fd. */
void imds_serve(struct imds *m, const char *instance_id, int fd);

#endif
