locals {
  # EventBridge reports rules of the default bus without the bus.
  rule_dimensions = { for partner, rule in aws_cloudwatch_event_rule.this : partner => merge(
    { RuleName = rule.name },
    local.source_bus_name == "default" ? {} : { EventBusName = local.source_bus_name },
  ) }
}

module "alarms" {
  source = "../alarms"

  name     = var.name
  owner    = "ingress/${var.name}"
  settings = var.settings

  alarms = { for partner in var.watch_rules ? keys(var.partners) : [] : "${partner}-rule-failed" => {
    severity    = "critical"
    description = "The rule for ${local.names[partner]} could not reach the queue. The events are in the dead-letter queue, or, where InvocationsFailedToBeSentToDlq counts, lost but for the bus's archive. Look at the policies of both queues and their key at once."
    runbook     = "rule-failed"
    metrics = { for id, metric in { failed = "FailedInvocations", lost = "InvocationsFailedToBeSentToDlq" } :
      id => { namespace = "AWS/Events", name = metric, dimensions = local.rule_dimensions[partner], stat = "Sum" }
    }
    # EventBridge sends either only when it is above zero.
    expression = "FILL(failed, 0) + FILL(lost, 0)"
    period     = 60
  } }
}
