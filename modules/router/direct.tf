################################################################################
# Transforms and routes whose rule invokes the function itself
################################################################################

locals {
  direct_transforms = { for key, transform in local.transforms : key => transform if transform.invocation == "direct" }
  direct_routes     = { for key, route in local.routes_by_function : key => route if route.invocation == "direct" }

  direct_functions = merge(
    { for key, transform in local.direct_transforms : key => {
      description       = "Transforms events and publishes them again"
      handler           = "media_events.handlers.transform.handler"
      configuration     = jsonencode({ steps = jsondecode(transform.steps) })
      environment       = local.transform_environment
      policy_statements = local.transform_statements[key]
      layers            = local.transform_layers[key]
    } },
    { for key, route in local.direct_routes : key => {
      description       = "Delivers events to ${local.destinations[key]}"
      handler           = "media_events.handlers.deliver.handler"
      configuration     = jsonencode({ destination = local.destination_documents[key] })
      environment       = { ROUTER = var.name, IDEMPOTENCY_TABLE = aws_dynamodb_table.idempotency[0].name }
      policy_statements = local.route_statements[key]
      layers            = []
    } },
  )
  direct_hops = merge(local.direct_transforms, local.direct_routes)
}

module "direct" {
  source   = "../internal/async-function"
  for_each = local.direct_hops

  name        = "${var.name}-${each.key}"
  hop         = local.hops[each.key].hop
  description = local.direct_functions[each.key].description
  handler     = local.direct_functions[each.key].handler
  rules       = { (each.key) = local.rule_arns[each.key] }

  configuration     = local.direct_functions[each.key].configuration
  environment       = local.direct_functions[each.key].environment
  policy_statements = local.direct_functions[each.key].policy_statements
  layers            = local.direct_functions[each.key].layers

  settings       = local.settings[each.key]
  function       = each.value.function
  failure        = each.value.failure
  function_retry = each.value.function_retry
}

resource "aws_cloudwatch_event_target" "function" {
  for_each = local.direct_hops

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = local.bus_name
  target_id      = each.key
  arn            = module.direct[each.key].function_arn

  # For events that can't be handed over. What fails inside the function goes the same way by its on-failure destination.
  dead_letter_config {
    arn = module.direct[each.key].dlq_arn
  }

  # Both halves: the provider would send 0 for the one left out.
  retry_policy {
    maximum_event_age_in_seconds = each.value.rule_retry.max_age_seconds
    maximum_retry_attempts       = each.value.rule_retry.max_attempts
  }
}
