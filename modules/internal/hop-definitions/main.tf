# What the hops are, once defaults are filled in: the router makes what stands here.

locals {
  # arn:<partition>:events:<region>:<account>:event-bus/<name>
  bus_arn_parts = split(":", var.bus_arn)

  transforms = { for key, transform in module.types.transforms : key => merge(transform, local.sizes["transforms.${key}"]) }
  routes     = { for key, route in module.types.routes : key => merge(route, local.sizes["routes.${key}"]) }

  unsized = merge(
    { for key, hop in module.types.transforms : "transforms.${key}" => { function = hop.function, queue = hop.queue, failure = hop.failure } },
    { for key, hop in module.types.routes : "routes.${key}" => { function = hop.function, queue = hop.queue, failure = hop.failure } },
  )

  # A hop's own values over those of the module, each by itself: one that is not known yet leaves the others known.
  sizes = { for id, hop in local.unsized : id => {
    function = { for name, value in var.function : name => lookup(hop.function, name, null) == null ? value : hop.function[name] }
    queue    = { for name, value in var.queue : name => lookup(hop.queue, name, null) == null ? value : hop.queue[name] }
    failure = merge(
      { for name, value in var.failure : name => lookup(hop.failure, name, null) == null ? value : hop.failure[name] if !contains(["retry", "redrive"], name) },
      { for name in ["retry", "redrive"] : name => { for part, value in var.failure[name] : part => hop.failure[name][part] == null ? value : hop.failure[name][part] } },
    )
  } }

  destinations = { for key, route in local.routes : key => coalesce(route.destination, key) }

  # Routes whose rule sends by itself, without a function.
  is_by_rule = { for key, route in local.routes : key =>
    route.target.api_destination != null || route.target.logs != null || (route.target.sqs == null ? false : route.target.sqs.mode == null)
  }
  routes_by_rule = { for key, route in local.routes : key => merge(route, {
    # Nothing but redrives lets their dead letters wait.
    failure = merge(route.failure, {
      dlq_age_alarm_seconds = coalesce(module.types.routes[key].failure.dlq_age_alarm_seconds, route.failure.redrive.max_delay_seconds + 3600)
    })
  }) if local.is_by_rule[key] }

  # One entry per hop, whatever it is, by the key that also names it.
  hops = merge(
    { for key, transform in local.transforms : key => {
      hop        = "transform/${key}"
      path       = "transforms.${key}"
      pattern    = transform.pattern
      match_all  = transform.match_all
      stage      = "received"
      enabled    = transform.enabled
      rule_retry = transform.rule_retry
    } },
    { for key, route in local.routes : key => {
      hop        = "route/${key}"
      path       = "routes.${key}"
      pattern    = route.pattern
      match_all  = route.match_all
      stage      = coalesce(route.stage, length(local.transforms) > 0 ? "transformed" : "received")
      enabled    = route.enabled
      rule_retry = route.rule_retry
    } },
  )
}
