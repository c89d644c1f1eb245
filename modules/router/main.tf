# Every transform and route is a hop: a rule of its own, and what the rule feeds.
#
#   transform, most targets   rule -> queue -> function   (hop-function: dead-letter queue, queue, function, alarms)
#   the same, "direct"        rule -> function            (hop-function without a queue)
#   sqs without a mode        rule -> your queue          (rule_targets.tf; hop-function has the dead-letter queue alone)
#   api_destination           rule -> API destination     (api_destinations.tf, and the same)
#   logs                      rule -> log group           (log_groups.tf, and the same)
#
# A hop that becomes another kind keeps its rule, whose target changes in place, and its dead-letter queue. What a retired definition still needs
# besides stays: retired.tf.

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
  vpc        = var.settings.vpc
}

locals {
  # arn:<partition>:events:<region>:<account>:event-bus/<name>
  bus_arn_parts = split(":", var.bus_arn)
  partition     = local.bus_arn_parts[1]
  region        = local.bus_arn_parts[3]
  account_id    = local.bus_arn_parts[4]
  bus_name      = trimprefix(local.bus_arn_parts[5], "event-bus/")

  # A hop as it is, also a retired one; where the same key has both, the retired definition is behind the other.
  transforms     = merge(local.retired.transforms, module.definitions.hops.transforms)
  routes         = merge(local.retired.routes, module.definitions.hops.routes)
  routes_by_rule = merge({ for key, route in local.retired.routes_by_rule : key => route if !contains(local.current_route_keys, key) }, module.definitions.hops.routes_by_rule)
  destinations   = merge(local.retired.destinations, module.definitions.hops.destinations)
  hops           = merge(local.retired.hops, module.definitions.hops.hops)
  patterns       = merge(local.retired_patterns, module.definitions.hops.patterns)

  # By themselves, since a function such as `keys` looks at all that it is given, whenever it is called.
  current_route_keys = keys(module.definitions.hops.routes)
  route_keys         = keys(local.routes)
  by_rule_keys       = keys(local.routes_by_rule)
  queued_keys        = keys(local.queued)
  invoked_keys       = keys(local.invoked)

  # What functions do: also the former one's, of a route whose rule sends by itself now.
  routes_by_function = merge(
    { for key, route in local.retired.routes : key => route if contains(local.retired_functions, key) },
    { for key, route in local.routes : key => route if !contains(local.by_rule_keys, key) },
  )
  function_destinations = merge(local.destinations, { for key, destination in local.retired.destinations : key => destination if contains(local.by_rule_keys, key) })

  # Each function's definition, and how events reach it.
  functions = merge(local.transforms, local.routes_by_function)
  queued    = { for key, hop in local.functions : key => hop if hop.invocation == "queue" || lookup(local.retired_invocations, key, "") == "queue" }
  invoked   = { for key, hop in local.functions : key => hop if hop.invocation == "direct" || lookup(local.retired_invocations, key, "") == "direct" }

  definitions = merge(local.routes_by_rule, local.functions)

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

  make_bucket = var.settings.bucket == null && length(local.functions) > 0

  bucket = local.make_bucket ? module.bucket[0].bucket : var.settings.bucket

  # Each hop's: its own network, if its function has one.
  settings = { for key in keys(local.hops) : key => merge(
    var.settings,
    { bucket = local.bucket },
    # Not by `try`, which knows nothing of a value with an unknown part.
    { for function in [for hop, function in local.functions : function if hop == key] : "vpc" => function.vpc if function.vpc != null },
  ) }
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
  state          = each.value.enabled || contains(local.retired_keys, each.key) ? "ENABLED" : "DISABLED"
  tags           = var.settings.tags

  lifecycle {
    # The same that ends the plan in the module above, for a hop that can be judged while another can't.
    precondition {
      condition     = length(local.text_problems[each.key]) == 0
      error_message = join("\n", local.text_problems[each.key])
    }
  }
}

# One target for one rule, whatever it is: a change puts another in its place, under the same id.
resource "aws_cloudwatch_event_target" "this" {
  for_each = local.hops

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = local.bus_name
  target_id      = each.key
  arn            = local.targets[each.key].arn
  role_arn       = local.targets[each.key].role_arn

  dynamic "sqs_target" {
    for_each = [for target in local.own_targets[each.key] : target.message_group_id if target.message_group_id != null]

    content {
      message_group_id = sqs_target.value
    }
  }

  dynamic "http_target" {
    for_each = [for target in local.own_targets[each.key] : target.api_destination if target.api_destination != null]

    content {
      header_parameters       = local.api_headers[each.key]
      query_string_parameters = http_target.value.query
      path_parameter_values   = http_target.value.path_values
    }
  }

  dynamic "input_transformer" {
    for_each = [for target in local.own_targets[each.key] : target.input_transformer if target.input_transformer != null]

    content {
      input_paths    = input_transformer.value.paths
      input_template = chomp(input_transformer.value.template)
    }
  }

  # For events that can't be handed over. What fails afterwards gets there by the function, its queue or its on-failure destination.
  dead_letter_config {
    arn = module.hop[each.key].dlq_arn
  }

  # Both halves: the provider would send 0 for the one left out.
  retry_policy {
    maximum_event_age_in_seconds = each.value.rule_retry.max_age_seconds
    maximum_retry_attempts       = each.value.rule_retry.max_attempts
  }

  # The rule must not send before it may, and before there is something to send to.
  depends_on = [aws_iam_role_policy.api_destination, aws_iam_role_policy_attachment.api_destination, aws_cloudwatch_log_group.target, aws_cloudwatch_log_resource_policy.rules, aws_sqs_queue_policy.own_target]
}

################################################################################
# Transforms
################################################################################

locals {
  transform_environment = {
    ROUTER = var.name, BUS_ARN = var.bus_arn, BODIES_URI = module.event_bodies.uri, IDEMPOTENCY_TABLE = one(aws_dynamodb_table.idempotency[*].name)
  }

  idempotency_store = {
    actions    = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem"]
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

################################################################################
# Routes that a function delivers
################################################################################

locals {
  route_statements = { for key in keys(local.routes_by_function) : key => merge(
    { IdempotencyStore = local.idempotency_store },
    local.target_statements[key],
  ) }
}

################################################################################
# Dead-letter queues, queues and functions
################################################################################

locals {
  programs = merge(
    { for key in keys(local.hops) : key => { description = "", handler = null, configuration = null, environment = {}, policy_statements = {}, layers = [] } },
    { for key, transform in local.transforms : key => {
      description       = "Transforms events and publishes them again"
      handler           = "media_events.handlers.transform.handler"
      configuration     = jsonencode({ steps = jsondecode(transform.steps) })
      environment       = local.transform_environment
      policy_statements = local.transform_statements[key]
      layers            = local.transform_layers[key]
    } },
    { for key in keys(local.routes_by_function) : key => {
      description   = "Delivers events to ${local.function_destinations[key]}"
      handler       = "media_events.handlers.deliver.handler"
      configuration = jsonencode({ destination = local.destination_documents[key] })
      environment   = { ROUTER = var.name, IDEMPOTENCY_TABLE = aws_dynamodb_table.idempotency[0].name }
      policy_statements = merge(
        local.route_statements[key],
        # While deliveries pause, a copy of each event waits in the queue.
        contains(local.queued_keys, key) ? { Defer = { actions = ["sqs:SendMessage"], resources = [local.queue_arns[key]], conditions = [] } } : {},
      )
      layers = []
    } },
  )
}

module "hop" {
  source   = "../internal/hop-function"
  for_each = local.hops

  name       = "${var.name}-${each.key}"
  account_id = local.account_id
  hop        = each.value.hop

  has_queue         = contains(local.queued_keys, each.key)
  allowed_rule_arns = [local.rule_arns[each.key]]
  invoking_rules    = contains(local.invoked_keys, each.key) ? { (each.key) = local.rule_arns[each.key] } : {}

  existing_dlq = local.definitions[each.key].existing_dlq

  description       = local.programs[each.key].description
  handler           = local.programs[each.key].handler
  configuration     = local.programs[each.key].configuration
  environment       = local.programs[each.key].environment
  policy_statements = local.programs[each.key].policy_statements
  layers            = local.programs[each.key].layers

  settings       = local.settings[each.key]
  function       = local.definitions[each.key].function
  queue          = local.definitions[each.key].queue
  failure        = local.definitions[each.key].failure
  function_retry = local.definitions[each.key].function_retry
}
