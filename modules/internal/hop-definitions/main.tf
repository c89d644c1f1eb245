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

  # A hop's own values over those of the module.
  sizes = { for id, hop in local.unsized : id => {
    function = merge(var.function, { for name, value in hop.function : name => value if value != null })
    queue    = merge(var.queue, { for name, value in hop.queue : name => value if value != null })
    failure = merge(
      var.failure,
      { for name, value in hop.failure : name => value if !contains(["retry", "redrive"], name) && value != null },
      { for name in ["retry", "redrive"] : name => merge(var.failure[name], { for part, value in hop.failure[name] : part => value if value != null }) },
    )
  } }

  destinations = { for key, route in local.routes : key => coalesce(route.destination, key) }

  # Routes whose rule sends by itself, without a function.
  routes_by_rule = { for key, route in local.routes : key => merge(route, {
    # Nothing but redrives lets their dead letters wait.
    failure = merge(route.failure, {
      dlq_age_alarm_seconds = coalesce(module.types.routes[key].failure.dlq_age_alarm_seconds, route.failure.redrive.max_delay_seconds + 3600)
    })
    }) if route.target.api_destination != null || route.target.logs != null || (route.target.sqs == null ? false : route.target.sqs.mode == null)
  }

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
