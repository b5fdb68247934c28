/* From an HTTP request to an answer: signature, service, action, faults, parameters, client tokens,
 * the handler, the log. */
#ifndef INGOT_CLOUD_API_DISPATCH_H
#define INGOT_CLOUD_API_DISPATCH_H

#include "cloud/api/http.h"
#include "cloud/cloud.h"

/* An http_handler; data is the struct cloud. */
void dispatch(void *data, const struct http_request *r, uint32_t peer, struct http_reply *reply);

#endif
