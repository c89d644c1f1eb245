# Every transform and route is a hop: a rule of its own, and what the rule feeds.
#
#   transform, most targets   rule -> queue -> function   (sqs-function: queue, dead-letter queue, function, alarms)
#   the same, "direct"        rule -> function            (direct.tf, async-function: dead-letter queue, function, alarms)
#   sqs without a mode        rule -> your queue          (rule_targets.tf: a dead-letter queue for the rule's target)
#   api_destination           rule -> API destination     (api_destinations.tf, and the same)
#   logs                      rule -> log group           (log_groups.tf, and the same)

# Reads transforms and routes, refuses what is wrong in them, and fills in defaults.
module "definitions" {
  source = "../internal/hop-definitions"

  name       = var.name
  bus_arn    = var.bus_arn
  transforms = var.transforms
  routes     = var.routes
  function   = var.function
  queue      = var.queue
  failure    = var.failure
}

locals {
  # arn:<partition>:events:<region>:<account>:event-bus/<name>
  bus_arn_parts = split(":", var.bus_arn)
  partition     = local.bus_arn_parts[1]
  region        = local.bus_arn_parts[3]
  account_id    = local.bus_arn_parts[4]
  bus_name      = trimprefix(local.bus_arn_parts[5], "event-bus/")

  transforms     = module.definitions.hops.transforms
  routes         = module.definitions.hops.routes
  routes_by_rule = module.definitions.hops.routes_by_rule
  destinations   = module.definitions.hops.destinations
  hops           = module.definitions.hops.hops
  patterns       = module.definitions.hops.patterns

  routes_by_function = { for key, route in local.routes : key => route if !contains(keys(local.routes_by_rule), key) }

  # Of what a function does: with a queue before it, or invoked by the rule itself.
  queued_transforms = { for key, transform in local.transforms : key => transform if transform.invocation == "queue" }
  queued_routes     = { for key, route in local.routes_by_function : key => route if route.invocation == "queue" }

  # Made from the bus's ARN, not read from the rules: policies are then readable in the plan, and need not wait for the rules.
  # A rule of the default bus has no bus in its ARN.
  rule_names = { for key in keys(local.hops) : key => "${var.name}-${key}" }
  rule_arns = { for key, name in local.rule_names : key => join(":", [
    "arn", local.partition, "events", local.region, local.account_id,
    local.bus_name == "default" ? "rule/${name}" : "rule/${local.bus_name}/${name}",
  ]) }

  # All of them, by the beginning of their names, for policies that would outgrow their limits with a list. On this bus of this account
  # such names are this deployment's, and a rule sends only to its own targets.
  all_rule_arns = join(":", [
    "arn", local.partition, "events", local.region, local.account_id,
    local.bus_name == "default" ? "rule/${var.name}-*" : "rule/${local.bus_name}/${var.name}-*",
  ])

  make_bucket = var.settings.bucket == null && length(local.transforms) + length(local.routes_by_function) > 0

  bucket = local.make_bucket ? module.bucket[0].bucket : var.settings.bucket

  # Each function's: its own network, if it has one.
  settings = merge(
    { for key, transform in local.transforms : key => merge(var.settings, { bucket = local.bucket }, { for name, vpc in { vpc = transform.vpc } : name => vpc if vpc != null }) },
    { for key, route in local.routes_by_function : key => merge(var.settings, { bucket = local.bucket }, { for name, vpc in { vpc = route.vpc } : name => vpc if vpc != null }) },
  )
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = local.make_bucket ? 1 : 0

  name     = replace(lower(var.name), "_", "-")
  settings = var.settings
}

module "event_bodies" {
  source = "../internal/event-bodies"
  bucket = local.bucket
}

################################################################################
# Rules
################################################################################

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.hops

  name           = local.rule_names[each.key]
  description    = "Sends events to ${each.value.hop}"
  event_bus_name = local.bus_name
  event_pattern  = local.patterns[each.key]
  state          = each.value.enabled ? "ENABLED" : "DISABLED"
  tags           = var.settings.tags

  lifecycle {
    # The same that ends the plan in the module above, for a hop that can be judged while another can't.
    precondition {
      condition     = length(module.definitions.hops.text_problems[each.key]) == 0
      error_message = join("\n", module.definitions.hops.text_problems[each.key])
    }
  }
}

resource "aws_cloudwatch_event_target" "queue" {
  for_each = merge(
    { for key in keys(local.queued_transforms) : key => module.transform[key] },
    { for key in keys(local.queued_routes) : key => module.route[key] },
  )

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = local.bus_name
  target_id      = each.key
  arn            = each.value.queue_arn

  dead_letter_config {
    arn = each.value.dlq_arn
  }

  # Both halves: the provider would send 0 for the one left out.
  retry_policy {
    maximum_event_age_in_seconds = local.hops[each.key].rule_retry.max_age_seconds
    maximum_retry_attempts       = local.hops[each.key].rule_retry.max_attempts
  }
}

################################################################################
# Transforms
################################################################################

locals {
  transform_environment = {
    ROUTER = var.name, BUS_ARN = var.bus_arn, BODIES_URI = module.event_bodies.uri, IDEMPOTENCY_TABLE = one(aws_dynamodb_table.idempotency[*].name)
  }

  idempotency_store = {
    actions    = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources  = aws_dynamodb_table.idempotency[*].arn
    conditions = []
  }

  transform_statements = { for key in keys(local.transforms) : key => merge(
    {
      PublishTransformed = { actions = ["events:PutEvents"], resources = [var.bus_arn], conditions = [] }
      # Of an event that failed before, since a person may have decided about it.
      IdempotencyStore = merge(local.idempotency_store, { actions = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"] })
    },
    # An event too large for the bus comes as a pointer, and may leave as one.
    module.event_bodies.policy_statements,
    local.step_statements[key],
  ) }

  transform_layers = { for key, transform in local.transforms : key =>
    concat(transform.package == null ? [] : [aws_lambda_layer_version.package[key].arn], transform.layers)
  }
}

module "transform" {
  source   = "../internal/sqs-function"
  for_each = local.queued_transforms

  name        = "${var.name}-${each.key}"
  hop         = local.hops[each.key].hop
  description = "Transforms events and publishes them again"
  handler     = "media_events.handlers.transform.handler"

  configuration     = jsonencode({ steps = jsondecode(each.value.steps) })
  environment       = local.transform_environment
  policy_statements = local.transform_statements[each.key]
  layers            = local.transform_layers[each.key]

  allowed_rule_arns = [local.rule_arns[each.key]]
  settings          = local.settings[each.key]
  function          = each.value.function
  queue             = each.value.queue
  failure           = each.value.failure
}

################################################################################
# Routes that a function delivers
################################################################################

locals {
  route_statements = { for key in keys(local.routes_by_function) : key => merge(
    { IdempotencyStore = local.idempotency_store },
    local.target_statements[key],
  ) }
}

module "route" {
  source   = "../internal/sqs-function"
  for_each = local.queued_routes

  name        = "${var.name}-${each.key}"
  hop         = local.hops[each.key].hop
  description = "Delivers events to ${local.destinations[each.key]}"
  handler     = "media_events.handlers.deliver.handler"

  configuration = jsonencode({ destination = local.destination_documents[each.key] })
  environment   = { ROUTER = var.name, IDEMPOTENCY_TABLE = aws_dynamodb_table.idempotency[0].name }

  policy_statements = merge(local.route_statements[each.key], {
    # While deliveries pause, a copy of each event waits in the queue.
    Defer = { actions = ["sqs:SendMessage"], resources = [local.queue_arns[each.key]], conditions = [] }
  })

  allowed_rule_arns = [local.rule_arns[each.key]]
  settings          = local.settings[each.key]
  function          = each.value.function
  queue             = each.value.queue
  failure           = each.value.failure
}
