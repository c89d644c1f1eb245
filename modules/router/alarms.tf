################################################################################
# Alarms. Those of a hop's queue and function come with hop-function.
################################################################################

locals {
  # EventBridge reports rules of the default bus without the bus.
  rule_dimensions = { for key, name in local.rule_names : key => merge(
    { RuleName = name },
    local.bus_name == "default" ? {} : { EventBusName = local.bus_name },
  ) }

  # As long as any hop may take. Each hop's function reports under the router's name as well.
  waiting_alarm_seconds = max(0, [for hop in values(local.queued) : hop.queue.age_alarm_seconds]...)
  has_queues            = length(local.queued) > 0
}

module "alarms" {
  source = "../internal/alarms"

  name     = var.name
  owner    = "router/${var.name}"
  settings = var.settings

  alarms = merge(
    # What SQS's own metric does not see: events that fail for the time being, or wait for a circuit breaker. Whoever defers one, or
    # lets it come back, reports how long ago the event came.
    !local.has_queues ? {} : {
      events-waiting = {
        severity    = "warning"
        description = "Events have waited for more than ${local.waiting_alarm_seconds} seconds, since their receiver is down or fails for the time being. `media-events status` names the hop."
        runbook     = "events-waiting"
        metrics     = { age = { namespace = "MediaEvents", name = "WaitingEventAge", dimensions = { router = var.name }, stat = "Maximum" } }
        period      = 1800 # a deferred event comes back within fifteen minutes
        threshold   = local.waiting_alarm_seconds
      }
    },
    length(local.routes_by_function) == 0 ? {} : {
      circuit-breaker-open = {
        severity    = "critical"
        description = "Events wait for a destination whose circuit breaker has been open for more than ${var.circuit_breaker_alarm_seconds} seconds. `media-events status` names it: look at the receiver, or at the event if the receiver is well. Deliveries resume by themselves."
        runbook     = "circuit-breaker-open"
        metrics     = { age = { namespace = "MediaEvents", name = "CircuitBreakerOpenAge", dimensions = { idempotency_table = local.idempotency_table.name }, stat = "Maximum" } }
        period      = 1800
        threshold   = var.circuit_breaker_alarm_seconds
      }
    },
    { for key in var.watch_rules ? keys(local.hops) : [] : "${key}-rule-failed" => {
      severity    = "critical"
      description = "The rule of ${local.hops[key].hop} could not reach its target${contains(local.by_rule_keys, key) ? " ${local.rule_target_names[key]}" : ""}. The events are in the hop's dead-letter queue, or, where InvocationsFailedToBeSentToDlq counts, lost but for the bus's archive. Mostly a missing permission: see ERROR_CODE and ERROR_MESSAGE of the messages there."
      runbook     = "rule-failed"
      metrics = { for id, metric in { failed = "FailedInvocations", lost = "InvocationsFailedToBeSentToDlq" } :
        id => { namespace = "AWS/Events", name = metric, dimensions = local.rule_dimensions[key], stat = "Sum" }
      }
      # EventBridge sends either only when it is above zero.
      expression = "FILL(failed, 0) + FILL(lost, 0)"
      period     = 60
    } },
  )
}
