/* Stopping the instance before its image is made, and what can only be changed of it then. */
#include "builder/amazon/steps.h"

#include "aws/wait.h"
#include "communicator/connect.h"

int amazon_stop_instance(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	const char *id = s->instance.id;

	/* Nothing is said over this connection any more: a dying one would be reported as lost. */
	comm_disconnect(b);
	if (s->run->disable_stop_instance) {
		build_say(b,
			  "Waiting for a provisioner to stop the instance "
			  "(disable_stop_instance)...");
	} else {
		build_say(b, "Stopping the instance...");
		if (ec2_stop_instance(&s->ec2, id, false, err) < 0)
			return err_prefix(err, "stopping instance %s", id);
		build_say(b, "Waiting until the instance has stopped...");
	}
	if (aws_wait_instance(&s->ec2, id, "stopped", NULL, err) < 0)
		return err_prefix(err, "waiting for instance %s to stop", id);
	return 0;
}

int amazon_modify_instance(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;

	if (s->ami->sriov_support) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

		build_say(b, "Turning on enhanced networking (SR-IOV)...");
		aws_params_add(&p, "SriovNetSupport.Value", "simple");
		if (ec2_modify_instance(&s->ec2, s->instance.id, &p, err) < 0)
			return err_prefix(err, "sriov_support of instance %s", s->instance.id);
	}
	if (s->ami->ena_support != TRIBOOL_UNSET) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
		bool on = s->ami->ena_support == TRIBOOL_TRUE;

		build_say(b, "Turning %s enhanced networking (ENA)...", on ? "on" : "off");
		aws_params_bool(&p, "EnaSupport.Value", on);
		if (ec2_modify_instance(&s->ec2, s->instance.id, &p, err) < 0)
			return err_prefix(err, "ena_support of instance %s", s->instance.id);
	}
	return 0;
}
