# Every transform and route is a hop: a rule of its own, and what the rule feeds.
#
#   transform, most targets   rule -> queue -> function   (sqs-function: queue, dead-letter queue, function, alarms)
#   the same, "direct"        rule -> function            (direct.tf, async-function: dead-letter queue, function, alarms)
#   sqs without a mode        rule -> your queue          (rule_targets.tf: a dead-letter queue for the rule's target)
#   api_destination           rule -> API destination     (api_destinations.tf, and the same)
#   logs                      rule -> log group           (log_groups.tf, and the same)

locals {
  # arn:<partition>:events:<region>:<account>:event-bus/<name>
  bus_arn_parts = split(":", var.bus_arn)
  partition     = local.bus_arn_parts[1]
  region        = local.bus_arn_parts[3]
  account_id    = local.bus_arn_parts[4]

  routes_by_function = { for key, route in var.routes : key => route if !contains(keys(local.routes_by_rule), key) }

  # Of what a function does: with a queue before it, or invoked by the rule itself.
  queued_transforms = { for key, transform in var.transforms : key => transform if transform.invocation == "queue" }
  queued_routes     = { for key, route in local.routes_by_function : key => route if route.invocation == "queue" }

  destinations = { for key, route in var.routes : key => coalesce(route.destination, key) }

  # One entry per hop, whatever it is, by the key that also names it.
  hops = merge(
    { for key, transform in var.transforms : key => {
      hop        = "transform/${key}"
      pattern    = transform.pattern
      stage      = "received"
      enabled    = transform.enabled
      rule_retry = transform.rule_retry
    } },
    { for key, route in var.routes : key => {
      hop        = "route/${key}"
      pattern    = route.pattern
      stage      = coalesce(route.stage, length(var.transforms) > 0 ? "transformed" : "received")
      enabled    = route.enabled
      rule_retry = route.rule_retry
    } },
  )

  # Made from the bus's ARN, not read from the rules: policies are then readable in the plan, and need not wait for the rules.
  # A rule of the default bus has no bus in its ARN.
  rule_names = { for key in keys(local.hops) : key => "${var.name}-${key}" }
  rule_arns = { for key, name in local.rule_names : key => join(":", [
    "arn", local.partition, "events", local.region, local.account_id,
    var.bus_name == "default" ? "rule/${name}" : "rule/${var.bus_name}/${name}",
  ]) }

  make_bucket = var.bucket == null && length(var.transforms) + length(local.routes_by_function) > 0

  # The same as the ingress modules': pointers under another prefix are not followed.
  bodies_prefix = "bodies/events/"
  bucket        = local.make_bucket ? { name = module.bucket[0].bucket_name, arn = module.bucket[0].bucket_arn } : var.bucket
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = local.make_bucket ? 1 : 0

  name        = replace(lower(var.name), "_", "-")
  kms_key_arn = var.kms_key_arn
  tags        = var.tags
}

################################################################################
# Rules
################################################################################

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.hops

  name           = local.rule_names[each.key]
  description    = "Sends events to ${each.value.hop}"
  event_bus_name = var.bus_name
  event_pattern  = local.patterns[each.key]
  state          = each.value.enabled ? "ENABLED" : "DISABLED"
  tags           = var.tags

  lifecycle {
    precondition {
      condition     = length(local.patterns[each.key]) <= 2048
      error_message = "The pattern of ${each.value.hop} has ${length(local.patterns[each.key])} characters with what the module adds; EventBridge allows 2048. Split it into several ${startswith(each.value.hop, "route/") ? "routes with the same destination" : "transforms with the same steps"}."
    }

    precondition {
      condition     = length(local.reserved_paths[each.key]) == 0
      error_message = "The pattern of ${each.value.hop} names ${join(" and ", local.reserved_paths[each.key])}, which the module sets itself: take it out. A route's stage is its attribute \"stage\"; events that are re-driven reach the hop that failed by themselves."
    }

    precondition {
      condition     = length(local.unknown_fields[each.key]) == 0
      error_message = "The pattern of ${each.value.hop} has fields that no event has: ${join(", ", local.unknown_fields[each.key])}. An event has version, id, detail-type, source, account, time, region, resources and detail; what the partner sent is in detail.data, what the kit says of it in detail.metadata."
    }

    precondition {
      condition     = length(lookup(local.forbidden_urls, each.key, [])) == 0
      error_message = "${each.value.hop} leads to ${join(" and ", lookup(local.forbidden_urls, each.key, []))}, which is no public host: a private address, this machine, a number in place of a name, or a metadata service. Private networks that are meant go into allowed_private_cidrs of target.http."
    }

    precondition {
      condition     = length(local.bare_values[each.key]) == 0
      error_message = "In the pattern of ${each.value.hop}, ${join(", ", local.bare_values[each.key])} must be a list of values, also of a single one: source = [\"partner.mux\"]."
    }
  }
}

resource "aws_cloudwatch_event_target" "queue" {
  for_each = merge(
    { for key in keys(local.queued_transforms) : key => module.transform[key] },
    { for key in keys(local.queued_routes) : key => module.route[key] },
  )

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = var.bus_name
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
  transform_environment = { BUS_ARN = var.bus_arn, BODIES_URI = try("s3://${local.bucket.name}/${local.bodies_prefix}", null) }

  transform_statements = { for key in keys(var.transforms) : key => merge(
    {
      PublishTransformed = { actions = ["events:PutEvents"], resources = [var.bus_arn], conditions = [] }
      # An event too large for the bus comes as a pointer, and may leave as one.
      LargeBodies = { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.bucket.arn}/${local.bodies_prefix}*"], conditions = [] }
    },
    local.step_statements[key],
  ) }

  transform_layers = { for key, transform in var.transforms : key =>
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

  allowed_rule_arns    = [local.rule_arns[each.key]]
  timeout_seconds      = each.value.timeout_seconds
  memory_mb            = each.value.memory_mb
  batch_size           = each.value.batch_size
  batch_window_seconds = each.value.batch_window_seconds
  maximum_concurrency  = each.value.maximum_concurrency
  max_receive_count    = each.value.max_receive_count
  retry                = each.value.retry

  bucket                   = local.bucket
  kms_key_arn              = var.kms_key_arn
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}

################################################################################
# Routes that a function delivers
################################################################################

locals {
  route_statements = { for key in keys(local.routes_by_function) : key => merge(
    {
      Ledger = {
        actions    = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        resources  = [aws_dynamodb_table.ledger[0].arn]
        conditions = []
      }
    },
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
  environment   = { LEDGER_TABLE = aws_dynamodb_table.ledger[0].name }

  policy_statements = merge(local.route_statements[each.key], {
    # While deliveries pause, a copy of each event waits in the queue.
    PutOff = { actions = ["sqs:SendMessage"], resources = [local.queue_arns[each.key]], conditions = [] }
  })

  allowed_rule_arns    = [local.rule_arns[each.key]]
  timeout_seconds      = each.value.timeout_seconds
  memory_mb            = each.value.memory_mb
  batch_size           = each.value.batch_size
  batch_window_seconds = each.value.batch_window_seconds
  maximum_concurrency  = each.value.maximum_concurrency
  max_receive_count    = each.value.max_receive_count
  retry                = each.value.retry

  bucket                   = local.bucket
  kms_key_arn              = var.kms_key_arn
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}
